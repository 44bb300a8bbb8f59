/**
 * Migrates many files: batches of them side by side, each in a worktree of its own, merged one by one while the tests stay green.
 *
 *   forgehand workflow run examples/migration.tsx \
 *     --input '{"find":"git grep -l moment src","how":"Replace moment by Temporal, see docs/dates.md","test":"npm test"}'
 *
 * It asks you nothing. `find` names what is left to do, one file a line. A batch that breaks the tests or conflicts is put out of the
 * queue and its files are done again in the next round. Ends with 10, and says what is left, when the rounds are used up.
 */
import {
  ForEach,
  leaf,
  Loop,
  MergeQueue,
  mergedBy,
  quoted,
  runCommand,
  Sequence,
  Task,
  Try,
  Worktree,
  workflow,
  type Step,
} from "forgehand";
import { z } from "zod";

const Files = z.array(z.string());
const before = leaf("before", Files);
const left = leaf("left", Files);
const Migrated = z.object({
  note: z.string().describe("what the next person should know; empty when nothing"),
});
/** Named by round too, so that what a batch gave is never taken for another's. */
const migrate = (round: number, batch: number) => leaf(`migrate:${round}.${batch}`, Migrated);
const merges = (round: number) => mergedBy(`merge:${round}`);

async function find(step: Step, command: string): Promise<string[]> {
  // grep ends with 1 when it finds nothing.
  const { exit, stdout, stderr } = await runCommand(step, command, "accept");
  if (exit > 1) throw new Error(`\`${command}\` ended with ${exit}: ${stderr.trim()}`);
  return stdout.split("\n").filter((line) => line !== "");
}

export default workflow({
  name: "migration",
  input: z.object({
    find: z.string().min(1).describe("a command that names the files still to migrate, one a line"),
    how: z.string().min(1).describe("what to do to each file"),
    test: z.string().default("npm test"),
    batch: z.number().int().min(1).max(50).default(5).describe("files in one batch"),
    sideBySide: z.number().int().min(1).max(8).default(3),
    rounds: z.number().int().min(1).max(5).default(2),
    agent: z.string().default("claude-code"),
    usd: z.number().positive().default(3).describe("dollars for each batch"),
  }),
  output: z.object({
    found: z.number(),
    left: Files,
    merged: z.number().describe("batches"),
    evicted: z.array(z.string()).describe("why batches were put out of the queue"),
    notes: z.array(z.string()),
  }),
  render: (ctx) => {
    const { how, test, batch, agent, usd } = ctx.input;
    const round = ctx.iteration("round");
    const files = (round === 0 ? ctx.latest(before) : ctx.history(left)[round - 1]) ?? [];
    const batches = Array.from({ length: Math.ceil(files.length / batch) }, (_, index) => index);
    const branch = (index: number): string => `migration/${ctx.run}/${round}.${index}`;
    const evicted = round === 0 ? [] : (ctx.latest(merges(round - 1))?.evicted ?? []);
    return (
      <Sequence>
        <Task {...before} retries={0} perform={(step) => find(step, ctx.input.find)} />
        <Loop id="round" max={ctx.input.rounds} until={ctx.latest(left)?.length === 0} onExhausted="accept">
          <ForEach items={batches} max={ctx.input.sideBySide}>
            {(index) => (
              <Try catch={<Task id={`skip:${round}.${index}`} output={z.null()} value={null} />}>
                <Worktree
                  id={`tree:${round}.${index}`}
                  branch={branch(index)}
                  land="keep"
                  message="Migrate a batch of files"
                >
                  <Task
                    {...migrate(round, index)}
                    agent={agent}
                    usd={usd}
                    prompt={`Migrate these files of this repository, all of them and no others: ${JSON.stringify(files.slice(index * batch, (index + 1) * batch))}
What to do: ${how}
Keep behaviour as it is. Change a test only where it names what was migrated away. Others migrate other files at the same time, so leave shared
code alone unless these files cannot do without. Run \`${test}\` before you answer. Leave your changes in the files; they are
committed for you.${
                      evicted.length === 0
                        ? ""
                        : `\n\n${quoted("Why an earlier attempt at some of these files was refused", evicted.map(({ why }) => why).join("\n\n"), 8_000)}`
                    }`}
                  />
                </Worktree>
              </Try>
            )}
          </ForEach>
          <MergeQueue
            id={merges(round).id}
            branches={batches.filter((index) => ctx.latest(migrate(round, index)) !== undefined).map(branch)}
            test={{ command: test }}
          />
          <Task {...left} perform={(step) => find(step, ctx.input.find)} />
        </Loop>
      </Sequence>
    );
  },
  result: (ctx) => {
    const rounds = Array.from({ length: ctx.history(left).length }, (_, index) => index);
    const queues = rounds.flatMap((round) => ctx.latest(merges(round)) ?? []);
    const most = ctx.output(before).length;
    const notes = rounds.flatMap((round) =>
      Array.from({ length: most }, (_, index) => ctx.latest(migrate(round, index))?.note ?? ""),
    );
    return {
      found: most,
      left: ctx.output(left),
      merged: queues.flatMap(({ merged }) => merged).length,
      evicted: queues.flatMap((queue) => queue.evicted.map(({ why }) => why)),
      notes: notes.filter((note) => note !== ""),
    };
  },
});
