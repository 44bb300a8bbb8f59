/** Snapshots on real git: what is kept and put back, and what is never touched. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { gitRunner } from "../../src/adapters/git/run.ts";
import { openSnapshots } from "../../src/adapters/git/snapshots.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const environment = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
};
const newFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "snapshots-")));
  made.push(folder);
  return folder;
};
const put = (folder: string, files: Readonly<Record<string, string | Buffer>>): void => {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
};
const gitIn =
  (folder: string) =>
  (...argv: readonly string[]): string =>
    execFileSync("git", [...argv], { cwd: folder, env: environment, encoding: "utf8", stdio: "pipe" });

/** A repository with a commit, some of everything uncommitted, and snapshots of it. */
function stage(more: Partial<Parameters<typeof openSnapshots>[0]> = {}) {
  const folder = newFolder();
  const git = gitIn(folder);
  git("init", "-q", "-b", "main");
  git("config", "user.name", "ada");
  git("config", "user.email", "ada@example.org");
  put(folder, {
    ".gitignore": "ignored/\n*.log\n",
    "kept.txt": "one\n",
    "gone.txt": "soon\n",
    "forced.log": "1",
  });
  git("add", "-A");
  git("add", "-f", "forced.log");
  git("commit", "-q", "-m", "first");
  const snapshots = openSnapshots({
    git: gitRunner(environment.PATH, 20_000),
    keptOut: [],
    ignoreFile: undefined,
    ...more,
  });
  /** What no snapshot may change. */
  const untouched = () => ({
    index: readFileSync(join(folder, ".git", "index")).toString("base64"),
    head: git("rev-parse", "HEAD", "refs/heads/main"),
    status: git("--no-optional-locks", "status", "--porcelain", "--ignored"),
    stash: git("stash", "list"),
    config: readFileSync(join(folder, ".git", "config"), "utf8"),
  });
  return { folder, git, snapshots, untouched };
}
const ref = "refs/forgehand/r-1/attempt/1";

/** Every file below a folder: what it is, and what is in it. */
function shownIn(folder: string, at = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(folder, at))) {
    const path = join(at, name);
    if (name === ".git") continue;
    const kind = lstatSync(join(folder, path));
    if (kind.isDirectory()) Object.assign(found, shownIn(folder, path));
    else if (kind.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(folder, path))}`;
    else
      found[path] =
        `${(kind.mode & 0o100) === 0 ? "" : "x "}${readFileSync(join(folder, path)).toString("base64")}`;
  }
  return found;
}

test("what is there comes back byte for byte, whatever it is, and the index, head and status stay as they were", async () => {
  const { folder, git, snapshots, untouched } = stage();
  const bytes = Buffer.from([0, 255, 13, 10, 10, 0, 128]);
  put(folder, {
    "kept.txt": "two\r\n",
    "new/deep/file.bin": bytes,
    "a name with ünïcode and 'quotes'\nand a line": "odd",
    "-dash": "x",
    "run.sh": "#!/bin/sh\n",
    "forced.log": "2",
  });
  chmodSync(join(folder, "run.sh"), 0o755);
  symlinkSync("../elsewhere", join(folder, "link"));
  rmSync(join(folder, "gone.txt"));
  git("add", "run.sh");
  put(folder, { "ignored/secret": "1", "note.log": "1" });
  const before = { ...untouched(), files: shownIn(folder) };
  const commit = (await snapshots.save(folder, ref, "after the first")) ?? "";
  expect({ ...untouched(), files: shownIn(folder) }).toEqual(before);
  expect(git("rev-parse", ref).trim()).toBe(commit);
  expect(git("log", "-1", "--format=%s %P", ref).trim()).toBe(
    `after the first ${git("rev-parse", "HEAD").trim()}`,
  );
  put(folder, {
    "kept.txt": "three",
    "later/x": "x",
    "gone.txt": "back",
    "new/deep/file.bin": "no",
    link2: "",
  });
  rmSync(join(folder, "link"));
  put(folder, { link: "no link any more" });
  chmodSync(join(folder, "run.sh"), 0o644);
  rmSync(join(folder, "-dash"));
  await snapshots.restore(folder, commit);
  expect({ ...untouched(), files: shownIn(folder) }).toEqual(before);
  expect(existsSync(join(folder, "later"))).toBe(false);
});

test("ignored files stay as they are, even where the snapshot has another file", async () => {
  const { folder, snapshots } = stage();
  put(folder, { "ignored/cache": "1", data: "tracked by none" });
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  put(folder, { "ignored/cache": "2", ".gitignore": "ignored/\n*.log\ndata\n", data: "mine" });
  await snapshots.restore(folder, commit);
  expect(readFileSync(join(folder, "ignored/cache"), "utf8")).toBe("2");
  expect(readFileSync(join(folder, "data"), "utf8")).toBe("mine");
  expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("ignored/\n*.log\n");
});

test("a file in the place of a folder and a folder in the place of a file go back", async () => {
  const { folder, snapshots } = stage();
  put(folder, { "a/b": "1", c: "2" });
  const files = shownIn(folder);
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  rmSync(join(folder, "a"), { recursive: true });
  rmSync(join(folder, "c"));
  put(folder, { a: "file", "c/d/e": "deep" });
  await snapshots.restore(folder, commit);
  expect(shownIn(folder)).toEqual(files);
});

test("a link in the place of a folder is not followed", async () => {
  const { folder, snapshots } = stage();
  const outside = newFolder();
  put(outside, { b: "theirs" });
  put(folder, { "a/b": "ours" });
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  rmSync(join(folder, "a"), { recursive: true });
  symlinkSync(outside, join(folder, "a"));
  const second = (await snapshots.save(folder, `${ref}1`, "m")) ?? "";
  await snapshots.restore(folder, commit);
  expect(readFileSync(join(folder, "a/b"), "utf8")).toBe("ours");
  await snapshots.restore(folder, second);
  expect(readlinkSync(join(folder, "a"))).toBe(outside);
  expect(readFileSync(join(outside, "b"), "utf8")).toBe("theirs");
});

test("hooks, filters and attributes of the repository neither run nor change a byte", async () => {
  const { folder, git, snapshots } = stage();
  const ran = join(newFolder(), "ran");
  const hook = `#!/bin/sh\ntouch ${ran}\n`;
  for (const name of ["reference-transaction", "post-checkout", "post-index-change", "pre-commit"]) {
    put(folder, { [`.git/hooks/${name}`]: hook });
    chmodSync(join(folder, ".git/hooks", name), 0o755);
  }
  put(folder, {
    "evil.sh": hook,
    ".gitattributes": "* filter=evil text eol=crlf\n*.u16 working-tree-encoding=UTF-16 diff=evil\n",
    "x.txt": "one\r\ntwo\n",
    "y.u16": "no utf-16",
  });
  chmodSync(join(folder, "evil.sh"), 0o755);
  for (const [key, value] of [
    ["filter.evil.clean", `${folder}/evil.sh`],
    ["filter.evil.smudge", `${folder}/evil.sh`],
    ["filter.evil.required", "true"],
    ["diff.evil.textconv", `${folder}/evil.sh`],
    ["core.fsmonitor", `${folder}/evil.sh`],
  ] as const)
    git("config", key, value);
  rmSync(ran, { force: true });
  const files = shownIn(folder);
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  put(folder, { "x.txt": "changed", "y.u16": "changed" });
  const second = (await snapshots.save(folder, `${ref}1`, "m")) ?? "";
  expect(await snapshots.diff(folder, commit, second)).toContain("+changed");
  await snapshots.restore(folder, commit);
  expect(shownIn(folder)).toEqual(files);
  const copy = join(newFolder(), "copy");
  await snapshots.checkOut(folder, commit, copy);
  await snapshots.forget(folder, "refs/forgehand/r-1/");
  expect(existsSync(ran)).toBe(false);
  expect(shownIn(copy)).toEqual(files);
});

