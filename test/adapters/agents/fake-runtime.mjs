// Stands in for a runtime's binary: notes how it was called, then prints what `stream.jsonl` beside FAKE holds.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const part = JSON.parse(readFileSync(process.env.FAKE, "utf8"));
const args = process.argv.slice(2);
if (args[0] === "--version") {
  console.log(part.version ?? "fake 1.2.3");
  process.exit(part.versionExit ?? 0);
}
if (args[0] === "login") process.exit(part.loginExit ?? 1);
const schemaAt = args.indexOf("--output-schema");
const isConversation = args[0] === "app-server";
const heard = [];
const stdin = isConversation ? "" : readFileSync(0, "utf8");
const schema = schemaAt === -1 ? undefined : readFileSync(args[schemaAt + 1], "utf8");
const note = (more) =>
  appendFileSync(
    part.notes,
    `${JSON.stringify({ args, stdin, schema, env: process.env, cwd: process.cwd(), ...more })}\n`,
  );
const say = (bytes) => new Promise((written) => process.stdout.write(bytes, written));
let ended = Promise.resolve();
let wake = () => undefined;
if (isConversation) {
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    heard.push(JSON.parse(line));
    wake();
  });
  ended = new Promise((resolve) => input.on("close", resolve));
} else note({});
/** An answer is recorded together with the number of what it answers: it waits until that was asked. */
const asked = async (line) => {
  if (!isConversation || line.startsWith('{"method"')) return;
  const { id } = JSON.parse(line);
  while (!heard.some((one) => one.id === id)) await new Promise((resolve) => (wake = resolve));
};
for (const [index, line] of part.lines.entries()) {
  await asked(line);
  if (part.huge === index) await say(`${"x".repeat(part.hugeBytes)}\n`);
  if (part.invalid === index) await say(Buffer.from([0xff, 0xfe, 0xc3, 0x28, 10, 0x80, 10]));
  if (part.chatter) process.stderr.write(`chatter ${index}: {"type":"result"} 401\n`);
  await say(`${line}\n`);
  if (part.gapMs) await sleep(part.gapMs);
}
if (part.stderr) process.stderr.write(part.stderr);
if (part.hang) {
  process.on("SIGTERM", () => process.exit(143));
  setInterval(() => existsSync("/"), 1_000);
} else {
  if (part.leaves) process.exit(part.exit);
  await ended;
  if (isConversation) note({ heard });
  process.exitCode = part.exit ?? 0;
}
