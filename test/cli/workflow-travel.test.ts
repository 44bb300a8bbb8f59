/** Time travel on the compiled program, with a real git repository and a file as a user writes it. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { run, start } from "./run.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const file = (publish = ""): string => `import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Approval, leaf, Sequence, Task, workflow } from "forgehand";
import { z } from "zod";
const draft = leaf("draft", z.string());
const polish = leaf("polish", z.string());
export default workflow({
  name: "page",
  input: z.object({ title: z.string().default("one") }),
  output: z.string(),
  render: (ctx) => (
    <Sequence>
      <Task {...draft} writes perform={(step) => {
        appendFileSync(process.env["JOURNAL"] ?? "", "draft\\n");
        writeFileSync(join(step.folder, "page.md"), "# " + ctx.input.title + "\\n");
        return ctx.input.title;
      }} />
      <Task {...polish} writes perform={(step) => {
        appendFileSync(process.env["JOURNAL"] ?? "", "polish\\n");
        appendFileSync(join(step.folder, "page.md"), "polished\\n");
        return ctx.output(draft) + "!";
      }} />
      <Approval id="go" ask="Publish it?" />
      <Task id="publish" output={z.string()} effect="publishes the page" perform={() => {
        appendFileSync(process.env["JOURNAL"] ?? "", "publish\\n");
        return "published";
      }} />
      ${publish}
    </Sequence>
  ),
  result: (ctx) => ctx.output(polish),
});
`;

/** A folder under git with the workflow in it, and a run that has ended. */
async function stage() {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "travel-cli-")));
  folders.push(dir);
  const journal = join(mkdtempSync(join(tmpdir(), "travel-journal-")), "journal");
  folders.push(join(journal, ".."));
  const git = (...argv: readonly string[]): string =>
    execFileSync("git", argv, { cwd: dir, encoding: "utf8", stdio: "pipe" });
  git("init", "-q", "-b", "main");
  git("config", "user.name", "ada");
  git("config", "user.email", "ada@example.org");
  writeFileSync(join(dir, "page.tsx"), file());
  writeFileSync(join(dir, ".gitignore"), ".forgehand/\n");
  git("add", "-A");
  git("commit", "-q", "-m", "first");
  const workflow = (...argv: readonly string[]) => run(["workflow", ...argv], { JOURNAL: journal }, dir);
  const ran = (): string =>
    existsSync(journal) ? readFileSync(journal, "utf8").trim().split("\n").join(" ") : "";
  const page = (): string | undefined =>
    existsSync(join(dir, "page.md")) ? readFileSync(join(dir, "page.md"), "utf8") : undefined;
  expect(await workflow("run", "page.tsx", "--run", "r1")).toMatchObject({ code: 3 });
  await workflow("approve", "r1");
  expect(await workflow("resume", "r1")).toMatchObject({ code: 0, out: '"one!"\n' });
  expect(ran()).toBe("draft polish publish");
  return { dir, journal, git, workflow, ran, page };
}
const dataOf = (out: string) => (JSON.parse(out) as { data: Record<string, unknown> }).data;

test("a run is listed, shown and compared frame by frame, files too", async () => {
  const { dir, workflow } = await stage();
  const { frames } = dataOf((await workflow("timeline", "r1", "--json")).out);
  expect(frames).toMatchObject([
    { frame: 1, leaf: "draft", status: "finished", snapshot: expect.stringMatching(/^[0-9a-f]{40}$/u) },
    { frame: 2, leaf: "polish" },
    { frame: 3, leaf: "go" },
    { frame: 4, leaf: "publish", effect: "publishes the page" },
  ]);
  expect((await workflow("timeline", "latest")).out).toMatch(/^FRAME\tBEGAN\tLEAF/u);
  expect(await workflow("frames", "r1", "--frame", "1")).toMatchObject({
    code: 0,
    out: "r1, frame 1 of 4\nsequence\n  task draft  ✓ finished\n  task polish\n  approval go\n  task publish\n",
  });
  const { out } = await run(["diff", "r1", "1", "2"], {}, dir);
  expect(out).toContain('+ polish: "one!"');
  expect(out).toContain("+polished");
  expect((await workflow("diff", "r1", "0", "1")).out).toContain("+# one");
});

