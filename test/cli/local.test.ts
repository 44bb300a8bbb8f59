/** A repository of somebody's, no account: from words to a merge through the command as it ships. */
import { existsSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync, chmodSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRecords } from "../../src/adapters/local/records.ts";
import { agentsHere, oneFamily, runtimeLabel } from "../../src/cli/local-agents.ts";
import { deskEnvironment } from "../../src/cli/local-place.ts";
import {
  groundOf,
  makeLocalFolder,
  openRepository,
  type LocalRepository,
} from "../../src/cli/local-repository.ts";
import { numberIn } from "../../src/cli/local-run.ts";
import { Problem } from "../../src/problems.ts";
import { openLocalStage, type LocalStage } from "../local-stage.ts";
import { fallback, usage } from "../world.ts";
import { run, start, type Ended } from "./run.ts";

let stage: LocalStage;
beforeEach(() => {
  stage = openLocalStage();
});
afterEach(() => stage.close());

const env = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: join(stage.dir, "home"),
  FORGEHAND_SCENES: join(stage.dir, "scenes.json"),
});
const scenes = (list: readonly object[]): void =>
  writeFileSync(join(stage.dir, "scenes.json"), JSON.stringify([...list, ...fallback]));
const forgehand = (...argv: readonly string[]): Promise<Ended> => run(argv, env(), stage.top);

test("a ticket survives a kill in the middle, waits for its person, and is merged by their approval", async () => {
  const go = join(stage.dir, "go");
  scenes([
    {
      role: "build",
      steps: [
        usage,
        { run: `until test -e ${go}; do sleep 0.05; done` },
        { write: { path: "src/done.txt", text: "done\n" } },
        { done: "wrote it" },
      ],
    },
  ]);
  const first = start(["run", "say done"], env(), stage.top);
  await first.said("#1 In Progress");
  first.process.kill("SIGKILL");
  await first.ended;
  writeFileSync(go, "");
  const second = await forgehand("run", "1", "--json");
  expect(second.code).toBe(3);
  const { data } = JSON.parse(second.out) as {
    data: { state: string; head: string; branch: string; next: string[] };
  };
  expect(data).toMatchObject({ state: "In Review", branch: "forgehand/1-say-done" });
  expect(data.next).toContain(`forgehand approve 1 ${data.head.slice(0, 7)}`);
  // No database is named anywhere: it is the one of this repository.
  const shown = await forgehand("diff", "1");
  expect(shown.out).toContain("+done");
  expect(shown.out).toContain("Review at");
  expect((await forgehand("ps")).out).toContain("local/shop#1\tIn Review");
  expect((await forgehand("approve", "1", "0000000")).code).toBe(4);
  const approved = await forgehand("approve", "1", data.head.slice(0, 7));
  expect(approved.out).toContain("merged into main");
  expect(approved.code).toBe(0);
  expect(stage.git("log", "-1", "--format=%s", "main")).toBe("say done (local-1)");
  expect(stage.git("status", "--porcelain")).toBe("");
  expect((await forgehand("ledger", "verify")).code).toBe(0);
  expect((await forgehand("ticket", "ls", "--all")).out).toContain("#1\tDone\tsay done");
  // Everything lies in the folder for state, and nothing in the repository.
  expect(existsSync(join(stage.dir, "home", ".local", "state", "forgehand", "local"))).toBe(true);
  expect(existsSync(join(stage.top, ".forgehand"))).toBe(false);
});

test("`up` without an App serves the tickets, and `open` leads to their dashboard", async () => {
  scenes([]);
  await forgehand("ticket", "new", "say done");
  const serving = start(["up"], env(), stage.top);
  await serving.said("dashboard http://127.0.0.1:");
  const opened = await forgehand("open", "--no-browser");
  expect(opened.code).toBe(0);
  expect(opened.out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/enter\?token=/u);
  const entered = await fetch(opened.out.trim(), { redirect: "manual" });
  expect(entered.headers.get("location")).toBe("/");
  stage.git("branch", "other");
  const elsewhere = await forgehand("run", "say more", "--base", "other");
  expect(elsewhere.err).toContain("serves this repository on main");
  expect((await forgehand("ticket", "ls")).out).not.toContain("say more");
  serving.process.kill("SIGTERM");
  expect((await serving.ended).code).toBe(0);
});

