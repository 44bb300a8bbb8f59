/** What may go wrong around a run, each with a clear word and the next line to type. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { carryAll } from "../../src/cli/workflow-up.ts";
import { run, start, type Running } from "./run.ts";

let folders: string[] = [];
let running: Running[] = [];
afterEach(async () => {
  for (const one of running) one.process.kill("SIGKILL");
  await Promise.all(running.map((one) => one.ended));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  [folders, running] = [[], []];
});
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "bad-"));
  folders.push(made);
  return made;
}
const workflow = (dir: string, ...argv: readonly string[]) => run(["workflow", ...argv], {}, dir);
const head = `import { existsSync, readFileSync } from "node:fs";
import { Approval, Choose, Parallel, Sequence, Task, Timer, Try, leaf, workflow } from "forgehand";
import { z } from "zod";
`;
function write(dir: string, render: string, top = ""): string {
  const file = join(dir, "flow.tsx");
  writeFileSync(
    file,
    `${head}${top}
export default workflow({ name: "flow", input: z.object({}), output: z.null(), result: () => null,
  render: (ctx) => (${render}) });
`,
  );
  return file;
}
const go = '<Approval id="go" ask="Go on?" />';

test("a run whose failed part left a timer behind is left to the person it waits for", async () => {
  const dir = folder();
  const file = write(
    dir,
    `<Try catch={${go}}><Parallel><Timer id="t" afterMs={600_000} /><Task id="boom" retries={0} output={z.null()} perform={() => { throw new Error("boom"); }} /></Parallel></Try>`,
  );
  const one = start(["workflow", "run", file, "--run", "r1"], {}, dir);
  running.push(one);
  expect(await one.ended).toMatchObject({ code: 3 });
}, 10_000);

test("what a task said moves no cursor, and a line to type is one word for a shell", async () => {
  const dir = folder();
  const file = write(
    dir,
    String.raw`<Task id="a" retries={0} command="printf '\\033]0;title\\007red'; exit 3" />`,
  );
  const failed = await workflow(dir, "run", file, "--run", "r1");
  expect(failed.code).toBe(1);
  for (const { out, err } of [failed, await workflow(dir, "inspect", "r1")])
    expect([..."\u001b\u0007"].some((one) => `${out}${err}`.includes(one))).toBe(false);
  const asking = write(
    dir,
    `<Parallel><Choose id="c" ask="?" options={["it's; touch pwned '"]} /><Approval id="fix-$(touch pwned)" ask="?" /></Parallel>`,
  );
  const { err } = await workflow(dir, "run", asking, "--run", "r2");
  expect(err).toContain("approve r2 'fix-$(touch pwned)'");
  expect(err).toContain(String.raw`r2 c '{"choice":"it'\''s; touch pwned '\''"}'`);
});

test("of two answers at once the one that came too late is told so", async () => {
  const dir = folder();
  await workflow(dir, "run", write(dir, go), "--run", "r1");
  const both = await Promise.all([
    workflow(dir, "approve", "r1", "--note", "a"),
    workflow(dir, "deny", "r1", "--note", "b"),
  ]);
  expect(both.map(({ code }) => code).toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual([0, 5]);
});

test("an edit outside of any task, or of a task that is not rendered yet, needs somebody's word", async () => {
  for (const [before, after] of [
    [`const place = "eu";`, `const place = "us";`],
    [`const place = "eu"; /* one */`, `const place = "eu"; const deploy = () => 1;`],
  ] as const) {
    const dir = folder();
    const render = `<Sequence>${go}<Task id="ship" output={z.null()} perform={() => (console.error(place), null)} /></Sequence>`;
    await workflow(dir, "run", write(dir, render, before), "--run", "r1");
    write(dir, render, after);
    const { code, err } = await workflow(dir, "resume", "r1");
    expect(code).toBe(4);
    expect(err).toContain("--accept");
  }
  const dir = folder();
  const later = (command: string): string =>
    `<Sequence>${go}{ctx.latest("go", z.object({ decision: z.string() })) && <Task id="ship" command="${command}" />}</Sequence>`;
  await workflow(dir, "run", write(dir, later("true")), "--run", "r1");
  write(dir, later("touch pwned"));
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 4 });
});

test("an edit of what is imported as `.js`, or required, needs somebody's word", async () => {
  for (const [line, name] of [
    ['import { word } from "./words.js";', "words.ts"],
    ['const { word } = require("./words.cjs");', "words.cjs"],
  ] as const) {
    const dir = folder();
    const words = (word: string): string =>
      name.endsWith("ts") ? `export const word = "${word}";` : `module.exports = { word: "${word}" };`;
    writeFileSync(join(dir, name), words("one"));
    const render = `<Sequence>${go}<Task id="ship" output={z.null()} perform={() => (console.error(word), null)} /></Sequence>`;
    await workflow(dir, "run", write(dir, render, line), "--run", "r1");
    writeFileSync(join(dir, name), words("two"));
    const { code, err } = await workflow(dir, "resume", "r1");
    expect(code).toBe(4);
    expect(err).toContain(name);
  }
});

test("a version that cannot be loaded any more is no harmless one", async () => {
  const dir = folder();
  writeFileSync(join(dir, "word"), "one");
  const render = `<Sequence>${go}<Task id="ship" command="true" /></Sequence>`;
  await workflow(
    dir,
    "run",
    write(dir, render, `readFileSync(${JSON.stringify(join(dir, "word"))});`),
    "--run",
    "r1",
  );
  rmSync(join(dir, "word"));
  write(dir, render.replace("true", "touch pwned"));
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 4 });
  expect(existsSync(join(dir, "pwned"))).toBe(false);
});

test("why tells of a run whose file is gone or broken", async () => {
  const dir = folder();
  const file = write(dir, go);
  await workflow(dir, "run", file, "--run", "r1");
  writeFileSync(file, "export default {");
  const broken = await run(["why", "r1"], {}, dir);
  expect(broken).toMatchObject({ code: 3 });
  expect(broken.out).toMatch(/go waits.*\n(?:.*\n)*.*flow\.tsx cannot be loaded/u);
  rmSync(file);
  expect((await run(["why", "r1"], {}, dir)).out).toContain("there is no file");
});

test("a run keeps its name, and `latest` is nobody's", async () => {
  const dir = folder();
  const file = write(dir, go);
  for (const name of ["latest", "..", "-x", "a.lock"])
    expect(await workflow(dir, "run", file, `--run=${name}`)).toMatchObject({ code: 4 });
  const both = await Promise.all([1, 2].map(() => workflow(dir, "run", file, "--run", "r1")));
  expect(both.map(({ code }) => code).toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual([3, 4]);
  await workflow(dir, "run", file, "--run", "42");
  expect(await run(["why", "42"], {}, dir)).toMatchObject({ code: 3 });
  expect(await run(["approve", "latest:go"], {}, dir)).toMatchObject({ code: 0 });
});

test("a database of a newer forgehand is refused in words, and ends nothing else", async () => {
  const dir = folder();
  await workflow(dir, "run", write(dir, go), "--run", "r1");
  const db = new Database(join(dir, ".forgehand/workflows.db"));
  db.exec("insert into engine_migration values (99)");
  db.close();
  const { code, err } = await workflow(dir, "resume", "r1");
  expect(code).toBe(4);
  expect(err).toContain("use the newer forgehand that wrote it");
  expect(err).not.toContain("    at ");
  // As `up` does beside the tickets it serves: a rejection that nobody handles would end the process.
  await carryAll(join(dir, ".forgehand/workflows.db")).close();
});

test("a failed run says what to type", async () => {
  const dir = folder();
  const file = write(dir, `<Task id="a" retries={0} command="exit 3" />`);
  expect((await workflow(dir, "run", file, "--run", "r1")).err).toContain("forgehand retry r1");
});
