/** What a model may touch: the worktree, and nothing beside it. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ServerTool } from "../../../src/adapters/agents/ai-sdk/mcp-tools.ts";
import type { Shop } from "../../../src/adapters/agents/ai-sdk/process-tools.ts";
import { toolsFor } from "../../../src/adapters/agents/ai-sdk/tools.ts";
import { openWorktree } from "../../../src/adapters/agents/ai-sdk/worktree.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { processAt } from "../../../src/adapters/processes/process-table.ts";
import { localSandbox } from "../../../src/adapters/sandboxes/local.ts";
import type { WorkOrder } from "../../../src/ports-agents.ts";
import { comes } from "./stand.ts";

let folder: string;
const at = (...names: readonly string[]): string => join(folder, ...names);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ai-sdk-tools-"));
  for (const name of ["tree/src", "tree/.git", "away"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("tree/src/a.txt"), "one\ntwo\nthree\n");
  writeFileSync(at("tree/.git/config"), "[core]\n");
  writeFileSync(at("away/secret.txt"), "honey-token");
  symlinkSync(at("away"), at("tree/door"));
  symlinkSync(at("away/secret.txt"), at("tree/window"));
  symlinkSync(at("tree/.git"), at("tree/alias"));
  symlinkSync(at("away/new.txt"), at("tree/dangling"));
  symlinkSync("src/a.txt", at("tree/inside"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shop = (more: Partial<Shop> = {}): Shop => ({
  cwd: at("tree"),
  env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: at("away") },
  runId: randomUUID(),
  place: undefined,
  clock: systemClock(),
  enter: undefined,
  leftMs: () => 60_000,
  ...more,
});
const tools = async (order: Partial<WorkOrder> = {}, served: readonly ServerTool[] = [], place = shop()) =>
  toolsFor({ access: "write", ...order }, await openWorktree(at("tree")), place, served);
const use = async (name: string, input: unknown, place?: Shop, signal = new AbortController().signal) => {
  const tool = (await tools({}, [], place)).get(name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return await tool.run(input, signal);
};

const outside = /is outside the folder you work in/u;
const ofGit = /belongs to git/u;
const places: readonly (readonly [string, () => string, RegExp])[] = [
  ["the folder above", () => "../away/secret.txt", outside],
  ["an absolute path elsewhere", () => at("away/secret.txt"), outside],
  ["a neighbour of the same beginning", () => at("tree-2/x"), outside],
  ["a way out and in again elsewhere", () => "src/../../away/secret.txt", outside],
  ["a link to a folder outside", () => "door/secret.txt", outside],
  ["a link to a file outside", () => "window", outside],
  ["git's own folder", () => ".git/config", ofGit],
  ["git's own folder in other letters", () => ".GIT/config", ofGit],
  ["a folder of git's further down", () => "src/.git/hooks/pre-commit", ofGit],
  ["a link to git's own folder", () => "alias/config", ofGit],
  ["a zero byte", () => "src/a.txt\0", /zero byte/u],
];
describe.each(places)("%s", (_name, path, why) => {
  test("is neither read nor written, nor listed, nor searched", async () => {
    const calls = [
      ["read", {}],
      ["write", { text: "mine" }],
      ["edit", { old: "o", new: "x" }],
      ["list", {}],
      ["search", { pattern: "." }],
    ] as const;
    for (const [name, more] of calls) {
      const { is, text } = await use(name, { path: path(), ...more });
      expect([name, is]).toEqual([name, "error"]);
      expect(text).toMatch(why);
      expect(text).not.toContain("honey-token");
    }
    expect(readFileSync(at("away/secret.txt"), "utf8")).toBe("honey-token");
    expect(readFileSync(at("tree/.git/config"), "utf8")).toBe("[core]\n");
    expect(existsSync(at("tree/src/.git"))).toBe(false);
  });
});

test("a link that leads nowhere is not written through", async () => {
  expect(await use("write", { path: "dangling", text: "mine" })).toMatchObject({ is: "error" });
  expect(await use("write", { path: "door/new.txt", text: "mine" })).toMatchObject({ is: "error" });
  expect(existsSync(at("away/new.txt"))).toBe(false);
});

test("a link within the worktree is followed, and an absolute path into it is one", async () => {
  expect(await use("read", { path: "inside" })).toEqual({ is: "ok", text: "one\ntwo\nthree\n" });
  await use("edit", { path: "inside", old: "two", new: "2" });
  expect(readFileSync(at("tree/src/a.txt"), "utf8")).toBe("one\n2\nthree\n");
  expect(await use("read", { path: at("tree/src/a.txt") })).toMatchObject({ is: "ok" });
});

test("what is no text file is told as such, and waits for nobody", async () => {
  execFileSync("/bin/sh", ["-c", `mkfifo ${at("tree/pipe")}`]);
  writeFileSync(at("tree/binary"), Buffer.from([1, 0, 2]));
  const said = async (path: string) => (await use("read", { path })).text;
  expect(await said("pipe")).toBe("pipe is no file");
  expect((await use("write", { path: "pipe", text: "x" })).is).toBe("error");
  expect(await said("binary")).toBe("binary is no text");
  expect(await said("src")).toMatch(/src is no file/u);
  expect(await said("none.txt")).toBe("none.txt does not exist");
  expect(await said("src/a.txt/b")).toBe("src/a.txt/b leads through a file");
  expect((await use("write", { path: "src", text: "x" })).text).toBe("src is a folder");
});

test("lines are read by their numbers, and a long file in parts", async () => {
  expect((await use("read", { path: "src/a.txt", from_line: 2, lines: 1 })).text).toBe(
    "[lines 2 to 2 of 3]\ntwo",
  );
  writeFileSync(at("tree/long.txt"), "x".repeat(9 * 1024 * 1024));
  const { is, text } = await use("read", { path: "long.txt" });
  expect(is).toBe("ok");
  expect(text.length).toBeLessThan(41_000);
  expect(text).toMatch(/and 1048576 bytes that cannot be read at once/u);
  expect((await use("edit", { path: "long.txt", old: "x", new: "y" })).text).toMatch(/too large/u);
});

test("an edit wants its passage there, and once only", async () => {
  expect((await use("edit", { path: "src/a.txt", old: "four", new: "4" })).text).toMatch(
    /is not in src\/a.txt/u,
  );
  expect((await use("edit", { path: "src/a.txt", old: "o", new: "0" })).text).toMatch(/is 2 times in/u);
  expect((await use("edit", { path: "src/a.txt", old: "o", new: "$&", occurrences: "all" })).text).toMatch(
    /changed in 2 places/u,
  );
  expect(readFileSync(at("tree/src/a.txt"), "utf8")).toBe("$&ne\ntw$&\nthree\n");
  expect((await use("edit", { path: "src/none", old: "o", new: "0" })).text).toBe("src/none does not exist");
  expect(existsSync(at("tree/src/none"))).toBe(false);
});

test("a call of the wrong form is answered with what is wrong", async () => {
  expect((await use("read", { file: "a" })).text).toMatch(/read was called wrongly.*expected string/su);
  expect((await use("run", "rm -rf /")).text).toMatch(/run was called wrongly/u);
});

test("a listing names folders with a slash and leaves out git's own and what was installed", async () => {
  mkdirSync(at("tree/node_modules/left"), { recursive: true });
  mkdirSync(at("tree/src/deep/er"), { recursive: true });
  const listed = async (input: object) => (await use("list", input)).text.split("\n");
  expect(await listed({})).toEqual([
    "alias",
    "dangling",
    "door",
    "inside",
    "node_modules/",
    "src/",
    "src/a.txt",
    "src/deep/",
    "window",
  ]);
  expect(await listed({ path: "src", depth: 1 })).toEqual(["src/a.txt", "src/deep/"]);
  expect(await listed({ name: "er", depth: 9 })).toEqual(["src/deep/er/"]);
  expect(await listed({ name: "nothing" })).toEqual(["[nothing there is called nothing]"]);
});

test("a search knows what git ignores, follows no link and obeys no repository's configuration", async () => {
  writeFileSync(at("tree/.gitignore"), "ignored.txt\n");
  writeFileSync(at("tree/ignored.txt"), "two\n");
  writeFileSync(at("away/two.txt"), "two\n");
  writeFileSync(at("tree/.git/HEAD"), "ref: refs/heads/main\n");
  mkdirSync(at("tree/.git/objects"));
  mkdirSync(at("tree/.git/refs"));
  const evil = `[core]\n\tfsmonitor = "touch ${at("touched")}"\n\tpager = "touch ${at("touched")}"\n`;
  writeFileSync(at("tree/.git/config"), evil);
  expect((await use("search", { pattern: "t.o$" })).text).toBe("src/a.txt:2:two");
  expect((await use("search", { pattern: "T.O", case: "any", path: "src" })).text).toBe("src/a.txt:2:two");
  expect((await use("search", { pattern: "t.o", kind: "text" })).text).toBe("[no line fits]");
  expect((await use("search", { pattern: "fsmonitor" })).text).toBe("[no line fits]");
  expect((await use("search", { pattern: "--help" })).text).toBe("[no line fits]");
  expect(await use("search", { pattern: "(" })).toMatchObject({ is: "error" });
  expect(existsSync(at("touched"))).toBe(false);
});

test("a command gives its exit code and what it wrote, in order, and sees no variable but those of the shop", async () => {
  process.env["GITHUB_TOKEN"] = "honey-token";
  const { text } = await use("run", { command: "echo a; echo b >&2; echo c; env; exit 3" });
  delete process.env["GITHUB_TOKEN"];
  expect(text).toMatch(/^\[exit code 3\]\na\nb\nc\n/u);
  expect(text).not.toContain("honey-token");
  expect(text).toMatch(/^RUN_ID=/mu);
});

test("a command that takes too long is ended, with what it wrote", async () => {
  const { text } = await use("run", { command: "echo begun; sleep 60", timeout_seconds: 1 });
  expect(text).toBe("[ended because it took longer than 1 s]\nbegun\n");
});

test("a command that passes a limit of this host is told which, not that it was slow", async () => {
  const allowance = { limits: { processes: 10 }, folders: [] };
  const enter: Shop["enter"] = async (order) => ({ order: { ...order, allowance }, leave: async () => {} });
  const command = "i=0; while [ $i -lt 30 ]; do i=$((i+1)); sleep 60 & done; wait";
  const { text } = await use("run", { command }, shop({ enter }));
  expect(text).toBe("[ended because it started more processes than FORGEHAND_AGENT_PROCESSES allows]\n");
});

test("of endless output beginning and end are kept", async () => {
  const { text } = await use("run", {
    command: "echo first; head -c 30000000 /dev/zero | tr '\\0' x; echo; echo last",
  });
  expect(text).toMatch(/^\[exit code 0\]\nfirst\n/u);
  expect(text).toMatch(/characters left out.*\nlast\n$/su);
  expect(text.length).toBeLessThan(45_000);
});

test("nothing a command started outlives it, whatever it ignores", async () => {
  const stubborn = `trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ > away.pid; sleep 600; true' & while [ ! -s away.pid ]; do sleep 0.05; done; echo over`;
  expect((await use("run", { command: stubborn })).text).toMatch(/over\n$/u);
  expect(processAt(Number(readFileSync(at("tree/away.pid"), "utf8")))).toBeUndefined();
});

test("an abort ends the command first", async () => {
  const stop = new AbortController();
  const running = use(
    "run",
    { command: "trap '' TERM; echo $$ > own.pid; sleep 600; true" },
    shop(),
    stop.signal,
  );
  const ended = expect(running).rejects.toThrow();
  await comes(
    () => existsSync(at("tree/own.pid")) && readFileSync(at("tree/own.pid"), "utf8").endsWith("\n"),
  );
  stop.abort();
  await ended;
  expect(processAt(Number(readFileSync(at("tree/own.pid"), "utf8")))).toBeUndefined();
});

test("a sandbox is entered for what the model runs, and left however that ends", async () => {
  const seen: string[] = [];
  const enter: Shop["enter"] = async (order) => {
    seen.push(`in ${order.file}`);
    return {
      order: {
        ...order,
        file: "/bin/sh",
        args: ["-c", `echo inside; exec "$@"`, "sh", order.file, ...order.args],
      },
      leave: async () => void seen.push("out"),
    };
  };
  expect((await use("run", { command: "echo there" }, shop({ enter }))).text).toBe(
    "[exit code 0]\ninside\nthere\n",
  );
  expect(await use("run", { command: "sleep 60", timeout_seconds: 1 }, shop({ enter }))).toMatchObject({
    is: "ok",
  });
  expect(seen).toEqual(["in /bin/sh", "out", "in /bin/sh", "out"]);
});

test("a command that passes a limit of the host is told so, and not that it was slow", async () => {
  const enter: Shop["enter"] = async (order) => {
    const limits = { diskMb: 4 };
    return await localSandbox().enter(order, { write: [at("tree")], read: [], network: "open", limits });
  };
  const command = "for i in 1 2 3 4 5 6 7 8 9; do head -c 1000000 /dev/urandom > large$i; done; sleep 60";
  const { text } = await use("run", { command }, shop({ enter }));
  expect(text).toMatch(/^\[ended because it wrote more than FORGEHAND_\w+ allows\]\n$/u);
});

const served = (rule: `mcp:${string}`, name: string): ServerTool => ({
  rule,
  name,
  description: name,
  input: {},
  run: async () => ({ is: "ok", text: "" }),
});
test.each<[string, Partial<WorkOrder>, readonly string[]]>([
  ["writing", {}, ["read", "list", "search", "write", "edit", "run", "wiki__find", "wiki__put"]],
  ["reading", { access: "read" }, ["read", "list", "search", "wiki__find", "wiki__put"]],
  ["a rule that allows", { tools: { allow: ["read", "mcp:wiki/find"] } }, ["read", "list", "wiki__find"]],
  ["a rule that allows a server", { tools: { allow: ["mcp:wiki"] } }, ["wiki__find", "wiki__put"]],
  ["a rule that denies", { tools: { deny: ["shell", "edit", "mcp:wiki"] } }, ["read", "list", "search"]],
  ["both", { tools: { allow: ["read", "shell"], deny: ["shell"] } }, ["read", "list"]],
  ["a rule that would widen", { access: "read", tools: { allow: ["edit", "shell", "search"] } }, ["search"]],
])("tools of an order: %s", async (_name, order, names) => {
  const two = [served("mcp:wiki/find", "wiki__find"), served("mcp:wiki/put", "wiki__put")];
  expect([...(await tools(order, two)).keys()]).toEqual(names);
});