describe("what cannot be worked with is refused with what to type", () => {
  const problem = async (work: () => unknown): Promise<Problem> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error("no problem");
  };
  const repository = (): LocalRepository => {
    const opened = openRepository(env(), stage.top);
    makeLocalFolder(opened);
    return opened;
  };
  const ground = (base?: string): ReturnType<typeof groundOf> => groundOf(repository(), base);

  test("no repository, a bare one, the inside of one", async () => {
    expect((await problem(() => openRepository(env(), stage.dir))).code).toBe("local-no-repository");
    stage.git("clone", "-q", "--bare", ".", join(stage.dir, "bare.git"));
    expect((await problem(() => openRepository(env(), join(stage.dir, "bare.git")))).code).toBe("local-bare");
    expect((await problem(() => openRepository(env(), join(stage.top, ".git", "refs")))).code).toBe(
      "local-bare",
    );
    const told = await run(["run", "x"], env(), stage.dir);
    expect(told.code).toBe(4);
    expect(told.err).toContain("git init");
  });
  test("no commit yet", async () => {
    const empty = join(stage.dir, "empty");
    stage.git("init", "-q", empty);
    const opened = openRepository(env(), empty);
    makeLocalFolder(opened);
    expect((await problem(() => groundOf(opened, undefined))).message).toContain(
      "git commit -m 'First commit'",
    );
  });
  test("a shallow clone", async () => {
    stage.push("main", "b.txt", "b");
    const shallow = join(stage.dir, "shallow");
    stage.git("clone", "-q", "--depth=1", `file://${stage.top}`, shallow);
    const opened = openRepository(env(), shallow);
    makeLocalFolder(opened);
    expect((await problem(() => groundOf(opened, undefined))).message).toContain("git fetch --unshallow");
  });
  test("a detached head without a remote, a base that is not there, one that was renamed", async () => {
    stage.git("switch", "-q", "--detach");
    expect((await problem(() => ground())).message).toContain("HEAD is detached");
    expect((await problem(() => ground("nowhere"))).message).toContain("no branch nowhere. ".trim());
    expect(await ground("main")).toMatchObject({
      base: "main",
      notes: ["HEAD is detached; tickets grow from main"],
    });
    stage.git("branch", "-m", "main", "trunk");
    expect((await problem(() => ground())).message).toContain("no branch main any more");
    expect(await ground("trunk")).toMatchObject({ base: "trunk" });
  });
  test("another base while pull requests are open on the old one", async () => {
    await ground("main");
    stage.git("branch", "other");
    const { folder } = repository();
    const pull = {
      branch: "forgehand/1-x",
      base: "main",
      title: "",
      body: "",
      draft: false,
      open: true,
      head: "0",
    };
    openRecords(folder).keep({ is: "pull", number: 2, ...pull, reviews: [], comments: [], reactions: [] });
    expect((await problem(() => ground("other"))).message).toContain("forgehand/1-x");
  });
  test("a detached head with a remote stands on the remote's default; a dirty tree and another branch are told", async () => {
    stage.git("update-ref", "refs/remotes/origin/main", "main");
    stage.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main");
    stage.git("switch", "-q", "--detach");
    expect((await ground()).base).toBe("main");
    stage.git("switch", "-q", "-c", "mine");
    stage.write("README.md", "changed\n");
    const { notes } = await ground();
    expect(notes.join("\n")).toContain("you are on mine; tickets grow from main");
    expect(notes.join("\n")).toContain("1 uncommitted change is no part of the work");
  });
  test.skipIf(process.getuid?.() === 0)("a folder for state that cannot be written", async () => {
    chmodSync(join(stage.dir, "home"), 0o500);
    const found = await problem(() => repository());
    chmodSync(join(stage.dir, "home"), 0o700);
    expect(found.code).toBe("local-read-only");
  });
  test("a file in the way of the folder for state", async () => {
    writeFileSync(join(stage.dir, "home", ".local"), "");
    const found = await problem(() => repository());
    expect(found.code).toBe("local-read-only");
    expect(found.message).toContain("FORGEHAND_DATA_DIR");
  });
  test("no agent, and agents of one family alone", async () => {
    const bin = join(stage.dir, "bin");
    mkdirSync(bin);
    const { environment } = repository();
    const bare = { ...env(), PATH: bin };
    const none = await problem(() => agentsHere({ ...environment, scenes: undefined }, bare));
    expect(none.message).toMatch(/claude-code: .+; codex: /u);
    expect(none.message).toContain("npm install -g @openai/codex");
    scenes([]);
    const both = await agentsHere(environment, env());
    expect(oneFamily(both)).toBeUndefined();
    const alone = new Map([...both].slice(0, 1));
    expect(oneFamily(alone)?.message).toContain("Only anthropic models are here (claude-code)");
    expect(() => runtimeLabel("gemini", both)).toThrow("there is claude-code, codex");
  });
});

