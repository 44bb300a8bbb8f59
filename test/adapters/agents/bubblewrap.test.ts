/** What of this host, and of the repository it works in, a process in bubblewrap sees. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock.ts";
import { runConfined } from "../../../src/adapters/sandboxes/run-confined.ts";
import { bubblewrapSandbox } from "../../../src/adapters/sandboxes/bubblewrap.ts";

const searchPath = "/usr/local/bin:/usr/bin:/bin";
const { found, why } = await bubblewrapSandbox({ binary: "bwrap", searchPath, secret: [], read: [] }).probe();

let folder: string;
const at = (path: string): string => join(folder, path);
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "bubblewrap-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const git = (cwd: string, ...argv: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.test", ...argv], { cwd, encoding: "utf8" });
function repository(name: string): string {
  mkdirSync(at(name));
  git(at(name), "init", "-q", "-b", "main");
  writeFileSync(at(`${name}/file`), "text\n");
  git(at(name), "add", "file");
  git(at(name), "commit", "-qm", "where it starts");
  git(at(name), "config", "remote.origin.url", "https://bob:honey-in-the-address@example.test/x.git");
  writeFileSync(at(`${name}/.git/hooks/post-commit`), "honey-in-a-hook");
  return at(name);
}
async function run(
  cwd: string,
  script: string,
  { secret = [] as readonly string[], read = [] as readonly string[] } = {},
): Promise<string> {
  const sandbox = bubblewrapSandbox({ binary: "bwrap", searchPath, secret, read });
  const confinement = { write: [cwd], read: [], network: "none", limits: {} } as const;
  const order = {
    file: "/bin/sh",
    args: ["-c", `exec 2>&1; ${script}`],
    cwd,
    env: { PATH: searchPath, HOME: cwd },
    stdin: undefined,
    runId: `bubblewrap/${folder}`,
    stallMs: 30_000,
    turnMs: 30_000,
  };
  const lines: string[] = [];
  const signal = new AbortController().signal;
  for await (const said of runConfined({ sandbox, confinement }, order, systemClock(), signal))
    lines.push(said.type === "line" ? said.line : `ended with ${said.end.exit} ${said.end.stderr}`);
  return lines.join("\n");
}

describe.skipIf(!found || why !== undefined)(`in bubblewrap ${why ?? ""}`, () => {
  test("history and changes are seen, and git's configuration and hooks are not", async () => {
    const tree = repository("own");
    const said = await run(
      tree,
      "echo more >> file; git log --oneline; git diff; git config --list; cat .git/config .git/hooks/*",
    );
    expect(said).toContain("where it starts");
    expect(said).toContain("+more");
    expect(said).not.toContain("honey");
  });

  test("nothing of git can be changed, and a file can", async () => {
    const tree = repository("own");
    const before = git(tree, "rev-parse", "HEAD");
    await run(
      tree,
      "git commit --allow-empty -qm mine; git branch evil; rm -rf .git; mv .git x; echo x > .git/hooks/pre-push; echo new > file",
    );
    expect(git(tree, "rev-parse", "HEAD")).toBe(before);
    expect(git(tree, "branch")).not.toContain("evil");
    expect(git(tree, "diff")).toContain("+new");
  });

  test("in a worktree the shared history is seen, and the data of other worktrees is not", async () => {
    const main = repository("main");
    git(main, "worktree", "add", "-q", at("one"), "-b", "one");
    git(main, "worktree", "add", "-q", at("two"), "-b", "two");
    const said = await run(
      at("one"),
      `git log --oneline; git status -sb; ls ${main}/.git/worktrees; cat ${main}/file`,
    );
    expect(said).toContain("where it starts");
    expect(said).toContain("## one");
    expect(said.split("\n")).toContain("one");
    expect(said.split("\n")).not.toContain("two");
    expect(said).not.toContain("text");
  });

  test("a .git that leads elsewhere opens nothing there", async () => {
    for (const name of ["secrets", "forged", "linked", "planted"]) mkdirSync(at(name));
    for (const name of ["HEAD", "config", "objects"]) writeFileSync(at(`secrets/${name}`), "honey-outside");
    writeFileSync(at("forged/.git"), `gitdir: ${at("secrets")}\n`);
    symlinkSync(at("secrets"), at("linked/.git"));
    mkdirSync(at("planted/.git"));
    for (const name of ["HEAD", "objects"]) symlinkSync(at(`secrets/${name}`), at(`planted/.git/${name}`));
    for (const name of ["forged", "linked", "planted"]) {
      const said = await run(at(name), `cat .git/* ${at("secrets")}/*`);
      expect(said, name).toContain("No such file");
      expect(said, name).not.toContain("honey");
    }
  });

  test("a folder of the operator's is hidden even inside one that may be read", async () => {
    for (const name of ["tree", "tools", "tools/data"]) mkdirSync(at(name));
    writeFileSync(at("tools/tool"), "a tool");
    writeFileSync(at("tools/data/secret"), "honey-in-the-data-folder");
    const said = await run(at("tree"), `cat ${at("tools/tool")} ${at("tools/data/secret")}`, {
      secret: [at("tools/data")],
      read: [at("tools")],
    });
    expect(said).toContain("a tool");
    expect(said).not.toContain("honey");
  });

  test("of /etc it sees what programs need, and no keys", async () => {
    mkdirSync(at("tree"));
    const said = await run(
      at("tree"),
      "ls /etc /etc/ssl; cat /etc/shadow; id -un; cat /proc/self/status | grep CapEff",
    );
    expect(said).toMatch(/^passwd$/mu);
    expect(said).not.toMatch(/^(?:shadow|gitconfig|private)$/mu);
    expect(said).toContain("CapEff:\t0000000000000000");
  });

  test("a program that only a folder of the worktree has is not run in its stead", async () => {
    mkdirSync(at("tree"));
    writeFileSync(at("tree/agent"), `#!/bin/sh\ntouch ${at("ran-outside")}\n`, { mode: 0o755 });
    const sandbox = bubblewrapSandbox({ binary: "bwrap", searchPath, secret: [], read: [] });
    const order = {
      file: "agent",
      args: [],
      cwd: at("tree"),
      env: { PATH: `.:${searchPath}` },
      stdin: undefined,
      runId: `bubblewrap/${folder}`,
      stallMs: 30_000,
      turnMs: 30_000,
    };
    const confinement = { write: [at("tree")], read: [], network: "none", limits: {} } as const;
    const signal = new AbortController().signal;
    for await (const said of runConfined({ sandbox, confinement }, order, systemClock(), signal))
      if (said.type === "end") expect(said.end.failedToStart).toBe("ENOENT");
    expect(existsSync(at("ran-outside"))).toBe(false);
  });

  test("a program keeps the name it was called by, and one from elsewhere is found by its own", async () => {
    for (const name of ["tree", "bin", "far"]) mkdirSync(at(name));
    writeFileSync(at("far/many"), '#!/bin/sh\necho "called $0"\n', { mode: 0o755 });
    symlinkSync(at("far/many"), at("bin/one"));
    const path = `${at("bin")}:${searchPath}`;
    const called = async (file: string): Promise<readonly string[]> => {
      const sandbox = bubblewrapSandbox({ binary: "bwrap", searchPath, secret: [], read: [] });
      const order = {
        file,
        args: [],
        cwd: at("tree"),
        env: { PATH: path },
        stdin: undefined,
        runId: `bubblewrap/${folder}`,
        stallMs: 30_000,
        turnMs: 30_000,
      };
      const confinement = { write: [at("tree")], read: [], network: "none", limits: {} } as const;
      const lines: string[] = [];
      const signal = new AbortController().signal;
      for await (const said of runConfined({ sandbox, confinement }, order, systemClock(), signal))
        if (said.type === "line") lines.push(said.line);
      return lines;
    };
    expect(await called("one")).toEqual([`called ${at("bin/one")}`]);
    symlinkSync(at("far/many"), at("tree/../elsewhere"));
    expect(await called(at("elsewhere"))).toEqual([`called ${at("far/many")}`]);
  });
});
