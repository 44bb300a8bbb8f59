import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { runIdOf, isOfOurUser, processIds } from "../adapters/processes/process-table.ts";
import { runMarks } from "../adapters/processes/run-marks.ts";
import { systemClock } from "../adapters/clock.ts";
import type { Environment } from "../config-environment.ts";
import { ok, warn, type Finding } from "./doctor-finding.ts";
import { shellWord } from "./shell-word.ts";

/** Of logs, where the operator says nothing: what `up` keeps them to once a day. */
const usualLogBytes = 2 * 1024 ** 3;
const gitLimitMs = 5 * 60_000;
const hookLimitMs = 60_000;
/** Files that are counted one by one; a folder of more is told as at least so much. */
const maxFiles = 50_000;

/** What a process that died left behind. While one of ours serves, what lies there is at work, and nothing is said of it. */
export function checkLeftovers(environment: Environment, by: "served" | "unserved"): readonly Finding[] {
  return [
    ...(by === "served" ? [] : [strays(environment), coldOnes(environment)]),
    logs(environment),
  ].flatMap((finding) => finding ?? []);
}

function strays({ database }: Environment): Finding {
  const found = strayRuns(database);
  if (found.size === 0) return ok("no agent of a process that died is still at work");
  const pids = [...found.values()].flat();
  return {
    ...warn(
      `${pids.length} processes of ${found.size} runs are still at work, and nobody serves them`,
      "forgehand up, which ends them before it goes on",
    ),
    mend: {
      deed: `end the processes ${pids.join(", ")}`,
      run: async () => {
        const { sweep } = await import("../adapters/processes/agent-process.ts");
        return `ended ${(await sweep(...found.keys())).length} processes`;
      },
    },
  };
}

/** Processes of our user that carry the mark of a run of this database. */
function strayRuns(database: string): ReadonlyMap<string, readonly number[]> {
  const house = runMarks(database).of("");
  const found = new Map<string, number[]>();
  for (const pid of processIds()) {
    if (!isOfOurUser(pid)) continue;
    const run = runIdOf(pid);
    if (run?.startsWith(house) === true) found.set(run, [...(found.get(run) ?? []), pid]);
  }
  return found;
}

function coldOnes(environment: Environment): Finding {
  const root = join(resolve(environment.dataDir), "workspaces");
  const left = foldersIn(join(root, "cold")).flatMap((repo) => foldersIn(repo));
  const trees = foldersIn(join(root, "trees")).flatMap((repo) => foldersIn(repo));
  if (left.length === 0) return ok(`no stale checkouts; ${trees.length} worktrees of tickets under way`);
  return {
    ...warn(
      `${left.length} checkouts are left of reviews that a process did not end`,
      "forgehand up, which clears them before it goes on",
    ),
    mend: {
      deed: `clear ${left.length} stale checkouts, half-made worktrees and locks below ${root}`,
      run: () => prune(environment, root),
    },
  };
}

/** The same clearing that `up` begins with. */
async function prune(environment: Environment, root: string): Promise<string> {
  const [{ openWorkspace }, { openHousing }] = await Promise.all([
    import("../adapters/git/git.ts"),
    import("../adapters/sandboxes/quarters.ts"),
  ]);
  const space = await openWorkspace({
    root,
    credentials: async () => undefined,
    author: { name: "forgehand", email: "forgehand@localhost" },
    searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
    limits: { gitMs: gitLimitMs, hookMs: hookLimitMs },
    premises: openHousing(environment, process.env).commands,
    clock: systemClock(),
  });
  return `${(await space.prune()).removed.length} leftovers removed`;
}

function foldersIn(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name));
}

function logs({ dataDir, logBytes = usualLogBytes }: Environment): Finding | undefined {
  const folder = join(resolve(dataDir), "logs");
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).slice(0, maxFiles);
  const bytes = names.reduce((sum, name) => sum + (statSync(join(folder, name), quiet)?.size ?? 0), 0);
  const told = `${(bytes / 1024 ** 2).toFixed(0)} MiB of agents' logs`;
  return bytes > logBytes * 1.1
    ? warn(
        `${told} in ${folder}, more than the ${(logBytes / 1024 ** 2).toFixed(0)} MiB they are kept to`,
        `forgehand gc --days 7, or set FORGEHAND_LOG_MB; \`du -sh ${shellWord(folder)}\` shows it`,
      )
    : ok(told);
}
const quiet = { throwIfNoEntry: false } as const;
