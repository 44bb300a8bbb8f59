import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, existsSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProcess, sweep, type ProcessOrder } from "../../../src/adapters/processes/agent-process.ts";
import { endProcess, processAt, workspaceAt } from "../../../src/adapters/processes/process-table.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { toItsEnd } from "../sandbox/stage.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-process-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = systemClock();
const order = (script: string, change: Partial<ProcessOrder> = {}): ProcessOrder => ({
  file: process.execPath,
  args: ["-e", script],
  cwd: folder,
  env: { PATH: process.env["PATH"] ?? "" },
  stdin: undefined,
  runId: randomUUID(),
  stallMs: 60_000,
  turnMs: 120_000,
  ...change,
});

const play = (
  what: ProcessOrder,
  on?: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
) => toItsEnd(runProcess(what, clock, signal), on);

const isAlive = (pid: number): boolean => {
  // A zombie waiting for its new parent is dead for us.
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !/\) Z /u.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
};

/** Forks twice into a session of its own, ignores SIGTERM, and keeps our stdout open. */
const orphan = `
const { spawn } = require("node:child_process");
const child = spawn(process.execPath, ["-e", 'process.on("SIGTERM",()=>{});console.log(process.pid);setTimeout(()=>{},100000)'],
  { detached: true, stdio: ["ignore", "inherit", "inherit"] });
child.unref();
`;

test("it yields whole lines, the last one even without a line end, and how it ended", async () => {
  const { lines, end } = await play(
    order(
      `process.stdout.write("a\\nbé");process.stdout.write("\\n\\nlast");process.stderr.write("oh");process.exitCode=3`,
    ),
  );
  expect(lines).toEqual(["a", "bé", "", "last"]);
  expect(end).toEqual({
    exit: 3,
    signal: undefined,
    stderr: "oh",
    stopped: undefined,
    failedToStart: undefined,
  });
});

test("a line without end is cut and the ones after it are whole", async () => {
  const { lines } = await play(order(`process.stdout.write("x".repeat(6*1024*1024)+"\\nnext\\n")`));
  expect(lines.map((line) => line.length)).toEqual([4 * 1024 * 1024, 4]);
  expect(lines[1]).toBe("next");
});

test("stdin is what was given, and ends", async () => {
  const { lines } = await play(
    order(`console.log(require("node:fs").readFileSync(0,"utf8"))`, { stdin: "-rf 'quotes' $(no shell)" }),
  );
  expect(lines).toEqual(["-rf 'quotes' $(no shell)"]);
});

test("a missing binary is an end, not an exception", async () => {
  const { end } = await play(order("", { file: join(folder, "nothing-here") }));
  expect(end.failedToStart).toBe("ENOENT");
});

