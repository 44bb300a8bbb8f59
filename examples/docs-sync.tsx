/**
 * Finds documents that name files which have changed since the document did, and has an agent bring each up to date.
 *
 *   forgehand workflow run examples/docs-sync.tsx --input '{"docs":["README.md","docs"]}'
 *
 * It asks you nothing and commits nothing: look at `git diff` afterwards. A document is stale when a tracked file whose path
 * it mentions has newer commits. Only documents may change; anything else that did fails the run and is named.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { posix } from "node:path";
import { ForEach, leaf, quoted, runCommand, Sequence, shell, Task, workflow, type Step } from "forgehand";
import { z } from "zod";

const Stale = z.object({ doc: z.string(), since: z.string(), files: z.array(z.string()), log: z.string() });
const stale = leaf(
  "stale",
  z.object({ looked: z.number(), docs: z.array(Stale), dirty: z.array(z.string()) }),
);
const Update = z.object({ changed: z.boolean(), why: z.string().min(1) });
const update = (doc: string) => leaf(`update:${doc}`, Update);

const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
const git = async (step: Step, command: string): Promise<readonly string[]> =>
  linesOf((await runCommand(step, command)).stdout);
const dirtyFiles = async (step: Step): Promise<readonly string[]> =>
  (await git(step, "git -c core.quotePath=off status --porcelain -uall")).map((line) => line.slice(3));

/** Tracked files whose path stands in the text, from the top of the repository or from the document's folder. */
function mentioned(doc: string, text: string, tracked: ReadonlySet<string>): readonly string[] {
  const words = text.match(/[\w./@-]*[\w-]\.\w+/gu) ?? [];
  const paths = words.flatMap((word) => [posix.normalize(word), posix.join(dirname(doc), word)]);
  return [...new Set(paths)].filter((path) => path !== doc && tracked.has(path)).toSorted();
}

async function findStale(
  step: Step,
  docs: readonly string[],
  atMost: number,
): Promise<z.infer<typeof stale.output>> {
  const tracked = new Set(await git(step, "git -c core.quotePath=off ls-files"));
  const all = (await git(step, shell`git -c core.quotePath=off ls-files -- ${docs}`)).filter((path) =>
    /\.(md|mdx|rst|txt|adoc)$/u.test(path),
  );
  if (all.length === 0) throw new Error(`no document is tracked under ${docs.join(", ")}`);
  const found: z.infer<typeof Stale>[] = [];
  for (const doc of all) {
    const files = mentioned(doc, readFileSync(join(step.folder, doc), "utf8"), tracked).filter(
      (path) => !all.includes(path),
    );
    const [since] = await git(step, shell`git log -1 --format=%H -- ${doc}`);
    if (files.length === 0 || since === undefined) continue;
    const { stdout } = await runCommand(
      step,
      shell`git log --format=%h%x20%s --name-only ${`${since}..HEAD`} -- ${files}`,
    );
    const newer = new Set(linesOf(stdout));
    const changed = files.filter((path) => newer.has(path));
    if (changed.length > 0) found.push({ doc, since, files: changed, log: stdout });
  }
  return { looked: all.length, docs: found.slice(0, atMost), dirty: [...(await dirtyFiles(step))] };
}

export default workflow({
  name: "docs-sync",
  input: z.object({
    docs: z
      .array(z.string().regex(/^[^:-]/u))
      .min(1)
      .default(["README.md", "docs"])
      .describe("files or folders"),
    atMost: z.number().int().min(1).max(100).default(20).describe("documents brought up to date in one run"),
    agent: z.string().default("claude-code"),
    usd: z.number().positive().default(2).describe("dollars for each document"),
  }),
  output: z.object({
    looked: z.number(),
    stale: z.array(
      z.object({ doc: z.string(), files: z.array(z.string()), changed: z.boolean(), why: z.string() }),
    ),
  }),
  render: (ctx) => {
    const found = ctx.latest(stale);
    return (
      <Sequence>
        <Task {...stale} retries={0} perform={(step) => findStale(step, ctx.input.docs, ctx.input.atMost)} />
        <ForEach items={found?.docs ?? []} max={1}>
          {({ doc, since, files, log }) => (
            <Task
              {...update(doc)}
              agent={ctx.input.agent}
              usd={ctx.input.usd}
              prompt={`The document ${JSON.stringify(doc)} mentions files that have changed since it was last edited: ${JSON.stringify(files)}.
Look at what changed (\`git diff ${since}..HEAD -- FILE\`) and at the files as they are. Then correct every sentence, name,
option, path and example of the document that is no longer true. Keep its tone, order and length; add nothing that it never
covered. Often nothing has to change: then say so. Change no other file.

${quoted("The commits since", log, 8_000)}`}
            />
          )}
        </ForEach>
        <Task
          id="only-docs"
          output={z.null()}
          retries={0}
          perform={async (step) => {
            const may = new Set([...(found?.dirty ?? []), ...(found?.docs ?? []).map(({ doc }) => doc)]);
            const strays = (await dirtyFiles(step)).filter((path) => !may.has(path));
            if (strays.length > 0)
              throw new Error(
                `besides documents these files changed: ${strays.join(", ")}; see \`git diff\``,
              );
            return null;
          }}
        />
      </Sequence>
    );
  },
  result: (ctx) => ({
    looked: ctx.output(stale).looked,
    stale: ctx.output(stale).docs.map(({ doc, files }) => ({ doc, files, ...ctx.output(update(doc)) })),
  }),
});
