/**
 * Has a change reviewed by a panel: readers with one lens each, none seeing the others, then a chair who checks what they found.
 *
 *   forgehand workflow run examples/panel-review.tsx --input '{"base":"main","chair":"codex"}'
 *
 * It asks you nothing and changes nothing. What is reviewed is everything that differs from the point where this branch left
 * `base`, uncommitted work too. A reviewer who fails is named as absent; more than half must answer.
 */
import {
  Branch,
  leaf,
  Panel,
  PanelOutput,
  quoted,
  runCommand,
  Sequence,
  shell,
  Task,
  workflow,
} from "forgehand";
import { z } from "zod";

const lenses: Readonly<Record<string, string>> = {
  correctness:
    "Does it do what it means to do? Look for wrong conditions, missed cases, broken callers, races, errors that are swallowed.",
  security:
    "Can somebody abuse it? Look for unchecked input, injection, secrets that leak, rights that grow, paths that escape.",
  upkeep:
    "Can the next person live with it? Look for tests that cannot fail, duplication, dead code, names that lie.",
};
const Finding = z.object({
  file: z.string(),
  line: z.number().int().min(0),
  blocking: z.boolean().describe("the change must not be merged with it"),
  says: z.string().min(1),
});
const Findings = z.object({ findings: z.array(Finding).max(20) });
const change = leaf("change", z.object({ diff: z.string(), files: z.number() }));
const findings = (lens: string) => leaf(`findings:${lens}`, Findings);
/** The same as the panel's leaf is called from outside of it. */
const found = (lens: string) => leaf(`panel/findings:${lens}`, Findings);
const panel = leaf("panel", PanelOutput);
const chair = leaf("chair", Findings.extend({ summary: z.string().min(1) }));

export default workflow({
  name: "panel-review",
  input: z.object({
    base: z
      .string()
      .regex(/^\w[\w./@^~-]*$/u)
      .default("main")
      .describe("what the change is meant for"),
    lenses: z
      .record(z.string().regex(/^\w+$/u), z.string())
      .default(lenses)
      .describe("a name and a question for each reviewer"),
    agent: z.string().default("claude-code").describe("reviews"),
    chair: z
      .string()
      .optional()
      .describe("an agent of another family sees more; the reviewer's own unless said"),
    usd: z.number().positive().default(2).describe("dollars for each reviewer"),
  }),
  output: z.object({
    verdict: z.enum(["approve", "change", "nothing to review"]),
    summary: z.string(),
    findings: z.array(Finding),
    votes: z.record(z.string(), z.string()),
    absent: z.array(z.string()),
  }),
  render: (ctx) => {
    const { base, agent, usd } = ctx.input;
    const judged = ctx.latest(change);
    const diff = quoted(`The change against ${base}`, judged?.diff ?? "", 80_000);
    const all = Object.fromEntries(
      Object.keys(ctx.input.lenses).map((lens) => [lens, ctx.latest(found(lens))?.findings ?? []]),
    );
    return (
      <Sequence>
        <Task
          {...change}
          retries={0}
          perform={async (step) => {
            const { stdout: diff } = await runCommand(
              step,
              shell`git diff --no-ext-diff --merge-base ${base} --`,
            );
            const { stdout: names } = await runCommand(
              step,
              shell`git diff --name-only --merge-base ${base} --`,
            );
            return { diff, files: names.split("\n").length - 1 };
          }}
        />
        <Branch
          if={judged !== undefined && judged.files > 0}
          then={
            <Panel
              id={panel.id}
              members={Object.keys(ctx.input.lenses)}
              ask={({ leaf: vote, member }) => (
                <Sequence>
                  <Task
                    {...findings(member)}
                    agent={agent}
                    access="read"
                    usd={usd}
                    prompt={`Review a change to this repository for one thing alone: ${member}. ${ctx.input.lenses[member] ?? ""}
The repository is as it is with the change; read around the changed lines before you judge them. Report only what this
change brought in and what you could show to its author: the file, the line in the new file, what happens and when. Blocking
is what would hurt somebody once merged. No finding is a good answer.

${diff}`}
                  />
                  <Task
                    {...vote}
                    perform={() => {
                      const blocking = ctx.output(found(member)).findings.filter((one) => one.blocking);
                      return {
                        vote: blocking.length > 0 ? "change" : "approve",
                        why: blocking.map(({ says }) => says).join("\n"),
                      };
                    }}
                  />
                </Sequence>
              )}
            />
          }
        />
        <Branch
          if={ctx.latest(panel) !== undefined}
          then={
            <Task
              {...chair}
              agent={ctx.input.chair ?? agent}
              access="read"
              prompt={`You chair a review. Reviewers who did not see each other have reported findings about the change below. Check
each against the code: drop what is not true or was there before, join what is the same, correct file, line and \`blocking\`. Add
nothing of your own. Then say in at most five sentences what the author should do.

${quoted("The reviewers' findings", JSON.stringify(all, undefined, 1), 40_000)}

${diff}`}
            />
          }
        />
      </Sequence>
    );
  },
  result: (ctx) => {
    const decided = ctx.latest(panel);
    const last = ctx.latest(chair);
    if (decided === undefined || last === undefined)
      return {
        verdict: "nothing to review" as const,
        summary: `nothing differs from ${ctx.input.base}`,
        findings: [],
        votes: {},
        absent: [],
      };
    return {
      verdict: last.findings.some(({ blocking }) => blocking) ? ("change" as const) : ("approve" as const),
      summary: last.summary,
      findings: last.findings,
      votes: Object.fromEntries(decided.votes.map(({ member, vote }) => [member, vote])),
      absent: decided.absent,
    };
  },
});