describe("a repository is told from others", () => {
  test("a worktree is its repository, a repository inside another is its own, a submodule too", () => {
    const place = (path: string): string => openRepository(env(), path).place.key;
    const own = place(stage.top);
    stage.git("worktree", "add", "-q", "-b", "side", join(stage.dir, "side"));
    expect(place(join(stage.dir, "side"))).toBe(own);
    mkdirSync(join(stage.top, "deep", "er"), { recursive: true });
    expect(place(join(stage.top, "deep", "er"))).toBe(own);
    symlinkSync(stage.top, join(stage.dir, "link"));
    expect(place(join(stage.dir, "link"))).toBe(own);
    stage.git("init", "-q", join(stage.top, "deep"));
    expect(place(join(stage.top, "deep", "er"))).not.toBe(own);
    stage.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", stage.top, "lib");
    const sub = place(join(stage.top, "lib"));
    expect(sub).toMatch(/^lib-/u);
    expect(sub).not.toBe(own);
  });
  test("its database is found by the folder somebody stands in, unless another is named", () => {
    const { environment } = openRepository(env(), stage.top);
    const own = () => deskEnvironment(env(), stage.top).database;
    expect(own()).toBe(join(stage.dir, "home", ".local", "state", "forgehand", "forgehand.db"));
    mkdirSync(environment.dataDir, { recursive: true });
    writeFileSync(environment.database, "");
    expect(own()).toBe(environment.database);
    expect(deskEnvironment({ ...env(), FORGEHAND_DATABASE: "/x.db" }, stage.top).database).toBe("/x.db");
    expect(deskEnvironment(env(), stage.dir).database).not.toBe(environment.database);
  });
  test.each([
    ["3", 3],
    ["#12", 12],
    ["local/shop#4", 4],
    ["fix 3 things", undefined],
    ["acme/web#3", undefined],
  ])("%s names %s", (text, number) => {
    expect(numberIn(text)).toBe(number);
  });
});

test("tickets are written, labelled, closed and shown without an agent or a database", async () => {
  rmSync(join(stage.dir, "scenes.json"), { force: true });
  const made = await forgehand(
    "ticket",
    "new",
    "Fix: the date test",
    "--body",
    "It fails on the 31st.",
    "--in-repo",
  );
  expect(made.out.trim()).toBe("#1");
  const path = join(stage.top, ".forgehand", "tickets", "0001-fix-the-date-test.md");
  expect(readFileSync(path, "utf8")).toContain("It fails on the 31st.");
  expect((await forgehand("ticket", "label", "1", "auto-merge")).out).toContain("#1: auto-merge");
  expect((await forgehand("ticket", "ls")).out).toContain("#1\tnot released\tFix: the date test\tauto-merge");
  expect((await forgehand("ticket", "show", "9")).code).toBe(5);
  expect(execFileSync("git", ["-C", stage.top, "status", "--porcelain"], { encoding: "utf8" })).toBe(
    "?? .forgehand/\n",
  );
});
