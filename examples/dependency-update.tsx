/**
 * Updates outdated packages one by one: each that passes the tests becomes a commit, each that cannot is taken back.
 *
 *   forgehand workflow run examples/dependency-update.tsx --input '{"to":"latest","test":"npm test"}'
 *
 * It asks you nothing; run it on a branch, in a checkout without changes of your own. Where the tests fail after an update an
 * agent adapts the code, `rounds` times at most. Another package manager: give its commands; `outdated` writes
 * `{ "name": { "current": "1.0.0", "wanted": "1.1.0", "latest": "2.0.0" } }` and may exit with any code.
 */
import {
  ForEach,
  leaf,
  Loop,
  quoted,
  runCommand,
  Sequence,
  shell,
  ShellOutput,
  Task,
  Try,
  workflow,
} from "forgehand";
import { z } from "zod";

const Entry = z.object({ current: z.string().optional(), wanted: z.string(), latest: z.string() });
const Report = z.record(z.string(), z.union([Entry, z.array(Entry).min(1)]));
/** Both go into a command. */
const Package = z.object({
  name: z.string().regex(/^(@[\w.-]+\/)?[\w][\w.-]*$/u),
  from: z.string(),
  version: z.string().regex(/^\d[\w.+-]*$/u),
});
const outdated = leaf("outdated", z.array(Package));
const update = (name: string) => leaf(`update:${name}`, ShellOutput);
const test = (name: string) => leaf(`test:${name}`, ShellOutput);
const adapt = (name: string) =>
  leaf(`adapt:${name}`, z.object({ files: z.array(z.string()), why: z.string() }));
const commit = (name: string) => leaf(`commit:${name}`, ShellOutput);
const restored = (name: string) => leaf(`restore:${name}`, ShellOutput);

export default workflow({
  name: "dependency-update",
  input: z.object({
    outdated: z.string().default("npm outdated --json"),
    to: z
      .enum(["wanted", "latest"])
      .default("wanted")
      .describe("within the range that is declared, or beyond"),
    update: z.string().default("npm install {name}@{version}"),
    install: z
      .string()
      .default("npm install")
      .describe("brings back what was installed after an update was taken back"),
    test: z.string().default("npm test"),
    skip: z.array(z.string()).default([]),
    atMost: z.number().int().min(1).max(50).default(10),
    rounds: z
      .number()
      .int()
      .min(0)
      .max(5)
      .default(2)
      .describe("times an agent may adapt the code to one package"),
    agent: z.string().default("claude-code"),
    usd: z.number().positive().default(3).describe("dollars for each round"),
  }),
  output: z.object({
    updated: z.array(
      z.object({ name: z.string(), from: z.string(), to: z.string(), adapted: z.array(z.string()) }),
    ),
    left: z.array(z.object({ name: z.string(), why: z.string() })),
  }),
  render: (ctx) => {
    const { to, skip, atMost, agent, usd, rounds } = ctx.input;
    return (
      <Sequence>
        <Task
          {...outdated}
          retries={0}
          perform={async (step) => {
            const { stdout: dirty } = await runCommand(step, "git status --porcelain");
            if (dirty !== "") throw new Error(`commit or remove these changes first:\n${dirty}`);
            const { stdout } = await runCommand(step, ctx.input.outdated, "accept");
            const report = Report.parse(JSON.parse(stdout.trim() === "" ? "{}" : stdout));
            return Object.entries(report)
              .map(([name, found]) => ({ name, ...(Array.isArray(found) ? found[0] : found) }))
              .map(({ name, current = "nothing", [to]: version = "" }) => ({ name, from: current, version }))
              .filter(({ name, from, version }) => version !== from && !skip.includes(name))
              .slice(0, atMost);
          }}
        />
        <ForEach items={ctx.latest(outdated) ?? []} max={1}>
          {({ name, from, version }) => (
            <Try
              catch={
                <Task
                  {...restored(name)}
                  command={`git reset -q --hard && git clean -fdq -e .forgehand && ${ctx.input.install}`}
                />
              }
            >
              <Task
                {...update(name)}
                writes
                command={ctx.input.update.replaceAll("{name}", name).replaceAll("{version}", version)}
              />
              <Loop id={`green:${name}`} max={rounds + 1} until={ctx.latest(test(name))?.exit === 0}>
                {ctx.iteration(`green:${name}`) > 0 && (
                  <Task
                    {...adapt(name)}
                    agent={agent}
                    usd={usd}
                    continues={adapt(name)}
                    prompt={`The package ${name} was updated from ${from} to ${version}, and now \`${ctx.input.test}\` fails. The update is not committed.
Find out what the package changed (its changelog, types and code are installed) and adapt this repository's code to it, as
the package's authors mean it. Do not pin, patch or replace the package, add no compatibility layer, and skip or weaken
no test. Where the new version is faulty itself, change nothing and say so in \`why\`.

${quoted("What the tests wrote", `${ctx.latest(test(name))?.stdout ?? ""}\n${ctx.latest(test(name))?.stderr ?? ""}`, 12_000)}`}
                  />
                )}
                <Task {...test(name)} command={ctx.input.test} onExit="accept" />
              </Loop>
              <Task
                {...commit(name)}
                effect={`commits the update of ${name}`}
                command={shell`git add -A && { git diff --cached --quiet || git commit -q -m ${`Update ${name} from ${from} to ${version}`}; }`}
              />
            </Try>
          )}
        </ForEach>
      </Sequence>
    );
  },
  result: (ctx) => {
    const all = ctx.output(outdated);
    const whyLeft = (name: string): string => {
      const tested = ctx.latest(test(name));
      if (tested === undefined) return "it could not be installed";
      return (
        ctx.latest(adapt(name))?.why ??
        `the tests fail:\n${`${tested.stdout}\n${tested.stderr}`.trim().slice(-1_000)}`
      );
    };
    return {
      updated: all
        .filter(({ name }) => ctx.latest(commit(name)) !== undefined)
        .map(({ name, from, version }) => ({
          name,
          from,
          to: version,
          adapted: ctx.latest(adapt(name))?.files ?? [],
        })),
      left: all
        .filter(({ name }) => ctx.latest(commit(name)) === undefined)
        .map(({ name }) => ({ name, why: whyLeft(name) })),
    };
  },
});
