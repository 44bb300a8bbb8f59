/**
 * `npm run test:agents:acp [-- --write]`: the real agents of the Agent Client Protocol against a scripted model server
 * inside a network namespace that has nothing but a loopback. What cannot run here is skipped with its reason, never
 * passed. `--write` puts the table of results into docs/agents.md.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { install, namespace } from "./namespace.ts";

/** The versions whose behaviour the entries of src/adapters/agents/acp/agents.ts were written against. */
const whole = { "opencode-ai": "1.18.33", "@github/copilot": "1.0.102" } as const;
/** Of these, what is optional is another agent's binary or a terminal of their own. */
const bare = {
  "@qwen-code/qwen-code": "0.24.4",
  "@google/gemini-cli": "0.61.0",
  "@agentclientprotocol/claude-agent-acp": "0.100.0",
  "@agentclientprotocol/codex-acp": "2.6.0",
} as const;
const folder = resolve(".acp-agents-under-test");
const native = resolve(".agents-under-test", "node_modules", ".bin");
const docs = "docs/agents.md";

function skipAll(why: string): never {
  console.log(`skipped: ${why}`);
  console.log(`0 passed, 0 failed, ${Object.keys({ ...whole, ...bare }).length} skipped`);
  process.exit(0);
}

const problem =
  install(join(folder, "whole"), whole, { scripts: ["opencode-ai"] }) ??
  install(join(folder, "bare"), bare, { flags: ["--omit=optional"] });
if (problem !== undefined) skipAll(`the agents could not be installed: ${problem}`);
const inner = namespace();
if ("why" in inner) skipAll(`no network namespace can be made here: ${inner.why}`);
const [unshare = "unshare", ...flags] = inner.command;
const inside = spawnSync(
  unshare,
  [
    ...flags,
    process.execPath,
    "test/agents/inside-acp.mjs",
    folder,
    existsSync(native) ? native : "",
    ...only(),
  ],
  { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 64 * 1024 * 1024, encoding: "utf8", timeout: 1_800_000 },
);
process.stdout.write(inside.stdout);
const rows = inside.stdout.split("\n").filter((line) => line.startsWith("|"));
if (process.argv.includes("--write") && rows.length > 0) {
  const text = readFileSync(docs, "utf8");
  const marked = /(<!-- results of test:agents:acp -->\n)[\s\S]*?(<!-- end of results -->)/u;
  writeFileSync(
    docs,
    text.replace(marked, (_, begin: string, end: string) => `${begin}\n${rows.join("\n")}\n\n${end}`),
  );
}
const picked = only();
const sandboxes = spawnSync(
  unshare,
  [...flags, process.execPath, "test/agents/sandboxes.mjs", resolve(".agents-under-test"), folder],
  {
    stdio: "inherit",
    timeout: 1_500_000,
    env: { ...process.env, ...(picked.length === 0 ? {} : { AGENTS: picked.join(",") }) },
  },
);
process.exit(Math.max(inside.status ?? 1, sandboxes.status ?? 1));

/** Names behind the command pick agents. */
function only(): readonly string[] {
  return process.argv.slice(2).filter((name) => !name.startsWith("-"));
}
