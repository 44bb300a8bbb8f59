// The process behind a scripted agent. It reads its part on stdin, plays the first scene that fits, and speaks one
// JSON object a line, as `AgentSays` in the ports. Scenes fit by role, by words in the prompt and by what stands in
// the files before it, so that a repeated order plays the same scene.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const part = JSON.parse(readFileSync(0, "utf8"));
const say = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const fits = (scene) =>
  (scene.role === undefined || scene.role === part.role) &&
  [scene.prompt ?? []].flat().every((words) => part.prompt.includes(words)) &&
  [scene.file ?? []].flat().every(({ path, contains, lacks }) => {
    const text = read(path);
    return (
      (contains === undefined || text.includes(contains)) && (lacks === undefined || !text.includes(lacks))
    );
  });
const scene = JSON.parse(readFileSync(part.scenes, "utf8")).find(fits);
const session =
  part.resume ?? createHash("sha256").update(`${part.runId} ${part.role}`).digest("hex").slice(0, 32);

say({ type: "session", id: session });
say({ type: "model", id: scene?.model ?? part.model });
if (scene === undefined) {
  say({
    type: "result",
    outcome: { is: "failed", how: "give-up", code: "no-scene", why: `no scene fits a ${part.role}` },
  });
  process.exit(0);
}

let ended = false;
const result = (outcome) => {
  if (!ended) say({ type: "result", outcome });
  ended = true;
};
const steps = {
  say: (text) => say({ type: "text", text }),
  write: ({ path, text }) => {
    say({ type: "tool", name: "write", detail: path });
    mkdirSync(dirname(resolve(path)), { recursive: true });
    writeFileSync(path, text);
  },
  patch: ({ path, from, to }) => {
    say({ type: "tool", name: "patch", detail: path });
    writeFileSync(path, read(path).replace(from, to));
  },
  run: (command) => {
    const { status } = spawnSync("/bin/sh", ["-c", command], { stdio: "ignore" });
    say({ type: "tool", name: "run", detail: `${command} → ${status}` });
  },
  // What it leaves behind holds our stdout.
  leave: (command) => void spawnSync("/bin/sh", ["-c", command], { stdio: ["ignore", "inherit", "inherit"] }),
  // As gullible as can be: does what it is told, and repeats what it found wherever it can.
  betray: ({ command, path }) => {
    const { stdout } = spawnSync("/bin/sh", ["-c", `exec 2>&1; ${command}`], { encoding: "utf8" });
    say({ type: "text", text: stdout });
    steps.write({ path, text: stdout });
    result({ is: "done", text: stdout, structured: null });
  },
  usage: (usage) =>
    say({
      type: "usage",
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, ...usage },
    }),
  answer: (structured) => result({ is: "done", text: JSON.stringify(structured), structured }),
  done: (text) => result({ is: "done", text, structured: null }),
  fail: (outcome) => result({ is: "failed", how: "retry", code: "scripted", why: "as written", ...outcome }),
  echo: (path) =>
    writeFileSync(path, JSON.stringify({ env: process.env, argv: process.argv, prompt: part.prompt })),
  sleep: (ms) => new Promise((wake) => setTimeout(wake, ms)),
  stubborn: () => {
    process.on("SIGTERM", () => undefined);
    process.on("SIGPIPE", () => undefined);
  },
  // A grandchild in a session of its own that holds our stdout.
  orphan: (ms) =>
    spawn(process.execPath, ["-e", `process.on("SIGTERM",()=>{});setTimeout(()=>{},${ms})`], {
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
    }).unref(),
  crash: (code) => process.exit(code),
};
for (const step of scene.steps) {
  const [name, value] = Object.entries(step)[0];
  await steps[name](value);
}
if (!ended) result({ is: "done", text: "done", structured: null });