test("a rewind takes files along, says what it crosses, and is taken back whole", async () => {
  const { dir, git, workflow, ran, page } = await stage();
  const crossing = await workflow("rewind", "r1", "--frame", "1");
  expect(crossing.code).toBe(4);
  expect(crossing.err).toContain("publish did: publishes the page");
  expect(page()).toBe("# one\npolished\n");
  appendFileSync(join(dir, "page.md"), "by hand\n");
  const status = git("status", "--porcelain");
  const done = await workflow("rewind", "r1", "--frame", "1", "--force");
  expect(done).toMatchObject({ code: 0 });
  expect(done.out).toContain("r1 is at frame 1\ntaken out: polish, go, publish\nfiles put back in");
  expect(page()).toBe("# one\n");
  expect(await workflow("rewind", "r1", "--undo")).toMatchObject({ code: 0 });
  expect(page()).toBe("# one\npolished\nby hand\n");
  expect(await workflow("resume", "r1")).toMatchObject({ code: 0, out: '"one!"\n' });
  expect(git("status", "--porcelain")).toBe(status);
  expect(git("rev-parse", "--abbrev-ref", "HEAD")).toBe("main\n");
  await workflow("rewind", "r1", "--frame", "1", "--force");
  expect(await workflow("resume", "r1")).toMatchObject({ code: 3 });
  expect(page()).toBe("# one\npolished\n");
  expect(ran()).toBe("draft polish publish polish");
});

test("a fork goes its own way in a worktree of its own, and two runs are compared", async () => {
  const { dir, workflow, ran, page } = await stage();
  const copy = join(dir, "..", `${dir.split("/").at(-1) ?? ""}-copy`);
  folders.push(copy);
  const input = JSON.stringify({ title: "two" });
  expect((await workflow("fork", "r1", "--frame", "2", "--reset", "draft")).code).toBe(4);
  const forked = await workflow(
    "fork",
    "r1",
    "--frame",
    "1",
    "--files",
    copy,
    "--run",
    "f1",
    "--force",
    "--json",
  );
  expect(dataOf(forked.out)).toMatchObject({
    run: "f1",
    parent: "r1",
    frame: 1,
    folder: copy,
    kept: ["draft"],
  });
  expect(readFileSync(join(copy, "page.md"), "utf8")).toBe("# one\n");
  expect(await workflow("resume", "f1")).toMatchObject({ code: 3 });
  expect(readFileSync(join(copy, "page.md"), "utf8")).toBe("# one\npolished\n");
  expect(page()).toBe("# one\npolished\n");
  expect(ran()).toBe("draft polish publish polish");
  const other = await workflow("fork", "r1", "--frame", "0", "--input", input, "--run", "f2", "--force");
  expect(other).toMatchObject({ code: 0, out: "f2\n" });
  await workflow("resume", "f2");
  const { outputs } = dataOf((await workflow("compare", "r1", "f2", "--json")).out);
  expect(outputs).toMatchObject([
    { place: "draft", is: "differs", first: "one", second: "two" },
    { place: "polish", is: "differs" },
    { place: "go", is: "only in the first" },
    { place: "publish", is: "only in the first" },
  ]);
});

test("a replay performs nothing, and a rehearsal says what an edited file would do", async () => {
  const { dir, workflow, ran } = await stage();
  expect(await workflow("replay", "r1", "--run", "p1")).toMatchObject({ code: 0, out: '"one!"\n' });
  expect(ran()).toBe("draft polish publish");
  writeFileSync(join(dir, "page.tsx"), file(`<Task id="tell" output={z.null()} perform={() => null} />`));
  expect((await workflow("replay", "r1", "--dry")).out).toBe(
    "LEAF\tREPLAYED\tEFFECT\ndraft\tsame\t\npolish\tsame\t\ngo\tsame\t\npublish\tsame\tpublishes the page\ntell\twould be done\t\nIt would go on from there.\n",
  );
  writeFileSync(
    join(dir, "page.tsx"),
    file().replace("output={z.string()} effect", "output={z.number()} effect"),
  );
  const refused = await workflow("replay", "r1");
  expect(refused.code).toBe(4);
  expect(refused.err).toContain("publish: publishes the page");
  expect((await workflow("ps", "--json")).out).not.toContain('"id":"page-');
});

