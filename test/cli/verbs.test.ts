/** Verbs that take a name and find out what it names. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fillDatabase, type Filled } from "./filled.ts";
import { run } from "./run.ts";

const release = fileURLToPath(new URL("../fixtures/workflows/release.tsx", import.meta.url));
let filled: Filled;
let dir: string;
const forgehand = (...argv: string[]) => run(argv, { FORGEHAND_DATABASE: filled.database }, dir);
const workflow = (name: string, more: object = {}) =>
  forgehand(
    "workflow",
    "run",
    release,
    "--run",
    name,
    "--input",
    JSON.stringify({ journal: "journal", ...more }),
  );
const dataOf = (out: string): Record<string, unknown> =>
  (JSON.parse(out) as { data: Record<string, unknown> }).data;

beforeAll(async () => {
  filled = await fillDatabase();
  dir = mkdtempSync(join(tmpdir(), "verbs-"));
  for (const name of ["alpha-1", "alpha-2", "beta"]) await workflow(name);
});
afterAll(() => {
  filled.close();
  rmSync(dir, { recursive: true, force: true });
});

test("one verb serves tickets and runs alike", async () => {
  expect((await forgehand("why", "6")).out).toContain("acme/web#6");
  expect((await forgehand("inspect", "acme/web#6")).out).toContain("acme/web#6");
  const { code, out } = await forgehand("why", "beta");
  expect(code).toBe(3);
  expect(out).toMatch(/go waits for .* for an answer: Publish it\?/u);
  expect(out).toContain("You can: forgehand approve beta go");
  expect((await forgehand("inspect", "bet")).out).toContain("notes");
});

test("a name that may be several ends with 4 and all of them, one that is nothing with 5", async () => {
  const { code, err } = await forgehand("why", "alpha");
  expect(code).toBe(4);
  expect(err).toMatch(/"alpha" may be run alpha-[12] or run alpha-[12]: give more of it/u);
  expect(await forgehand("why", "gamma")).toMatchObject({ code: 5 });
  expect(await forgehand("why", "4711")).toMatchObject({ code: 5 });
});

test("one task of a run is shown with what it gave in full", async () => {
  const { out } = await forgehand("inspect", "beta", "--task", "test");
  expect(out).toContain('test@1 #1\n{\n  "green": true\n}');
  expect(out).not.toContain("notes");
  const none = await forgehand("inspect", "beta", "--task", "nothing");
  expect(none).toMatchObject({ code: 5 });
  expect(none.err).toContain("what has: test, notes, go");
});

test("a ticket is no run, and a run has no pull request to object to", async () => {
  expect((await forgehand("resume", "6")).err).toContain("acme/web#6 is a ticket");
  const denied = await forgehand("deny", "6");
  expect(denied.code).toBe(4);
  expect(denied.err).toContain("forgehand reject");
});

test("what waits is named by run and leaf, approved, and the run resumed", async () => {
  expect(await forgehand("approve", "alpha-2:go", "--note", "fine")).toMatchObject({
    code: 0,
    out: "go of alpha-2 is answered\n",
  });
  expect(await forgehand("resume", "alpha-2")).toMatchObject({ code: 0 });
  expect(await forgehand("cancel", "alpha-1")).toMatchObject({ code: 0 });
  expect((await forgehand("why", "alpha-1")).out).toContain("cancelled");
});

test("a failed run goes on with the task that failed, and keeps what had finished", async () => {
  const file = join(dir, "fails.tsx");
  writeFileSync(
    file,
    `import { existsSync, appendFileSync } from "node:fs";
import { Sequence, Task, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "fails", input: z.object({}), output: z.null(), result: () => null,
  render: () => (
    <Sequence>
      <Task id="first" output={z.null()} perform={() => (appendFileSync("first", "x"), null)} />
      <Task id="second" output={z.null()} retries={0} perform={() => { if (!existsSync("ok")) throw new Error("it is not ok"); return null; }} />
    </Sequence>
  ),
});
`,
  );
  expect(await forgehand("workflow", "run", file, "--run", "f")).toMatchObject({ code: 1 });
  const told = await forgehand("why", "f");
  expect(told.out).toContain('task "second" failed: it is not ok');
  expect(told.out).toContain("You can: forgehand retry f");
  expect((await forgehand("retry", "f", "first")).code).toBe(4);
  writeFileSync(join(dir, "ok"), "");
  expect(await forgehand("retry", "f")).toMatchObject({ code: 0, out: "second of f is tried again\n" });
  expect(await forgehand("resume", "f")).toMatchObject({ code: 0 });
  const { attempts } = dataOf((await forgehand("inspect", "f", "--json")).out);
  expect(attempts).toMatchObject([{ leaf: "first" }, { leaf: "second", status: "finished", attempt: 1 }]);
});

test("who was not asked may not answer, and signs with no other name than their own", async () => {
  const file = join(dir, "asks.tsx");
  writeFileSync(
    file,
    `import { Choose, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "asks", input: z.object({}), output: z.null(), result: () => null,
  render: () => <Choose id="which" ask="Which?" options={["a", "b"]} who={["grace-h"]} />,
});
`,
  );
  await forgehand("workflow", "run", file, "--run", "asks");
  const { code, err } = await forgehand("answer", "asks", "which", '{"choice":"a","by":"grace-h"}');
  expect(code).toBe(6);
  expect(err).toContain("only grace-h may answer");
  expect((await forgehand("why", "asks")).out).toContain("which waits");
});

test("an exhausted loop has no task to retry, and says what to do instead", async () => {
  expect(await workflow("spent", { tries: 1 })).toMatchObject({ code: 10 });
  const { code, err } = await forgehand("retry", "spent");
  expect(code).toBe(4);
  expect(err).toContain("forgehand rewind spent --frame N");
});

test("`ps` shows tickets and the runs of this folder", async () => {
  const { out } = await forgehand("ps");
  expect(out).toContain("acme/web#6");
  expect(out).toContain("beta");
  const data = dataOf((await forgehand("ps", "--json")).out);
  expect((data["tickets"] as unknown[]).length).toBeGreaterThan(3);
  expect(data["runs"]).toEqual(expect.arrayContaining([expect.objectContaining({ id: "beta" })]));
});

test("`workflow ls` lists the files of a folder, sound and broken", async () => {
  const folder = join(dir, "flows");
  const { mkdirSync, copyFileSync } = await import("node:fs");
  mkdirSync(folder);
  copyFileSync(release, join(folder, "release.tsx"));
  writeFileSync(join(folder, "broken.tsx"), "export default {");
  const { code, out } = await forgehand("workflow", "ls", folder);
  expect(code).toBe(0);
  expect(out).toMatch(/release.*journal/u);
  expect(out).toMatch(/broken\.tsx.*cannot be loaded/u);
});

test("`workflow graph` draws the tree for Mermaid", async () => {
  const { code, out } = await forgehand("workflow", "graph", release, "--input", '{"journal":"j"}');
  expect(code).toBe(0);
  expect(out).toMatchSnapshot();
});

test.each(["bash", "zsh", "fish"])("completion for %s names every verb", async (shell) => {
  const { code, out } = await forgehand("completion", shell);
  expect(code).toBe(0);
  for (const verb of ["why", "approve", "workflow", "doctor"]) expect(out).toContain(verb);
});
test("completion for another shell is refused", async () => {
  expect(await forgehand("completion", "tcsh")).toMatchObject({ code: 4 });
});
