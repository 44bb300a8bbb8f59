/** Workflow files that are edited under a run, and runs that go on without a second command. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
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
  const made = mkdtempSync(join(tmpdir(), "workflow-"));
  folders.push(made);
  return made;
}
const workflow = (dir: string, ...argv: readonly string[]) => run(["workflow", ...argv], {}, dir);
function begin(dir: string, ...argv: readonly string[]): Running {
  const one = start(["workflow", ...argv], {}, dir);
  running.push(one);
  return one;
}
const journal = (dir: string): readonly string[] =>
  existsSync(join(dir, "journal")) ? readFileSync(join(dir, "journal"), "utf8").trim().split("\n") : [];

/** Writes a line, waits for a go, writes another; `words` are what it writes. */
const steps = (words: { first?: string; ask?: string; last?: string; more?: string } = {}): string => `
import { appendFileSync } from "node:fs";
import { Approval, Sequence, Task, Timer, workflow } from "forgehand";
import { z } from "zod";
// ${words.more ?? ""}
const write = (line: string): null => (appendFileSync("journal", line + "\\n"), null);
export default workflow({
  name: "steps", input: z.object({}), output: z.string(), result: () => "done",
  render: () => (
    <Sequence>
      <Task id="first" output={z.null()} perform={() => write("${words.first ?? "first"}")} />
      <Approval id="go" ask="${words.ask ?? "Go on?"}" />
      <Task id="last" output={z.null()} perform={() => write("${words.last ?? "last"}")} />
    </Sequence>
  ),
});
`;
async function waiting(dir: string): Promise<string> {
  const file = join(dir, "steps.tsx");
  writeFileSync(file, steps());
  expect(await workflow(dir, "run", file, "--run", "r1")).toMatchObject({ code: 3 });
  return file;
}

test("a run whose file was edited shows the difference task by task and goes on only when it is accepted", async () => {
  const dir = folder();
  const file = await waiting(dir);
  writeFileSync(file, steps({ first: "FIRST", last: "LAST", ask: "Really?" }));
  await workflow(dir, "approve", "r1");
  const refused = await workflow(dir, "resume", "r1");
  expect(refused.code).toBe(4);
  expect(refused.err).toContain("~ first: code (finished: keeps its output, is not done again)");
  expect(refused.err).toContain('+() => write("FIRST")');
  expect(refused.err).toContain("~ go: prompt (finished");
  expect(refused.err).toContain("~ last: code (not begun: the new one will run)");
  expect(refused.err).toContain("forgehand workflow resume r1 --accept");
  expect(journal(dir)).toEqual(["first"]);
  expect(await workflow(dir, "resume", "r1", "--accept")).toMatchObject({ code: 0 });
  expect(journal(dir)).toEqual(["first", "LAST"]);
});

test("an edit that changes nothing that runs needs nobody's word", async () => {
  const dir = folder();
  const file = await waiting(dir);
  writeFileSync(file, steps({ more: "a better comment" }));
  await workflow(dir, "approve", "r1");
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 0 });
});

test("a renamed task is shown as one that goes and one that comes", async () => {
  const dir = folder();
  const file = await waiting(dir);
  writeFileSync(file, steps().replaceAll('id="first"', 'id="begin"'));
  const { code, err } = await workflow(dir, "resume", "r1");
  expect(code).toBe(4);
  expect(err).toContain("- first (finished; nothing of it is undone)");
  expect(err).toContain("+ begin (will run)");
});

test("an imported file that changed is named", async () => {
  const dir = folder();
  writeFileSync(join(dir, "words.ts"), 'export const ask: string = "Go on?";\n');
  const file = join(dir, "steps.tsx");
  const text = `import { ask } from "./words.ts";${steps().replace('ask="Go on?"', "ask={ask}")}`;
  writeFileSync(file, text);
  expect(await workflow(dir, "run", file, "--run", "r1")).toMatchObject({ code: 3 });
  writeFileSync(join(dir, "words.ts"), 'export const ask: string = "Really?";\n');
  const { code, err } = await workflow(dir, "resume", "r1");
  expect(code).toBe(4);
  expect(err).toMatch(/~ .*words\.ts \(imported/u);
});

test("a file that is gone or broken is said, and nothing is lost", async () => {
  const dir = folder();
  const file = await waiting(dir);
  writeFileSync(file, "export default {");
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 4 });
  rmSync(file);
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 5 });
  writeFileSync(file, steps());
  await workflow(dir, "approve", "r1");
  expect(await workflow(dir, "resume", "r1")).toMatchObject({ code: 0 });
});

const slow = (word: string, id = "later"): string => `
import { appendFileSync, existsSync } from "node:fs";
import { Sequence, Task, workflow } from "forgehand";
import { z } from "zod";
const write = (line: string): null => (appendFileSync("journal", line + "\\n"), null);
const until = async (name: string): Promise<void> => { while (!existsSync(name)) await new Promise((wake) => setTimeout(wake, 20)); };
export default workflow({
  name: "slow", input: z.object({}), output: z.string(), result: () => "done",
  render: () => (
    <Sequence>
      <Task id="now" output={z.null()} perform={async () => { await until("go"); return write("now ${word}"); }} />
      <Task id="${id}" output={z.null()} perform={() => write("${id} ${word}")} />
    </Sequence>
  ),
});
`;

test("an edit under a running run: what is at work ends on its own code, what comes later is new", async () => {
  const dir = folder();
  const file = join(dir, "slow.tsx");
  writeFileSync(file, slow("old"));
  const one = begin(dir, "run", file, "--run", "r1");
  await one.said("▸ now");
  writeFileSync(file, "export default {");
  await one.said("goes on as it was");
  writeFileSync(file, slow("new"));
  await one.said("r1 goes on with the edited file");
  await one.said("~ now: code (at work: ends as it began)");
  writeFileSync(join(dir, "go"), "");
  expect(await one.ended).toMatchObject({ code: 0 });
  expect(journal(dir)).toEqual(["now old", "later new"]);
});

test("`up` carries on what was started elsewhere: an answer needs no second command", async () => {
  const dir = folder();
  await waiting(dir);
  const server = begin(dir, "up");
  await server.said("carrying on the runs");
  expect(await workflow(dir, "approve", "r1")).toMatchObject({ code: 0 });
  await server.said("r1 ✓ last");
  server.process.kill("SIGTERM");
  expect(await server.ended).toMatchObject({ code: 0 });
  expect(journal(dir)).toEqual(["first", "last"]);
});

test("`up` holds a run whose file was edited, and goes on with it once that is accepted", async () => {
  const dir = folder();
  const file = await waiting(dir);
  writeFileSync(file, steps({ last: "LAST" }));
  const server = begin(dir, "up");
  await workflow(dir, "approve", "r1");
  await server.said("r1 is held: its file was edited");
  const accepted = await workflow(dir, "resume", "r1", "--accept");
  expect(accepted.code).toBe(0);
  expect(journal(dir)).toEqual(["first", "LAST"]);
});