test.each([
  ["a run that does not exist", ["rewind", "nobody", "--frame", "1"], 5, 'no run is called "nobody"'],
  ["an ambiguous one", ["rewind", "r", "--frame", "1"], 4, "give more of it"],
  ["a frame that does not exist", ["rewind", "r1", "--frame", "9"], 5, "r1 has frames 0 to 4"],
  ["no frame at all", ["rewind", "r1"], 4, "--frame N, or --undo"],
  ["a frame that is no number", ["frames", "r1", "--frame", "x"], 4, '"x" is no frame'],
  ["nothing to take back", ["rewind", "r1", "--undo"], 5, "was never rewound"],
  ["a task that is not there", ["fork", "r1", "--reset", "x", "--force"], 5, "draft, polish, go, publish"],
  ["an input that does not fit", ["fork", "r1", "--input", '{"title":1}'], 4, "does not fit workflow"],
  [
    "files where none were kept",
    ["fork", "r2", "--frame", "0", "--files", "x"],
    5,
    "no files of r2 were kept",
  ],
  ["a name that is taken", ["fork", "r1", "--run", "r2", "--force"], 4, "of that name already"],
] as const)("%s is refused with what to do", async (_what, argv, code, said) => {
  const { workflow, page } = await shared();
  const refused = await workflow(...argv);
  expect(refused.err).toContain(said);
  expect(refused.code).toBe(code);
  expect(page()).toBe("# one\npolished\n");
});
const kept: string[] = [];
afterAll(() => {
  for (const folder of kept) rmSync(folder, { recursive: true, force: true });
});
/** One stage for all refusals: they change nothing. */
let staged: ReturnType<typeof stage> | undefined;
async function shared() {
  staged ??= (async () => {
    const made = await stage();
    writeFileSync(join(made.dir, "no.tsx"), noFiles);
    await made.workflow("run", "no.tsx", "--run", "r2");
    kept.push(...folders.splice(0));
    return made;
  })();
  return await staged;
}
const noFiles = `import { Task, workflow } from "forgehand";
import { z } from "zod";
export default workflow({ name: "no", input: z.object({}), output: z.null(), result: () => null,
  render: () => <Task id="a" output={z.null()} perform={() => null} /> });
`;

test("a run that is running is not rewound, and a worktree that has gone is said before anything changes", async () => {
  const { dir, journal, workflow } = await stage();
  writeFileSync(
    join(dir, "long.tsx"),
    `import { Task, workflow } from "forgehand";
import { z } from "zod";
export default workflow({ name: "long", input: z.object({}), output: z.null(), result: () => null,
  render: () => <Task id="long" output={z.null()} perform={(step) => new Promise((_, fail) => step.signal.addEventListener("abort", () => fail(new Error("stopped"))))} /> });
`,
  );
  const running = start(["workflow", "run", "long.tsx", "--run", "long1"], { JOURNAL: journal }, dir);
  await running.said("▸ long");
  const refused = await workflow("rewind", "long1", "--frame", "0");
  expect(refused.code).toBe(9);
  expect(refused.err).toContain(`long1 is at work in process ${running.process.pid ?? 0}`);
  expect(refused.err).toContain("forgehand workflow cancel long1");
  await workflow("cancel", "long1");
  await running.ended;
  const database = join(mkdtempSync(join(tmpdir(), "travel-db-")), "runs.db");
  folders.push(join(database, ".."));
  await workflow("run", join(dir, "page.tsx"), "--run", "g1", "--database", database);
  rmSync(dir, { recursive: true, force: true });
  const elsewhere = mkdtempSync(join(tmpdir(), "travel-else-"));
  folders.push(elsewhere);
  const gone = await run(["workflow", "rewind", "g1", "--frame", "1", "--database", database], {}, elsewhere);
  expect(gone.code).toBe(4);
  expect(gone.err).toContain(`the files in ${dir}: The folder ${dir} has gone`);
  const forced = await run(
    ["workflow", "rewind", "g1", "--frame", "1", "--force", "--database", database],
    {},
    elsewhere,
  );
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.out).toContain(`files left in ${dir}`);
});
