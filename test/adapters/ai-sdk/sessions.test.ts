/** What of a session outlives the process that led it. */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sweep } from "../../../src/adapters/processes/agent-process.ts";
import { processAt } from "../../../src/adapters/processes/process-table.ts";
import { comes, key, modelOf, openStand, sessionIn, tool, work, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

const sessions = (): string => stand.at("state", "ai-sdk", "own");
const fileOf = (session: string): string => `${sessions()}/${session}.jsonl`;

test("killed in the middle of a command, it goes on knowing that nobody knows how far that came", async () => {
  const order = stand.order([
    [
      tool("write", { path: "a.txt", text: "kept" }),
      tool("run", { command: "echo $$ > own.pid; sleep 600; true" }),
    ],
    { say: "?" },
  ]);
  const told = JSON.stringify({
    entry: stand.entry("anthropic"),
    home: stand.at("home"),
    stateDir: stand.at("state"),
    order,
  });
  const program = fileURLToPath(new URL("./child.ts", import.meta.url));
  const child = spawn(process.execPath, [program, told], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const pid = stand.at("tree", "own.pid");
  await comes(() => existsSync(pid) && readFileSync(pid, "utf8").endsWith("\n"));
  child.kill("SIGKILL");
  await new Promise((gone) => void child.once("close", gone));
  const left = Number(readFileSync(pid, "utf8"));
  expect(processAt(left)).toBeDefined();
  await sweep(order.runId);
  expect(processAt(left)).toBeUndefined();

  const lines = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Parameters<typeof sessionIn>[0][number]);
  expect(lines.map(({ type }) => type)).toEqual(["session", "model", "usage", "tool", "tool"]);
  const resume = sessionIn(lines);
  const { outcome } = await work(stand.agent("anthropic"), stand.order([{ say: "I looked." }], { resume }));
  expect(outcome).toMatchObject({ is: "done", text: "I looked." });
  const last = JSON.parse(stand.asked().at(-1) ?? "{}") as { messages: { content: unknown }[] };
  expect(last.messages.map(({ content }) => content)).toMatchObject([
    [{ type: "text" }],
    [{ type: "tool_use" }, { type: "tool_use" }],
    [
      { type: "tool_result", content: "a.txt is written" },
      { type: "tool_result", content: expect.stringContaining("this was interrupted"), is_error: true },
      { type: "text", text: expect.stringContaining("[[") },
    ],
  ]);
});

test("a torn last line is dropped, and what comes next stands on a line of its own", async () => {
  const { says } = await work(stand.agent("openai"), stand.order([{ say: "Hello é." }]));
  const resume = sessionIn(says);
  const whole = readFileSync(fileOf(resume));
  appendFileSync(
    fileOf(resume),
    Buffer.concat([Buffer.from('{"message":{"role":"user","content":"torn '), Buffer.from([0xc3])]),
  );
  const on = await work(stand.agent("openai"), stand.order([{ say: "Again." }], { resume }));
  expect(on.outcome).toMatchObject({ is: "done", text: "Again." });
  expect(stand.asked().at(-1)).not.toContain("torn");
  expect(readFileSync(fileOf(resume)).subarray(0, whole.length).equals(whole)).toBe(true);
  const lines = readFileSync(fileOf(resume), "utf8").trim().split("\n");
  for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  expect(lines).toHaveLength(5);
});

test.each([
  ["damaged in the middle", (text: string) => text.replace('"role"', '"rule"')],
  ["of a form the SDK no longer takes", (text: string) => text.replace('"type":"text"', '"type":"verse"')],
  ["without its head", (text: string) => text.slice(text.indexOf("\n") + 1)],
  ["empty", () => ""],
])("a session that is %s is unknown, so that a new one is begun", async (_name, damage) => {
  const { says } = await work(stand.agent("openai"), stand.order([{ say: "Hello." }]));
  const resume = sessionIn(says);
  writeFileSync(fileOf(resume), damage(readFileSync(fileOf(resume), "utf8")));
  const on = await work(stand.agent("openai"), stand.order([{ say: "?" }], { resume }));
  expect(on.outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
});

test("a session is private, holds no key, and is gone when nobody went on with it for long", async () => {
  const { says } = await work(
    stand.agent("openai"),
    stand.order([tool("run", { command: "env" }), { say: "Hello." }]),
  );
  const file = fileOf(sessionIn(says));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(sessions()).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, "utf8")).not.toContain(key);
  utimesSync(file, 0, 0);
  await work(stand.agent("openai"), stand.order([{ say: "Hello." }]));
  expect(readdirSync(sessions())).toHaveLength(1);
  expect(existsSync(file)).toBe(false);
});

test("a state folder that cannot be written fails the turn and not the process", async () => {
  writeFileSync(stand.at("no-folder"), "");
  const agent = stand.agent("openai", { stateDir: stand.at("no-folder") });
  const { outcome } = await work(agent, stand.order([{ say: "?" }]));
  expect(outcome).toMatchObject({
    how: "retry",
    code: "agent-failed",
    why: expect.stringContaining("ENOTDIR"),
  });
  mkdirSync(stand.at("gone"));
  const nowhere = await work(
    stand.agent("openai"),
    stand.order([{ say: "?" }], { cwd: stand.at("gone", "deep") }),
  );
  expect(nowhere.outcome).toMatchObject({ how: "give-up", code: "worktree-missing" });
});

test("the model that a stream names is the one that counts, whatever was asked for", async () => {
  const { says } = await work(
    stand.agent("anthropic"),
    stand.order([{ say: "Hello." }], { model: "claude-opus-5-5" }),
  );
  expect(says).toContainEqual({ type: "model", id: "claude-opus-5-5" });
  expect(modelOf.anthropic).not.toBe("claude-opus-5-5");
});
