/**
 * Finds the commit that broke a command, by halves, in a worktree of its own, and has an agent explain it.
 *
 *   forgehand workflow run examples/bisect.tsx --input '{"good":"v1.3.0","test":"npm ci --silent && npm test"}'
 *
 * It asks you nothing and leaves your checkout alone. The command exits with 0 for good, 125 for a commit that cannot be
 * judged, anything else for bad. Every verdict is kept: an interrupted search goes on at the next half. Where commits could
 * not be judged, all that may be guilty are named.
 */
import { join } from "node:path";
import {
  Branch,
  leaf,
  Loop,
  quoted,
  runCommand,
  Sequence,
  shell,
  Task,
  Try,
  workflow,
  type Step,
} from "forgehand";
import { z } from "zod";

const revision = z.string().regex(/^[\w@][\w@{}./^~-]*$/u, "is no revision");
const Probe = z.object({ commit: z.string(), verdict: z.enum(["good", "bad", "skip"]), wrote: z.string() });
type Probe = z.infer<typeof Probe>;
const range = leaf("range", z.object({ good: z.string(), commits: z.array(z.string()).min(1) }));
const probe = leaf("probe", Probe);
const suspect = leaf(
  "suspect",
  z.object({ commit: z.string(), subject: z.string(), author: z.string(), shown: z.string() }),
);
const explain = leaf("explain", z.object({ why: z.string().min(1), mend: z.string().min(1) }));

/** The commits that may be guilty as far as is known, oldest first, and which of them to judge next. */
function search(
  commits: readonly string[],
  probes: readonly Probe[],
): { suspects: readonly string[]; next: string | undefined } {
  const places = (verdict: Probe["verdict"]): readonly number[] =>
    probes.filter((one) => one.verdict === verdict).map(({ commit }) => commits.indexOf(commit));
  const first = Math.max(-1, ...places("good")) + 1;
  const last = Math.min(commits.length - 1, ...places("bad"));
  const skipped = new Set(places("skip"));
  const middle = (first + last - 1) / 2;
  const open = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index)
    .filter((place) => !skipped.has(place))
    .toSorted((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  const next = open[0];
  return { suspects: commits.slice(first, last + 1), next: next === undefined ? undefined : commits[next] };
}

const treeOf = ({ folder, run }: Step): string => join(folder, ".forgehand", `bisect-${run}`);

/** Judges a commit in the worktree, which is made when it is not there. */
async function judge(step: Step, commit: string, test: string): Promise<Probe> {
  const tree = treeOf(step);
  await runCommand(
    step,
    shell`git worktree prune && { test -e ${`${tree}/.git`} || git worktree add -q --detach ${tree} ${commit}; } && git -C ${tree} checkout -q --force --detach ${commit}`,
  );
  const { exit, stdout, stderr } = await runCommand(step, `${shell`cd ${tree}`} && { ${test}\n}`, "accept");
  const wrote = `${stdout}\n${stderr}`.trim().slice(-4_000);
  return { commit, verdict: exit === 0 ? "good" : exit === 125 ? "skip" : "bad", wrote };
}

/** The commits between the two ends, oldest first, once the ends are as they were said to be. */
async function ends(
  step: Step,
  input: { readonly good: string; readonly bad: string; readonly test: string },
): Promise<z.infer<typeof range.output>> {
  const named = `${input.good}^{commit}`;
  const { stdout } = await runCommand(step, shell`git rev-parse --verify --end-of-options ${named}`);
  const good = stdout.trim();
  const listed = await runCommand(
    step,
    shell`git rev-list --reverse --first-parent ${`${good}..${input.bad}`} --`,
  );
  const commits = listed.stdout.split("\n").filter((line) => line !== "");
  if (commits.length === 0) throw new Error(`${input.bad} has no commit that ${input.good} lacks`);
  for (const [wanted, commit] of [
    ["good", good],
    ["bad", commits.at(-1) ?? ""],
  ] as const) {
    const { verdict, wrote } = await judge(step, commit, input.test);
    if (verdict === wanted) continue;
    throw new Error(
      `${input[wanted]} was said to be ${wanted}, and \`${input.test}\` finds it ${verdict}:\n${wrote}`,
    );
  }
  return { good, commits };
}

export default workflow({
  name: "bisect",
  input: z.object({
    good: revision.describe("a commit where the command still worked"),
    bad: revision.default("HEAD").describe("a commit where it does not"),
    test: z.string().min(1).describe("a command; 0 is good, 125 cannot be judged, anything else is bad"),
    explain: z.boolean().default(true).describe("has an agent say why the commit broke it"),
    agent: z.string().default("claude-code"),
  }),
  output: z.object({
    guilty: z.string().optional().describe("where exactly one commit is left"),
    subject: z.string().optional(),
    author: z.string().optional(),
    suspects: z.array(z.string()),
    judged: z.number(),
    why: z.string().optional(),
    mend: z.string().optional(),
  }),
  render: (ctx) => {
    const { test } = ctx.input;
    const { commits = [] } = ctx.latest(range) ?? {};
    const { suspects, next } = search(commits, ctx.history(probe));
    const told = ctx.latest(suspect);
    const failure = ctx.history(probe).findLast(({ verdict }) => verdict === "bad");
    return (
      <Try
        finally={
          <Task
            id="tidy"
            output={z.null()}
            perform={async (step) => (
              await runCommand(step, shell`git worktree remove --force ${treeOf(step)}`, "accept"),
              null
            )}
          />
        }
      >
        <Sequence>
          <Task {...range} retries={0} perform={(step) => ends(step, ctx.input)} />
          <Branch
            if={commits.length > 1}
            then={
              <Loop id="halves" max={Math.max(1, commits.length)} until={next === undefined}>
                <Task {...probe} perform={(step) => judge(step, next ?? "", test)} />
              </Loop>
            }
          />
          <Branch
            if={commits.length > 0 && next === undefined && suspects.length === 1}
            then={
              <Task
                {...suspect}
                perform={async (step) => {
                  const commit = suspects[0] ?? "";
                  const { stdout: subject } = await runCommand(
                    step,
                    shell`git log -1 --format=%s ${commit} --`,
                  );
                  const { stdout: author } = await runCommand(
                    step,
                    shell`git log -1 --format=%an ${commit} --`,
                  );
                  const { stdout: shown } = await runCommand(
                    step,
                    shell`git show --stat --patch ${commit} --`,
                  );
                  return {
                    commit,
                    subject: subject.trim(),
                    author: author.trim(),
                    shown: shown.slice(0, 40_000),
                  };
                }}
              />
            }
          />
          <Branch
            if={told !== undefined && ctx.input.explain}
            then={
              <Task
                {...explain}
                agent={ctx.input.agent}
                access="read"
                prompt={`Since commit ${told?.commit ?? ""} the command \`${test}\` fails; with the commit before it, it works.
Say in \`why\` by what in this commit it fails, step by step and with file and line; in \`mend\` what the smallest right change
to the newest code would be. Read the code as it is now before you answer. Where the commit only uncovered an older fault, say so.

${quoted("The commit", told?.shown ?? "", 40_000)}

${quoted("The end of what the command wrote", failure?.wrote ?? "", 4_000)}`}
              />
            }
          />
        </Sequence>
      </Try>
    );
  },
  result: (ctx) => {
    const { suspects } = search(ctx.output(range).commits, ctx.history(probe));
    const told = ctx.latest(suspect);
    return {
      ...(told && { guilty: told.commit, subject: told.subject, author: told.author }),
      suspects: [...suspects],
      judged: ctx.history(probe).length,
      ...ctx.latest(explain),
    };
  },
});
