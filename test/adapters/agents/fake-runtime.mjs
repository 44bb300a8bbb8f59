// Stands in for a runtime's binary: notes how it was called, then prints what `stream.jsonl` beside FAKE holds.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const part = JSON.parse(readFileSync(process.env.FAKE, "utf8"));
const args = process.argv.slice(2);
if (args[0] === "--version") {
  console.log(part.version ?? "fake 1.2.3");
  process.exit(part.versionExit ?? 0);
}
if (args[0] === "login") process.exit(part.loginExit ?? 1);
const schemaAt = args.indexOf("--output-schema");
const stdin = readFileSync(0, "utf8");
const schema = schemaAt === -1 ? undefined : readFileSync(args[schemaAt + 1], "utf8");
appendFileSync(
  part.notes,
  `${JSON.stringify({ args, stdin, schema, env: process.env, cwd: process.cwd() })}\n`,
);
for (const line of part.lines) {
  process.stdout.write(`${line}\n`);
  if (part.gapMs) await sleep(part.gapMs);
}
if (part.stderr) process.stderr.write(part.stderr);
if (part.hang) {
  process.on("SIGTERM", () => process.exit(143));
  setInterval(() => existsSync("/"), 1_000);
} else process.exitCode = part.exit ?? 0;
