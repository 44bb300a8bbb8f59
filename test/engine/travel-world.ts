/** An engine whose tasks write files that only exist in memory, for tests of time travel. */
import { join } from "node:path";
import { afterEach } from "vitest";
import type { AnyWorkflow } from "#engine";
import type { Step, TaskNode } from "../../src/engine/node.ts";
import { openEngine, type Engine } from "../../src/engine/engine.ts";
import type { Host, Snapshots } from "../../src/engine/host.ts";
import { waitsOf } from "../../src/engine/lookup.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startRun } from "../../src/engine/store.ts";
import { rewindRun, type RewindOrder, type Rewound } from "../../src/engine/time-travel.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import { temporaryFolder } from "../temporary.ts";

/** Files by folder, and what was kept of them. `mayDie` is asked at every point where a process could be killed. */
export function memoryFiles(mayDie: () => void = () => undefined) {
  const folders = new Map<string, Map<string, string>>();
  const commits = new Map<string, ReadonlyMap<string, string>>();
  const refs = new Map<string, string>();
  const at = (folder: string): Map<string, string> => {
    const known = folders.get(folder) ?? new Map<string, string>();
    folders.set(folder, known);
    return known;
  };
  const gone = new Set<string>();
  const snapshots: Snapshots = {
    save: async (folder, ref) => {
      mayDie();
      if (gone.has(folder)) throw new Error(`${folder} is gone`);
      const commit = `c${commits.size + 1}`;
      commits.set(commit, new Map(at(folder)));
      refs.set(ref, commit);
      mayDie();
      return commit;
    },
    restore: async (folder, commit) => {
      mayDie();
      const kept = commits.get(commit);
      if (kept === undefined || gone.has(folder)) throw new Error(`${folder} has no ${commit}`);
      const files = at(folder);
      for (const name of files.keys()) if (!kept.has(name)) files.delete(name);
      mayDie();
      for (const [name, text] of kept) files.set(name, text);
      mayDie();
    },
    diff: async (_folder, from, to) => `${from}..${to}`,
    forget: async () => undefined,
  };
  const shown = (folder: string): Readonly<Record<string, string>> => Object.fromEntries(at(folder));
  return { at, snapshots, shown, gone, refs };
}
export type MemoryFiles = ReturnType<typeof memoryFiles>;

/** A task that writes in its folder, as an agent does. */
export const writing = (task: TaskNode, write: (step: Step) => unknown): TaskNode => ({
  ...task,
  writes: true,
  perform: write,
});

const hostOf = ({ snapshots }: MemoryFiles): Host => ({
  folder: "/work",
  shell: async () => ({ exit: 0, timedOut: false, stdout: "", stderr: "" }),
  agents: new Map(),
  redact: (text) => text,
  snapshots,
  worktrees: undefined,
});

let opened: { engine: Engine; sql: Sql }[] = [];
afterEach(async () => {
  for (const one of opened) {
    await one.engine.down(0);
    one.sql.close();
  }
  opened = [];
});

/** One engine on one database file; time passes only while a run waits for it. */
export async function openTravel(
  definition: AnyWorkflow,
  files: MemoryFiles = memoryFiles(),
  path: string = join(temporaryFolder("travel-"), "t.db"),
) {
  const sql = openSqlite(path);
  await migrateEngine(sql);
  let now = 1_000;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  const left: (() => void)[] = [];
  const owner = { pid: 1, startedAt: "now", host: "here" };
  const engine = openEngine({
    sql,
    clock: {
      now: () => now,
      until: (at, signal) =>
        new Promise((resolve, reject) => {
          if (at <= now) return resolve();
          const sleeper = { at, wake: resolve };
          sleepers.push(sleeper);
          signal?.addEventListener("abort", () => {
            sleepers = sleepers.filter((one) => one !== sleeper);
            reject(new Error("aborted"));
          });
        }),
    },
    random: () => 0,
    owner,
    isDead: () => true,
    workflows: [definition],
    checkDeterminism: true,
    host: hostOf(files),
    log: { info: () => undefined, error: () => undefined },
    onLeft: () => left.splice(0).forEach((wake) => wake()),
  });
  opened.push({ engine, sql });
  const untilLeft = () => new Promise<void>((resolve) => left.push(resolve));
  const turn = (to: number): void => {
    now = Math.max(now, to);
    const due = sleepers.filter(({ at }) => at <= now);
    sleepers = sleepers.filter(({ at }) => at > now);
    for (const { wake } of due) wake();
  };
  /** Carries a run on to its end, answering whatever it asks. */
  const finish = async (run: string) => {
    for (let turns = 0; turns < 1_000; turns += 1) {
      const gone = untilLeft();
      engine.poke();
      await gone;
      const row = await engine.run(run);
      if (row === undefined || row.settledAt !== undefined) return row;
      const waits = await sql.read(() => waitsOf(run));
      const asks = waits.filter(({ ask }) => ask !== undefined);
      for (const { leaf } of asks)
        await engine.answer(run, leaf, { decision: "approved", by: "x", note: leaf });
      if (asks.length === 0) turn(row.wakeAt ?? now);
    }
    throw new Error(`${run} never ended`);
  };
  const begin = async (run: string, input: unknown = {}) => {
    await sql.commit(() => startRun({ run, workflow: definition.name, folder: "/work", input, at: now }));
  };
  const rewind = async (
    run: string,
    to: RewindOrder["to"],
    left: RewindOrder["left"] = "refuse",
    through: Sql = sql,
  ): Promise<Rewound> =>
    await rewindRun(
      {
        sql: through,
        now: () => (now += 1),
        snapshots: files.snapshots,
        host: "here",
        isDead: () => true,
        sweep: async () => undefined,
      },
      { run, to, by: "ada", left },
    );
  /** Everything the database holds of a run but how often and when it was claimed. */
  const dump = async (run: string) => ({
    run: (await sql.read(() => all<object>("select * from run where id = ?", run))).map((row) => ({
      ...row,
      fence: undefined,
      heartbeat_at: undefined,
    })),
    rows: await sql.read(() => all<object>("select * from attempt where run = ? order by seq", run)),
  });
  /** What counts in a run: which places finished, with what. */
  const counted = async (run: string) =>
    (await engine.attempts(run))
      .filter(({ status }) => status === "finished")
      .map(({ leaf, iteration, output }) => `${leaf}@${iteration} ${JSON.stringify(output)}`)
      .toSorted();
  return { sql, engine, begin, finish, rewind, dump, counted, files, path, untilLeft, turn };
}
