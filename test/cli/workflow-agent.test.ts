/** Agents and shell commands under `forgehand workflow`, on the compiled program with agents that play a part. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runLogFolder } from "../../src/adapters/logs/log-paths.ts";
import { processAt } from "../../src/adapters/processes/process-table.ts";
import { run, start } from "./run.ts";

let dir: string;
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "workflow-agent-")));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const scenes = (...parts: readonly object[]) => ({
  FORGEHAND_SCENES: file("scenes.json", JSON.stringify(parts)),
});
const workflow = (env: Readonly<Record<string, string>>, ...argv: readonly string[]) =>
  run(["workflow", ...argv], env, dir);
interface Chat {
  readonly used: { readonly usd: number | null; readonly outputTokens: number };
  readonly attempts: readonly {
    readonly leaf: string;
    readonly attempt: number;
    readonly status: string;
    readonly agent: string | null;
    readonly session: string | null;
    readonly lines: readonly { readonly kind: string; readonly text: string }[];
  }[];
}
const chatOf = async (...argv: readonly string[]): Promise<Chat> =>
  (JSON.parse((await workflow({}, "chat", ...argv, "--json")).out) as { data: Chat }).data;

const flow = (body: string): string =>
  file(
    "flow.tsx",
    `import { Approval, leaf, Loop, Sequence, ShellOutput, Task, workflow } from "forgehand";
import { z } from "zod";
const greeting = leaf("greeting", z.object({ file: z.string(), words: z.number() }));
const check = leaf("check", ShellOutput);
export default workflow({
  name: "flow", input: z.object({}), output: z.unknown(),
  render: (ctx) => (<Sequence>${body}</Sequence>),
  result: (ctx) => ctx.latest(greeting) ?? ctx.latest(check) ?? null,
});
`,
  );
const greets = `<Task {...greeting} agent="claude-code" prompt="Write a greeting." />`;
const answers = { answer: { file: "hello.txt", words: 2 } };

test("an agent's work is checked by a command, its answer is the result, and chat tells the story", async () => {
  const env = scenes(
    { prompt: "does not fit", steps: [{ usage: { outputTokens: 5, usd: 0.25 } }, answers] },
    {
      prompt: "Write a greeting.",
      steps: [
        { say: "I write \u001b[31mit\u001b[0m." },
        { write: { path: "hello.txt", text: "hello world\n" } },
        { usage: { outputTokens: 10, usd: 0.5 } },
        { answer: { file: "hello.txt", words: "two" } },
      ],
    },
  );
  const path = flow(`${greets}<Task {...check} command="grep -c hello hello.txt" />`);
  const ended = await workflow(env, "run", path, "--run", "r1");
  expect(ended).toMatchObject({ code: 0, out: '{\n  "file": "hello.txt",\n  "words": 2\n}\n' });
  const { out, err } = await workflow({}, "chat", "r1");
  expect(out).toMatch(/^── greeting, attempt 1, claude-code on scripted, finished, \d{4}-/u);
  const lines = out.split("\n").map((line) => line.trimEnd().replace(/^\d\d:\d\d:\d\d /u, ""));
  expect(lines[1]).toBe("prompt   Write a greeting.");
  expect(lines).toContain("text     I write [31mit[0m.");
  expect(lines).toContain("tool     write hello.txt");
  expect(out).toContain('`words`: Invalid input: expected number, received string; the value is "two"');
  expect(lines).toContain("usage    0 tokens in, 5 out, $0.2500 (0 tokens in, 15 out, $0.7500 so far)");
  expect(lines.at(-2)).toBe('output   {"file":"hello.txt","words":2}');
  const { out: raw } = await run(["logs", "r1", "--raw"], env, dir);
  expect(raw.split("\n")).toContain('{"type":"tool","name":"write","detail":"hello.txt"}');
  expect(err).toContain("have used 0 tokens in, 15 out, $0.7500");
  const { used, attempts } = await chatOf("latest", "--task", "check");
  expect(used).toMatchObject({ usd: 0.75, outputTokens: 15 });
  expect(attempts).toMatchObject([
    {
      leaf: "check",
      agent: null,
      lines: [
        { kind: "prompt", text: "grep -c hello hello.txt" },
        { kind: "output", text: "1\n" },
      ],
    },
  ]);
  const nobody = await workflow({}, "chat", "r1", "--task", "nowhere");
  expect(nobody.code).toBe(5);
  expect(nobody.err).toContain('"nowhere" has said nothing in r1; those who have: greeting, check');
});

test("killed while an agent works that ignores SIGTERM, the next process ends it and goes on in its session", async () => {
  const env = scenes(
    { prompt: "You were interrupted", steps: [{ say: "I go on." }, answers] },
    { steps: [{ stubborn: true }, { run: "echo $PPID > pid" }, { orphan: 600_000 }, { sleep: 600_000 }] },
  );
  // An order before it, so that a session begun anew in the next process would have another id.
  const path = flow(`<Task id="before" command="true" />${greets}`);
  const running = start(["workflow", "run", path, "--run", "r1"], env, dir);
  await running.said("▸ greeting");
  const pid = join(dir, "pid");
  while (!existsSync(pid) || !readFileSync(pid, "utf8").endsWith("\n"))
    await new Promise((wake) => setImmediate(wake));
  // The session is kept with its first word, before the agent does anything; the row tells.
  while ((await chatOf("r1").catch(() => undefined))?.attempts[0]?.session == null);
  running.process.kill("SIGKILL");
  await running.ended;
  const agent = Number(readFileSync(pid, "utf8"));
  expect(processAt(agent)).toBeDefined();
  expect(await workflow(env, "resume", "r1")).toMatchObject({ code: 0 });
  expect(processAt(agent)).toBeUndefined();
  const { attempts } = await chatOf("r1");
  expect(attempts.map(({ status }) => status)).toEqual(["lost", "finished"]);
  expect(attempts[1]?.session).toBe(attempts[0]?.session);
  expect(attempts[1]?.lines[0]?.text).toMatch(/^You were interrupted\. Go on where you stopped/u);
});

test("interrupted while an agent works, it lets go of the run and ends by itself, and the run goes on later", async () => {
  const env = scenes(
    { prompt: "You were interrupted", steps: [answers] },
    { steps: [{ run: "echo $PPID > pid" }, { sleep: 600_000 }] },
  );
  const running = start(["workflow", "run", flow(greets), "--run", "r1"], env, dir);
  const pid = join(dir, "pid");
  while (!existsSync(pid) || !readFileSync(pid, "utf8").endsWith("\n"))
    await new Promise((wake) => setImmediate(wake));
  running.process.kill("SIGINT");
  const { code } = await running.ended;
  // Not as one that a signal ended.
  expect(code).toBe(3);
  expect(processAt(Number(readFileSync(pid, "utf8")))).toBeUndefined();
  expect(await workflow(env, "resume", "r1")).toMatchObject({ code: 0 });
});

test("cancelled while an agent works that ignores SIGTERM, nothing of it is left", async () => {
  const env = scenes({
    steps: [{ stubborn: true }, { run: "echo $PPID > pid" }, { say: "at work" }, { sleep: 600_000 }],
  });
  const running = start(["workflow", "run", flow(greets), "--run", "r1"], env, dir);
  const pid = join(dir, "pid");
  while (!existsSync(pid) || !readFileSync(pid, "utf8").endsWith("\n"))
    await new Promise((wake) => setImmediate(wake));
  expect(await workflow({}, "cancel", "r1")).toMatchObject({ code: 0 });
  expect(await running.ended).toMatchObject({ code: 2 });
  expect(processAt(Number(readFileSync(pid, "utf8")))).toBeUndefined();
});

test("an answer that never fits fails the run, with path and value, after its repairs", async () => {
  const env = scenes({ steps: [{ answer: { file: 7, words: 2 } }] });
  const { code, out } = await workflow(env, "run", flow(greets), "--run", "r1");
  expect(code).toBe(1);
  expect(out).toContain("does not fit after 3 rounds of repair: `file`: Invalid input: expected string");
  expect(out).toContain("the value is 7");
  const [attempt, ...more] = (await chatOf("r1")).attempts;
  expect(more).toEqual([]);
  expect(attempt?.lines.filter(({ kind }) => kind === "prompt")).toHaveLength(4);
});

test("a run works in the folder it was started in, wherever it is carried on", async () => {
  const path = flow(`<Approval id="go" ask="Go?" /><Task {...check} command="pwd" />`);
  expect(await workflow({}, "run", path, "--run", "r1")).toMatchObject({ code: 3 });
  expect(await workflow({}, "approve", "r1")).toMatchObject({ code: 0 });
  const elsewhere = join(dir, "elsewhere");
  mkdirSync(elsewhere);
  const database = join(dir, ".forgehand/workflows.db");
  const ended = await run(["workflow", "resume", "r1", "--database", database], {}, elsewhere);
  expect(ended).toMatchObject({ code: 0 });
  expect(JSON.parse(ended.out)).toMatchObject({ exit: 0, stdout: `${dir}\n` });
});

test("a command that fails names its exit code and shows what it wrote", async () => {
  const path = flow(`<Task {...check} command="echo 3 of 9 failed; exit 4" retries={0} />`);
  const { code, out } = await workflow({}, "run", path, "--run", "r1");
  expect(code).toBe(1);
  expect(out).toContain("`echo 3 of 9 failed; exit 4` ended with exit code 4:\n3 of 9 failed");
});

test.each([
  ["that is not installed", `"claude-code"`, "install it with `npm install -g @anthropic-ai/claude-code`"],
  [
    "that nobody knows",
    `"claude-cod"`,
    'no agent is called "claude-cod"; did you mean claude-code? Configured: claude-code, codex',
  ],
  [
    "and another, neither there",
    `{["codex", "claude-code"]}`,
    "install it with `npm install -g @openai/codex`",
  ],
])("an agent %s is refused before anything runs, with what to type", async (_what, agent, words) => {
  const env = { PATH: join(dir, "empty") };
  const path = flow(`<Task {...greeting} agent=${agent} prompt="p" />`);
  const refused = await workflow(env, "run", path, "--run", "r1");
  expect(refused.err).toContain(
    `"greeting" in workflow "flow" needs ${agent.includes("codex") ? "codex" : agent.slice(1, -1)}`,
  );
  expect(refused.err).toContain(words);
  expect(refused.code).toBe(4);
  expect(existsSync(join(dir, ".forgehand/workflows.db"))).toBe(false);
});

test("one agent of a chain is enough to begin, and the transcript says who was missing", async () => {
  const env = scenes({ steps: [answers] });
  const path = flow(`<Task {...greeting} agent={["nobody", "scripted"]} prompt="p" />`);
  expect(await workflow(env, "run", path, "--run", "r1")).toMatchObject({ code: 0 });
  const [attempt] = (await chatOf("r1")).attempts;
  expect(attempt).toMatchObject({ agent: "scripted" });
  expect(attempt?.lines[0]).toMatchObject({ kind: "waiting" });
  expect(attempt?.lines[0]?.text).toContain("scripted is tried in its place");
});

test("chat of a run without agents says so", async () => {
  const path = flow(`<Task {...check} command="true" />`);
  await workflow({}, "run", path, "--run", "r1");
  expect(await workflow({}, "chat", "r1")).toMatchObject({
    code: 0,
    out: "no agent has worked in r1 yet; see `forgehand workflow inspect r1`\n",
  });
});

test("what agents of ended runs said takes no more of the disk than the operator allows", async () => {
  const path = flow(`<Task {...check} command="true" />`);
  const kept = (id: string): string => runLogFolder(join(dir, ".forgehand/workflows.db"), id);
  mkdirSync(kept("r1"), { recursive: true });
  writeFileSync(join(kept("r1"), "one.jsonl.gz"), Buffer.alloc(2 * 1024 * 1024));
  expect(await workflow({ FORGEHAND_LOG_MB: "1" }, "run", path, "--run", "r1")).toMatchObject({ code: 0 });
  expect(existsSync(kept("r1"))).toBe(false);
});