test("repositories inside the folder are left alone, with commits or without", async () => {
  const { folder, git, snapshots } = stage();
  const inner = join(folder, "inner");
  put(inner, { "theirs.txt": "1" });
  gitIn(inner)("init", "-q");
  const empty = join(folder, "empty");
  mkdirSync(empty);
  gitIn(empty)("init", "-q");
  const other = newFolder();
  put(other, { "lib.txt": "lib" });
  const lib = gitIn(other);
  lib("init", "-q");
  lib("add", "-A");
  lib("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "lib");
  git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "sub");
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  expect(git("ls-tree", "-r", "--name-only", commit).split("\n")).not.toContain("sub");
  put(folder, { "inner/theirs.txt": "2", "sub/lib.txt": "changed", "kept.txt": "changed" });
  await snapshots.restore(folder, commit);
  expect(readFileSync(join(inner, "theirs.txt"), "utf8")).toBe("2");
  expect(readFileSync(join(folder, "sub/lib.txt"), "utf8")).toBe("changed");
  expect(readFileSync(join(folder, "kept.txt"), "utf8")).toBe("one\n");
  expect(existsSync(join(empty, ".git"))).toBe(true);
});

test("the database of the runs is neither kept nor put back, wherever it lies", async () => {
  const outside = newFolder();
  const { folder, git } = stage();
  const snapshots = openSnapshots({
    git: gitRunner(environment.PATH, 20_000),
    keptOut: [join(folder, "runs.db")],
    ignoreFile: join(outside, "ignore"),
  });
  put(outside, { ignore: ".idea/\n" });
  put(folder, { "runs.db": "1", ".forgehand/workflows.db": "1", "sub/.forgehand/x": "1", ".idea/x": "1" });
  put(folder, { ".gitignore": "!.forgehand/\n" });
  const commit = (await snapshots.save(folder, ref, "m")) ?? "";
  expect(git("ls-tree", "-r", "--name-only", commit)).toBe(".gitignore\nforced.log\ngone.txt\nkept.txt\n");
  put(folder, { "runs.db": "2", ".forgehand/workflows.db": "2" });
  await snapshots.restore(folder, commit);
  expect(readFileSync(join(folder, "runs.db"), "utf8")).toBe("2");
  expect(readFileSync(join(folder, ".forgehand/workflows.db"), "utf8")).toBe("2");
});