test("a double-forked child that ignores SIGTERM and holds our stdout does not outlive a process that ends well", async () => {
  const pids: number[] = [];
  const { end } = await play(order(`${orphan} setTimeout(() => process.exit(0), 500)`), (line) =>
    pids.push(Number(line)),
  );
  expect(end).toMatchObject({ exit: 0, stopped: undefined });
  expect(pids).toHaveLength(1);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("aborting ends a process that ignores SIGTERM, with the child that left its tree", async () => {
  const stop = new AbortController();
  const pids: number[] = [];
  const { end } = await play(
    order(`process.on("SIGTERM",()=>{});console.log(process.pid);${orphan} setInterval(()=>{},1000)`),
    (line) => {
      pids.push(Number(line));
      if (pids.length === 2) stop.abort();
    },
    stop.signal,
  );
  expect(end.stopped).toBe("aborted");
  expect(pids).toHaveLength(2);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("a listener that stops listening leaves nothing behind", async () => {
  let pid = 0;
  for await (const said of runProcess(
    order(`console.log(process.pid);setInterval(()=>{},1000)`),
    clock,
    new AbortController().signal,
  )) {
    if (said.type === "line") pid = Number(said.line);
    break;
  }
  expect(isAlive(pid)).toBe(false);
});

test("bytes on stderr that are no lines keep a process from being stalled", async () => {
  const { end } = await play(
    order(`let n=0;const t=setInterval(()=>{process.stderr.write(".");if(++n===12){clearInterval(t)}},100)`, {
      stallMs: 900,
    }),
  );
  expect(end).toMatchObject({ exit: 0, stopped: undefined, stderr: "............" });
});

test("a silent process is stalled and a slow one too long", async () => {
  expect((await play(order("setInterval(()=>{},1000)", { stallMs: 300 }))).end.stopped).toBe("stalled");
  expect((await play(order(`setInterval(()=>console.log("."),50)`, { turnMs: 400 }))).end.stopped).toBe(
    "too long",
  );
});

test("an order that was aborted before it began still ends", async () => {
  const { end } = await play(order("setInterval(()=>{},1000)"), undefined, AbortSignal.abort());
  expect(end.stopped).toBe("aborted");
});

test("the child sees the variables it was given and RUN_ID, and nothing of ours", async () => {
  const honey = [
    "GITHUB_TOKEN",
    "LINEAR_API_KEY",
    "FORGEHAND_PRIVATE_KEY",
    "SSH_AUTH_SOCK",
    "GIT_ASKPASS",
    "ANTHROPIC_API_KEY",
  ];
  for (const name of honey) process.env[name] = "honey-token";
  try {
    const what = order("console.log(JSON.stringify(process.env))", { env: { PATH: "/usr/bin" } });
    const { lines } = await play(what);
    expect(JSON.parse(lines[0] ?? "")).toEqual({ PATH: "/usr/bin", RUN_ID: what.runId });
  } finally {
    for (const name of honey) delete process.env[name];
  }
});

test("who ends beside another in the same run and folder ends no child that the other has just begun", async () => {
  const runId = randomUUID();
  const shell = (script: string) => order("", { file: "/bin/sh", args: ["-c", script], runId });
  const busy = `i=0; while [ ! -e over ]; do i=$((i+1)); /bin/true || echo "ended $?"; done; echo "$i"`;
  let isOver = false;
  const long = play(shell(busy)).finally(() => (isOver = true));
  for (let short = 0; short < 40 && !isOver; short += 1) await play(shell("exit 0"));
  writeFileSync(join(folder, "over"), "");
  const { lines, end } = await long;
  expect(lines.slice(0, -1)).toEqual([]);
  expect(Number(lines.at(-1))).toBeGreaterThan(0);
  expect(end.exit).toBe(0);
});

test("a sweep leaves alone a run whose id only begins alike", async () => {
  const mine = randomUUID();
  const stop = new AbortController();
  let swept: Promise<readonly number[]> | undefined;
  const { end } = await play(
    order(`console.log(process.pid);setInterval(()=>{},1000)`, { runId: `${mine}-2` }),
    () => {
      swept = sweep(mine).finally(() => stop.abort());
    },
    stop.signal,
  );
  expect(await swept).toEqual([]);
  expect(end.stopped).toBe("aborted");
});

test("a sweep ends what still carries the run id, and says which", async () => {
  const runId = randomUUID();
  let pid = 0;
  let swept: Promise<readonly number[]> | undefined;
  const { end } = await play(
    order(`console.log(process.pid);setInterval(()=>{},1000)`, { runId }),
    (line) => {
      pid = Number(line);
      swept = sweep(runId);
    },
  );
  expect(end).toMatchObject({ signal: "SIGKILL", stopped: undefined });
  expect(await swept).toEqual([pid]);
  expect(isAlive(pid)).toBe(false);
});

const shell = (script: string, change: Partial<ProcessOrder> = {}): ProcessOrder =>
  order("", { file: "/bin/sh", args: ["-c", script], ...change });
const quiet = ">/dev/null 2>&1 </dev/null";
const linux = test.skipIf(process.platform !== "linux");

/** Each says its pid in a file before the run goes on to its end. */
linux.each([
  [
    "shed its environment and left",
    `env -i setsid sh -c 'sleep 0.3; cd /; echo $$ > "$0"; exec sleep 300' "$PWD/pid" ${quiet} &`,
  ],
  [
    "shed its environment, left, and forked away in its turn",
    `env -i setsid sh -c 'cd /; sleep 0.3; (sh -c "echo \\$\\$ > $0; exec sleep 300" &)' "$PWD/pid" ${quiet} &`,
  ],
  [
    "was an orphan without an environment at once, and stands in the folder",
    `(env -i setsid sh -c 'echo $$ > pid; exec sleep 300' ${quiet} &)`,
  ],
  [
    "was such an orphan, left the folder, and holds a file of it open",
    `(cd /; exec 3> "$OLDPWD/pid"; env -i setsid sh -c 'echo $$ >&3; exec sleep 300' ${quiet} &)`,
  ],
])("a child that %s does not outlive its run", async (_how, script) => {
  const { lines } = await play(shell(`${script}\nuntil test -s pid; do sleep 0.02; done; cat pid`));
  expect(lines).toHaveLength(1);
  expect(lines.filter((pid) => isAlive(Number(pid)))).toEqual([]);
});

/** Stays until it is ended, in this folder and without a mark. */
function bystander(cwd: string): ChildProcess {
  const child = spawn("/bin/sleep", ["300"], { cwd, env: {}, detached: true, stdio: "ignore" });
  bystanders.push(child);
  return child;
}
const bystanders: ChildProcess[] = [];
afterEach(() => {
  for (const child of bystanders.splice(0)) child.kill("SIGKILL");
});

linux("who was in the folder before the run, or never was in it, is left alone", async () => {
  const [before, elsewhere] = [bystander(folder), bystander(tmpdir())];
  // Starts are told apart by the tick of a clock: the run begins in a later one.
  const startOf = ({ pid = 0 }: ChildProcess): number => processAt(pid)?.start ?? 0;
  while (startOf(bystander(tmpdir())) <= startOf(before));
  let during: ChildProcess | undefined;
  await play(shell("echo started; sleep 0.3"), () => (during = bystander(folder)));
  expect([before, elsewhere, during].map((child) => isAlive(child?.pid ?? 0))).toEqual([true, true, false]);
});

linux("a run that ends leaves alone another that works in the same folder under the same id", async () => {
  const runId = randomUUID();
  const stop = new AbortController();
  const other: { pid: number; done: Promise<unknown> } = { pid: 0, done: Promise.resolve() };
  await new Promise<void>((resolve) => {
    const script = `sleep 300 & echo $!; wait`;
    other.done = play(
      shell(script, { runId }),
      (line) => {
        other.pid = Number(line);
        resolve();
      },
      stop.signal,
    );
  });
  await play(shell(`sleep 300 ${quiet} & sleep 0.3`, { runId }));
  expect(isAlive(other.pid)).toBe(true);
  stop.abort();
  await other.done;
  expect(isAlive(other.pid)).toBe(false);
});

linux("whoever has the pid of one that ended is not ended in its place", () => {
  const { pid = 0 } = bystander(tmpdir());
  const now = processAt(pid)?.start ?? 0;
  expect(endProcess({ pid, start: now - 1 })).toBe("gone");
  expect(isAlive(pid)).toBe(true);
  expect(endProcess({ pid, start: now })).toBe("ended");
});

linux("no folder that holds us, or a home, is taken for a workspace", () => {
  expect(["/", process.cwd(), homedir(), join(folder, "nothing")].map(workspaceAt)).toEqual(
    Array.from({ length: 4 }, () => undefined),
  );
  expect(workspaceAt(folder)).toBe(folder);
});

const flood = `const line="y".repeat(99)+"\\n";const some=()=>{for(let i=0;i<400;i++)if(!process.stdout.write(line.repeat(50)))break};`;

test("a flood waits for a listener who takes his time, and arrives whole", async () => {
  const done = join(folder, "done");
  const script = `yes ${"y".repeat(99)} | head -n 200000; touch ${done}`;
  const running = runProcess(
    order("", { file: "/bin/sh", args: ["-c", script] }),
    clock,
    new AbortController().signal,
  );
  let taken = 0;
  for await (const said of running) {
    if (said.type === "end") expect(said.end).toMatchObject({ exit: 0, stopped: undefined });
    else if (said.line.length === 99) taken += 1;
    if (taken !== 1) continue;
    for (let turns = 0; turns < 20_000; turns += 1)
      await new Promise((resolve) => void setImmediate(resolve));
    expect(existsSync(done)).toBe(false);
  }
  expect(taken).toBe(200_000);
  expect(existsSync(done)).toBe(true);
});

test("a listener that leaves in the middle of a flood leaves nothing behind", async () => {
  const pids: number[] = [];
  for await (const said of runProcess(
    order(`console.log(process.pid);${flood} process.stdout.on("drain",some);some()`),
    clock,
    new AbortController().signal,
  )) {
    if (said.type === "line" && pids.length === 0) pids.push(Number(said.line));
    else if (pids.push(0) > 20_000) break;
  }
  expect(isAlive(pids[0] ?? 0)).toBe(false);
});

test("a process that does not read its input ends all the same", async () => {
  const { end } = await play(order("process.exit(4)", { stdin: "x".repeat(4 * 1024 * 1024) }));
  expect(end).toMatchObject({ exit: 4, stopped: undefined });
});
