/** Fetches GitHub's published description of REST and webhooks: 385 MB on disk, which no plain install should cost. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const wanted = "@octokit/openapi@23.0.2";
const folder = resolve(".published-descriptions");
if (!existsSync(join(folder, "node_modules", "@octokit", "openapi", "package.json"))) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  const done = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--save-exact", wanted], {
    cwd: folder,
    encoding: "utf8",
    timeout: 300_000,
  });
  if (done.status !== 0) {
    console.error(`${wanted} could not be installed: ${done.stderr || String(done.error)}`);
    process.exit(1);
  }
}
