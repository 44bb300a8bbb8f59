/** The command line of durable workflows, on the compiled program and a file as a user writes it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { run, start } from "./run.ts";

const release = fileURLToPath(new URL("../fixtures/workflows/release.tsx", import.meta.url));
let folders: string[] = [];
afterEach(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders = [];
});
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "workflow-"));
  folders.push(made);
  return made;
};
const input = (more: object = {}): string => JSON.stringify({ journal: "journal", ...more });
const journal = (dir: string): readonly string[] =>
  existsSync(join(dir, "journal")) ? readFileSync(join(dir, "journal"), "utf8").trim().split("\n") : [];
const workflow = (dir: string, ...argv: readonly string[]) => run(["workflow", ...argv], {}, dir);
const dataOf = (out: string): Record<string, unknown> =>
  (JSON.parse(out) as { data: Record<string, unknown> }).data;

test("a run waits for a person with exit code 3 and the line to type, and goes on after it", async () => {
  const dir = folder();
  const first = await workflow(dir, "run", release, "--run", "r1", "--input", input());
  expect(first).toMatchObject({ code: 3, out: "r1 is waiting\ngo: Publish it?\n" });
  expect(first.err).toContain("forgehand approve r1 go");
  expect(journal(dir)).toEqual(["test 0", "test 1", "notes"]);
  expect(await workflow(dir, "approve", "latest", "--note", "fine")).toMatchObject({ code: 0 });
  const second = await workflow(dir, "resume", "r1");
  expect(second.code).toBe(0);
  expect(JSON.parse(second.out)).toEqual({ notes: "It is better now.", tries: 2 });
  expect(journal(dir)).toEqual(["test 0", "test 1", "notes", "publish"]);
  const shown = dataOf((await workflow(dir, "inspect", "r1", "--json")).out);
  expect(shown["run"]).toMatchObject({ status: "finished", outcome: "met" });
  const answer = (shown["attempts"] as { leaf: string; output: unknown }[]).find(({ leaf }) => leaf === "go");
  expect(answer?.output).toMatchObject({ decision: "approved", note: "fine" });
});

test("an exhausted loop ends with 10 and says which", async () => {
  const dir = folder();
  const { code, out } = await workflow(dir, "run", release, "--run", "r1", "--input", input({ tries: 1 }));
  expect(code).toBe(10);
  expect(out).toContain(
    'r1 is failed, not met: loop "until-green" did not meet its condition in 1 iterations',
  );
});

test("a run that was killed goes on where it was, and no finished task runs again", async () => {
  const dir = folder();
  const file = join(dir, "slow.tsx");
  writeFileSync(
    file,
    `import { appendFileSync } from "node:fs";
import { Sequence, Task, workflow } from "forgehand";
import { z } from "zod";
const write = (line: string): null => (appendFileSync("journal", line + "\\n"), null);
export default workflow({
  name: "slow", input: z.object({}), output: z.string(), result: () => "done",
  render: () => (
    <Sequence>
      <Task id="first" output={z.null()} perform={() => write("first")} />
      <Task id="second" output={z.null()} perform={async (step) => {
        write("second " + step.attempt);
        console.error("second is at work");
        if (step.attempt === 1) await new Promise((wake) => setTimeout(wake, 60_000));
        return null;
      }} />
    </Sequence>
  ),
});
`,
  );
  const running = start(["workflow", "run", file, "--run", "r1"], {}, dir);
  await running.said("second is at work");
  running.process.kill("SIGKILL");
  await running.ended;
  expect(dataOf((await workflow(dir, "inspect", "r1", "--json")).out)["run"]).toMatchObject({
    status: "running",
  });
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 0, out: '"done"\n' });
  expect(journal(dir)).toEqual(["first", "second 1", "second 2"]);
});

test("a run that another process carries on is followed, not taken from it", async () => {
  const dir = folder();
  const file = join(dir, "waits.tsx");
  writeFileSync(
    file,
    `import { Task, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "waits", input: z.object({}), output: z.null(), result: () => null,
  render: () => <Task id="long" output={z.null()} perform={(step) => new Promise((_, fail) => step.signal.addEventListener("abort", () => fail(new Error("stopped"))))} />,
});
`,
  );
  const running = start(["workflow", "run", file, "--run", "r1"], {}, dir);
  await running.said("▸ long");
  const other = start(["workflow", "resume", "r1"], {}, dir);
  await other.said(`r1 is carried on by process ${running.process.pid}`);
  await other.said("▸ long");
  expect(await workflow(dir, "cancel", "r1")).toMatchObject({ code: 0, out: "r1 is cancelled\n" });
  expect(await running.ended).toMatchObject({ code: 2, out: "r1 is cancelled\n" });
  expect(await other.ended).toMatchObject({ code: 2, out: "r1 is cancelled\n" });
});

test("check shows the tree a workflow begins with, without a database", async () => {
  const dir = folder();
  const { code, out } = await workflow(dir, "check", release, "--input", input());
  expect(code).toBe(0);
  expect(out).toBe(
    "release\nsequence\n  loop until-green, at most 3\n    task test\n  task notes\n  approval go\n  task publish\n",
  );
  expect(existsSync(join(dir, ".forgehand"))).toBe(false);
});

test.each([
  ["a file that is not there", ["run", "nothing.tsx"], 5, "there is no file"],
  ["a file that is no TypeScript", ["run", "broken.tsx"], 4, "cannot be loaded"],
  ["a file without a workflow", ["run", "empty.tsx"], 4, "has no workflow as its default export"],
  ["an input that is no JSON", ["run", release, "--input", "{"], 4, "--input is no JSON"],
  ["an input that does not fit", ["run", release], 4, 'the input does not fit workflow "release": journal'],
  ["a name that cannot be one", ["run", release, "--run", "a b", "--input", input()], 4, "cannot name a run"],
  ["two nodes of one name", ["check", "twins.tsx"], 4, 'two nodes are called "a"'],
  ["a run before any has run", ["inspect", "r1"], 5, "no workflow has run here"],
])("%s is refused with what to do", async (_what, argv, code, words) => {
  const dir = folder();
  writeFileSync(join(dir, "broken.tsx"), "export default {");
  writeFileSync(join(dir, "empty.tsx"), "export const nothing = 1;\n");
  writeFileSync(
    join(dir, "twins.tsx"),
    `import { Sequence, Signal, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "twins", input: z.object({}), output: z.null(), result: () => null,
  render: () => <Sequence><Signal id="a" output={z.null()} /><Signal id="a" output={z.null()} /></Sequence>,
});
`,
  );
  const refused = await workflow(dir, ...argv);
  expect(refused.err).toContain(words);
  expect(refused.code).toBe(code);
});

test("unknown and ambiguous runs, answers that do not fit and answers nobody waits for are refused", async () => {
  const dir = folder();
  for (const name of ["r1", "r2"]) await workflow(dir, "run", release, "--run", name, "--input", input());
  expect(await workflow(dir, "run", release, "--run", "r1", "--input", input())).toMatchObject({ code: 4 });
  expect(await workflow(dir, "inspect", "x")).toMatchObject({ code: 5 });
  const ambiguous = await workflow(dir, "inspect", "r");
  expect(ambiguous.code).toBe(4);
  expect(ambiguous.err).toMatch(/"r" may be r[12] or r[12]: give more of it/);
  const unfit = await workflow(dir, "answer", "r1", "go", '{"decision":"perhaps"}');
  expect(unfit.code).toBe(4);
  expect(unfit.err).toContain('the answer to "go" does not fit: decision');
  expect(await workflow(dir, "answer", "r1", "nowhere", "{}")).toMatchObject({ code: 5 });
  expect(await workflow(dir, "cancel", "r1")).toMatchObject({ code: 0 });
  expect(await workflow(dir, "approve", "r1")).toMatchObject({ code: 5 });
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 2 });
});