test("a folder within a repository takes only itself, and a worktree is a folder like any other", async () => {
  const { folder, git, snapshots } = stage();
  put(folder, { "pkg/a[1]/x": "1", "other/y": "1" });
  const inside = join(folder, "pkg", "a[1]");
  const commit = (await snapshots.save(inside, ref, "m")) ?? "";
  put(folder, { "pkg/a[1]/x": "2", "pkg/a[1]/z": "2", "other/y": "2" });
  await snapshots.restore(inside, commit);
  expect(shownIn(inside)).toEqual({ x: Buffer.from("1").toString("base64") });
  expect(readFileSync(join(folder, "other/y"), "utf8")).toBe("2");
  const tree = join(newFolder(), "tree");
  git("worktree", "add", "-q", "--detach", tree);
  put(tree, { "kept.txt": "in the worktree" });
  const kept = (await snapshots.save(tree, `${ref}1`, "m")) ?? "";
  put(tree, { "kept.txt": "changed" });
  await snapshots.restore(tree, kept);
  expect(readFileSync(join(tree, "kept.txt"), "utf8")).toBe("in the worktree");
  expect(git("rev-parse", `${ref}1`).trim()).toBe(kept);
});

test("a folder in no repository has no snapshot, one that has gone and one without commits are told apart", async () => {
  const { folder, git, snapshots } = stage();
  expect(await snapshots.save(newFolder(), ref, "m")).toBe(undefined);
  expect(await snapshots.save(join(folder, ".git", "hooks"), ref, "m")).toBe(undefined);
  await expect(snapshots.save(join(folder, "nowhere"), ref, "m")).rejects.toThrow(
    `The folder ${folder}/nowhere has gone`,
  );
  await expect(snapshots.restore(join(folder, "nowhere"), git("rev-parse", "HEAD").trim())).rejects.toThrow(
    "has gone",
  );
  await expect(snapshots.save(folder, "refs/heads/main", "m")).rejects.toThrow("no ref of ours");
  const unborn = newFolder();
  gitIn(unborn)("init", "-q", "--object-format=sha256");
  put(unborn, { a: "1" });
  const commit = (await snapshots.save(unborn, ref, "m")) ?? "";
  expect(commit).toHaveLength(64);
  put(unborn, { a: "2" });
  await snapshots.restore(unborn, commit);
  expect(readFileSync(join(unborn, "a"), "utf8")).toBe("1");
});

test("saving under one ref again replaces it, a cut-short index is no trouble, and forgotten refs are gone", async () => {
  const { folder, git, snapshots } = stage();
  const first = await snapshots.save(folder, ref, "m");
  put(folder, { "kept.txt": "two\n" });
  const cache = readdirSync(join(folder, ".git")).find((name) => name.startsWith("forgehand-index-")) ?? "";
  writeFileSync(join(folder, ".git", cache), "DIRC cut short");
  const second = await snapshots.save(folder, ref, "m");
  expect(second).not.toBe(first);
  expect(git("rev-parse", ref).trim()).toBe(second);
  // The same size at the same instant, as a fast agent writes it.
  put(folder, { "kept.txt": "six\n" });
  const third = await snapshots.save(folder, ref, "m");
  expect(git("show", `${third ?? ""}:kept.txt`)).toBe("six\n");
  await snapshots.save(folder, "refs/forgehand/r-10/attempt/1", "m");
  await snapshots.forget(folder, "refs/forgehand/r-1/");
  expect(git("for-each-ref", "--format=%(refname)")).toBe("refs/forgehand/r-10/attempt/1\nrefs/heads/main\n");
});

test("a snapshot is checked out elsewhere at the commit of then, with what was uncommitted", async () => {
  const { folder, git, snapshots } = stage();
  put(folder, { "pkg/x": "committed" });
  git("add", "-A");
  git("commit", "-q", "-m", "second");
  const head = git("rev-parse", "HEAD");
  put(folder, { "pkg/x": "uncommitted", "pkg/y": "new" });
  const whole = (await snapshots.save(folder, ref, "m")) ?? "";
  const part = (await snapshots.save(join(folder, "pkg"), `${ref}1`, "m")) ?? "";
  git("commit", "-q", "-a", "-m", "third");
  const copy = join(newFolder(), "copy");
  expect(await snapshots.checkOut(folder, whole, copy)).toBe(copy);
  expect(gitIn(copy)("rev-parse", "HEAD")).toBe(head);
  expect(gitIn(copy)("status", "--porcelain")).toBe(" M pkg/x\n?? pkg/y\n");
  const other = join(newFolder(), "copy");
  expect(await snapshots.checkOut(join(folder, "pkg"), part, other)).toBe(join(other, "pkg"));
  expect(gitIn(other)("status", "--porcelain")).toBe(" M pkg/x\n?? pkg/y\n");
  await expect(snapshots.checkOut(folder, whole, copy)).rejects.toThrow("is there already");
});
