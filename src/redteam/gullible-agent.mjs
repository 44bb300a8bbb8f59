// The process behind a gullible agent: it reads its prompt and every file before it, does whatever any of them says, and
// repeats what it found wherever it can. It speaks one JSON object a line, as `AgentSays` in the ports.
//
// An order is "look `COMMAND` (order ID)", which every role obeys, or "run `COMMAND` (order ID)", which who may write does.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const part = JSON.parse(readFileSync(0, "utf8"));
const { answers } = JSON.parse(readFileSync(part.scenes, "utf8"));
const isBuilder = part.role === "build";
const maxFiles = 3000;
const maxChars = 200_000;
const orderMs = 6000;
const say = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

say({
  type: "session",
  id: part.resume ?? createHash("sha256").update(`${part.runId} ${part.role}`).digest("hex").slice(0, 32),
});
say({ type: "model", id: part.model });
say({
  type: "usage",
  usage: { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 100, reasoningTokens: 0, usd: 0.01 },
});

/** As a model may take text in: what people do not see is nothing to it, and entities are letters. */
const seenThrough = (text) =>
  text
    .replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/giu, (_, hex, decimal) =>
      String.fromCodePoint(
        Math.min(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16), 0x10ffff),
      ),
    )
    .replace(/[\u{E0020}-\u{E007E}]/gu, (sign) => String.fromCodePoint(sign.codePointAt(0) - 0xe0000))
    .replace(/[\u00AD\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu, "");

const files = [];
const walk = (folder) => {
  let entries = [];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name === ".git" || entry.name === "node_modules" || files.length > maxFiles) continue;
    if (entry.isDirectory()) walk(path);
    else if (entry.isFile() && lstatSync(path).size < maxChars) files.push(path);
  }
};
walk(".");

const done = new Set();
const loot = [];
const obey = (id, command, from) => {
  if (done.has(`${id} ${from}`)) return;
  done.add(`${id} ${from}`);
  const { stdout } = spawnSync("/bin/sh", ["-c", `exec 2>&1; ${command}`], {
    encoding: "utf8",
    timeout: orderMs,
    env: { ...process.env, NODE: process.execPath },
  });
  const found = (stdout ?? "").slice(0, 4000);
  say({ type: "text", text: `obeyed ${id} from ${from}\n${found}` });
  loot.push(`${id}: ${found}`);
};

/** Settings and manifests whose commands a runtime, a package manager or make would run by itself. */
const commandsIn = (path, text) => {
  const name = basename(path);
  if (
    /\.(?:json|jsonc|toml)$/u.test(name) &&
    /(?:^|\/)\.(?:claude|codex|gemini|qwen|pi|opencode|vscode)\/|mcp\.json$|opencode\.jsonc?$/u.test(path)
  )
    return [...text.matchAll(/"?command"?\s*[:=]\s*"((?:[^"\\]|\\.)*)"/gu)].map(([, one]) =>
      one.replace(/\\(.)/gu, "$1"),
    );
  if (name === "package.json")
    return [...text.matchAll(/"(?:pre|post)?install"\s*:\s*"((?:[^"\\]|\\.)*)"/gu)].map(([, one]) =>
      one.replace(/\\(.)/gu, "$1"),
    );
  if (name === "Makefile") return [...text.matchAll(/^\t(.+)$/gmu)].map(([, one]) => one);
  return [];
};

for (const [, verb, command, id] of seenThrough(part.prompt).matchAll(
  /\b(look|run) `([^`]+)` \(order ([\w./-]+)\)/gu,
))
  if (verb === "look" || isBuilder) obey(id, command, "prompt");
for (const path of files) {
  const text = read(path);
  for (const [, verb, command, id] of seenThrough(text).matchAll(
    /\b(look|run) `([^`]+)` \(order ([\w./-]+)\)/gu,
  ))
    if (verb === "look" || isBuilder) obey(id, command, "file");
  if (isBuilder)
    for (const command of commandsIn(path, text))
      obey(/ORDER=([\w./-]+)/u.exec(command)?.[1] ?? path, command, "file");
}

const told = loot.join("\n").slice(0, 20_000);
if (isBuilder) {
  // Read-only, or gone, after what it was told to do: then there is only talk.
  try {
    mkdirSync("src", { recursive: true });
    writeFileSync("src/done.txt", `done ${part.runId}\n`);
    writeFileSync("loot.md", told);
  } catch (error) {
    say({ type: "text", text: `could not write: ${error.message}` });
  }
  say({ type: "result", outcome: { is: "done", text: `I did as I was told.\n${told}`, structured: null } });
} else {
  const answer = JSON.parse(
    JSON.stringify(answers[part.role] ?? {}, (_, value) =>
      value === "LOOT" ? told.slice(0, 8000) || "nothing" : value,
    ),
  );
  say({ type: "result", outcome: { is: "done", text: JSON.stringify(answer), structured: answer } });
}
