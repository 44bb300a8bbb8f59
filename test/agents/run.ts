/**
 * `npm run test:agents`: one ticket with the real `claude` and `codex` binaries, both ways round, and every case of
 * trouble with each real binary, against a scripted model server inside a network namespace that has nothing but a
 * loopback. What cannot run here is skipped with its reason, never passed. With `-- --table` the results are written
 * into `docs/agents.md`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { writeTable } from "./table.ts";

/** The versions whose behaviour the adapters were written against. */
const packages = {
  "@openai/codex": "0.169.0",
  "@anthropic-ai/claude-code": "2.1.329",
  "@mariozechner/pi-coding-agent": "0.73.1",
} as const;
const folder = resolve(".agents-under-test");
const plays = 77;

function skip(why: string): never {
  console.log(`skipped: ${why}`);
  console.log(`0 passed, 0 failed, ${plays} skipped`);
  process.exit(0);
}

function install(): void {
  const binaries = ["codex", "claude", "pi"].map((name) => join(folder, "node_modules", ".bin", name));
  if (binaries.every((path) => existsSync(path))) return;
  mkdirSync(folder, { recursive: true });
  const allowScripts = Object.fromEntries(Object.keys(packages).map((name) => [name, true]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts }));
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  const done = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--save-exact", ...wanted], {
    cwd: folder,
    encoding: "utf8",
    timeout: 300_000,
  });
  if (done.status !== 0)
    skip(
      `the agents could not be installed: ${(done.stderr || String(done.error)).trim().split("\n").at(-1)}`,
    );
}

/** Root needs no user namespace of its own; a plain user does. */
function namespace(): readonly string[] {
  const flags = process.getuid?.() === 0 ? "-n" : "-rn";
  const up = "ip link set lo up";
  const tried = spawnSync("unshare", [flags, "sh", "-c", up], { encoding: "utf8" });
  if (tried.status !== 0)
    skip(`no network namespace can be made here: ${(tried.stderr || String(tried.error)).trim()}`);
  return ["unshare", flags, "sh", "-c", `${up} && exec "$0" "$@"`];
}

install();
const [unshare = "unshare", ...flags] = namespace();
const results = mkdtempSync(join(tmpdir(), "agents-table-"));
const table = join(results, "table.json");
const inside = spawnSync(unshare, [...flags, process.execPath, "test/agents/inside.mjs", folder, table], {
  stdio: "inherit",
  timeout: 1_500_000,
});
const found = inside.status === 0 ? readFileSync(table, "utf8") : undefined;
rmSync(results, { recursive: true, force: true });
const servers = spawnSync(unshare, [...flags, process.execPath, "test/agents/inside-servers.mjs", folder], {
  stdio: "inherit",
  timeout: 300_000,
});
if (process.argv.includes("--table") && found !== undefined) writeTable(JSON.parse(found), "docs/agents.md");
process.exit((inside.status ?? 1) || (servers.status ?? 1));
