import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Remote } from "../src/ports.ts";
import { built } from "./built.ts";
import { figure, median, timed, type Benchmark } from "./measure.ts";

const files = 5_000;
const rounds = 9;
const nobody = {
  GIT_AUTHOR_NAME: "bench",
  GIT_AUTHOR_EMAIL: "bench@example.invalid",
  GIT_COMMITTER_NAME: "bench",
  GIT_COMMITTER_EMAIL: "bench@example.invalid",
};

/** A ticket's worktree on 5,000 files, fetch and checks included, beside `git worktree add` from the same mirror. */
export const workspace: Benchmark = async ({ dir }) => {
  const { openWorkspace } = await built("git");
  const upstream = join(dir, "upstream");
  seed(upstream);
  const root = join(dir, "workspaces");
  const work = await openWorkspace({
    root,
    credentials: async () => undefined,
    author: { name: "bench", email: "bench@example.invalid" },
    searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
    limits: { gitMs: 60_000, hookMs: 60_000 },
  });
  const remote: Remote = {
    repo: { id: 1, owner: "acme", name: "web", installation: 1, defaultBranch: "main", private: false },
    url: upstream,
  };
  const prepare = (index: number) => work.prepare(`github:1#${index}`, remote, `forgehand/${index}-t`, {});
  const first = await prepare(0);
  const [mirrorName = ""] = readdirSync(join(root, "mirrors"));
  const mirror = join(root, "mirrors", mirrorName);
  const ours: number[] = [];
  const raw: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const path = join(dir, `raw-${round}`);
    const add = [
      "--git-dir",
      mirror,
      "worktree",
      "add",
      "-q",
      "--no-track",
      "-b",
      `raw/${round}`,
      path,
      "refs/remotes/origin/main",
    ];
    const rawTurn = async () => {
      raw.push(await timed(() => execFileSync("git", add, { stdio: "ignore" })));
      rmSync(path, { recursive: true });
      execFileSync("git", ["--git-dir", mirror, "worktree", "prune"]);
    };
    const ourTurn = async () => {
      ours.push(await timed(() => prepare(round)));
      await work.drop(`github:1#${round}`, remote, {});
    };
    // Whoever goes second may find the disk warmer, or busier.
    for (const turn of round % 2 === 0 ? [rawTurn, ourTurn] : [ourTurn, rawTurn]) await turn();
  }
  if (readdirSync(first.path).length < 50) throw new Error(`${first.path} does not hold the repository`);
  return [figure("workspace", median(ours), "ms", rounds, median(raw))];
};

/** A repository of many small files in a hundred folders. */
function seed(path: string): void {
  mkdirSync(path);
  const git = (...argv: string[]) =>
    execFileSync("git", ["-C", path, ...argv], { env: { ...process.env, ...nobody }, stdio: "ignore" });
  git("init", "-q", "-b", "main");
  for (let index = 0; index < files; index += 1) {
    const folder = join(path, `room-${index % 100}`);
    if (index < 100) mkdirSync(folder);
    writeFileSync(join(folder, `file-${index}.ts`), `export const number = ${index};\n`.repeat(20));
  }
  git("add", "-A");
  git("-c", "gc.auto=0", "commit", "-q", "-m", "Seed");
}
