/**
 * Runs a test many times, and when it fails only sometimes, has an agent find and mend the reason until it holds.
 *
 *   forgehand workflow run examples/flake-hunter.tsx --input '{"test":"npx vitest run test/queue.test.ts","times":30}'
 *
 * It asks you nothing. A test that always fails is called broken and left alone. Each run of the test is a task: a hunt
 * that is interrupted at run 23 goes on at run 23. Ends with 10 when it still flickers after all rounds.
 */
import {
  Branch,
  ForEach,
  leaf,
  Loop,
  quoted,
  Sequence,
  ShellOutput,
  Task,
  workflow,
  type Step,
} from "forgehand";
import { z } from "zod";

const before = (n: number) => leaf(`before:${n}`, ShellOutput);
const again = (n: number) => leaf(`again:${n}`, ShellOutput);
const mend = leaf(
  "mend",
  z.object({
    cause: z.string().min(1).describe("the race, order, clock, leak or chance behind it, with file and line"),
    change: z.string().min(1),
    files: z.array(z.string()),
  }),
);

/** One run of the test. One that hangs has failed, with the exit code that `timeout` would give it. */
async function runTest(step: Step, command: string, timeoutMs: number): Promise<ShellOutput> {
  const { folder, host, run, signal } = step;
  const ended = await host.shell({ command, folder, run, timeoutMs }, signal);
  signal.throwIfAborted();
  const exit = ended.timedOut ? 124 : (ended.exit ?? 128);
  return { exit, stdout: host.redact(ended.stdout), stderr: host.redact(ended.stderr) };
}

export default workflow({
  name: "flake-hunter",
  input: z.object({
    test: z.string().min(1).describe("a command that exits with 0 when the test passes"),
    times: z.number().int().min(2).max(200).default(20),
    sideBySide: z.number().int().min(1).max(16).default(1).describe("runs of the test at once"),
    timeoutMs: z.number().int().positive().default(300_000).describe("of one run of the test"),
    rounds: z.number().int().min(1).max(10).default(3),
    agent: z.string().default("claude-code"),
  }),
  output: z.object({
    verdict: z.enum(["steady", "mended", "broken"]),
    failed: z.number().describe("of the first runs"),
    of: z.number(),
    cause: z.string().optional(),
    files: z.array(z.string()),
  }),
  render: (ctx) => {
    const { test, times, sideBySide, timeoutMs, rounds, agent } = ctx.input;
    const runs = Array.from({ length: times }, (_, index) => index + 1);
    const failures = (named: typeof before): readonly ShellOutput[] =>
      runs.flatMap((n) => ctx.latest(named(n)) ?? []).filter(({ exit }) => exit !== 0);
    const first = failures(before);
    const newest = ctx.iteration("round") === 0 ? first : failures(again);
    const hunt = (named: typeof before) => (
      <ForEach items={runs} max={sideBySide}>
        {(n) => <Task {...named(n)} perform={(step) => runTest(step, test, timeoutMs)} />}
      </ForEach>
    );
    return (
      <Sequence>
        {hunt(before)}
        <Branch
          if={first.length > 0 && first.length < times}
          then={
            <Loop id="round" max={rounds} until={failures(again).length === 0}>
              <Task
                {...mend}
                agent={agent}
                continues={mend}
                prompt={`The test \`${test}\` is flaky: ${newest.length} of ${times} runs failed, on the same code.
Find out why before you change anything: time, order, shared state, ports, random numbers, unawaited work. Then mend the
cause, in the code when the code is wrong and in the test when the test is. Do not retry, skip, sleep, widen a limit or weaken
an assertion. Run the test several times yourself before you answer.

${[...new Set(newest.map(({ stdout, stderr }) => `${stdout}\n${stderr}`))]
  .slice(0, 3)
  .map((text, index) => quoted(`Output of failure ${index + 1}`, text, 6_000))
  .join("\n\n")}`}
              />
              {hunt(again)}
            </Loop>
          }
        />
      </Sequence>
    );
  },
  result: (ctx) => {
    const { times } = ctx.input;
    const firsts = Array.from({ length: times }, (_, index) => ctx.output(before(index + 1)));
    const failed = firsts.filter(({ exit }) => exit !== 0).length;
    const mended = ctx.latest(mend);
    return {
      verdict: failed === 0 ? "steady" : failed === times ? "broken" : "mended",
      failed,
      of: times,
      ...(mended && { cause: mended.cause }),
      files: [...new Set(ctx.history(mend).flatMap(({ files }) => files))].toSorted(),
    } as const;
  },
});
