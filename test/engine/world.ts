import { join } from "node:path";
import { afterEach } from "vitest";
import { z } from "zod";
import { workflow, type AnyWorkflow } from "#engine";
import { openEngine, type Engine, type EngineOptions } from "../../src/engine/engine.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startRun } from "../../src/engine/store.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { temporaryFolder } from "../temporary.ts";

/** A clock that stands until it is turned. */
function handClock() {
  let now = 1_000;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    until: (at: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (at <= now) return resolve();
        const sleeper = { at, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers = sleepers.filter((one) => one !== sleeper);
          reject(new Error("aborted"));
        });
      }),
    turn: (ms: number) => {
      now += ms;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
    },
  };
}

/** Something a task waits for until the test lets it go on. */
export function gate<Value>(): { readonly passed: Promise<Value>; open(value: Value): void } {
  const { promise, resolve } = Promise.withResolvers<Value>();
  return { passed: promise, open: resolve };
}

/** Lets everything that is ready happen, until the condition holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await holds()); turns += 1) {
    if (turns === 20_000) throw new Error(`it never came to hold: ${String(holds)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let opened: { engine: Engine; sql: Sql }[] = [];
afterEach(async () => {
  for (const { engine, sql } of opened) {
    await engine.down(0);
    sql.close();
  }
  opened = [];
});

/** One engine on a real database file, at a clock turned by hand. */
export async function open(
  definition: AnyWorkflow,
  path: string = join(temporaryFolder("engine-"), "t.db"),
  wrap: (sql: Sql) => Sql = (sql) => sql,
  more: Partial<EngineOptions> = {},
) {
  const sql = openSqlite(path);
  await migrateEngine(sql);
  const clock = handClock();
  const left: (() => void)[] = [];
  const errors: string[] = [];
  const engine = openEngine({
    sql: wrap(sql),
    clock,
    random: () => 0,
    owner: { pid: 1, startedAt: "now", host: "here" },
    isDead: () => true,
    workflows: [definition],
    checkDeterminism: true,
    remedyOf: (error) => (String(error).includes("is full") ? "Free space there." : undefined),
    log: { info: () => undefined, error: (_fields, message) => void errors.push(message) },
    onLeft: () => left.splice(0).forEach((wake) => wake()),
    ...more,
  });
  opened.push({ engine, sql });
  const untilLeft = () => new Promise<void>((resolve) => left.push(resolve));
  /** Starts a run without waiting for anything. */
  const begin = async (run = "r", input: unknown = {}) => {
    await sql.commit(() => startRun({ run, workflow: definition.name, input, at: clock.now() }));
    engine.poke();
  };
  const start = async (run = "r") => {
    const gone = untilLeft();
    await begin(run);
    await gone;
    return await engine.run(run);
  };
  const statuses = async (run = "r") =>
    (await engine.attempts(run)).map(({ leaf, status }) => `${leaf} ${status}`);
  return { sql, engine, clock, begin, start, untilLeft, path, errors, statuses };
}

/** A workflow that takes nothing and answers what it is told to. */
export const simple = (render: AnyWorkflow["render"], result: () => unknown = () => null): AnyWorkflow =>
  workflow({ name: "w", input: z.object({}), output: z.unknown(), render, result });
