/** One life of an engine whose tasks start processes as agents do. It dies at the chosen point, or whenever it is killed. */
import { appendFileSync, mkdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runProcess, sweep } from "../../src/adapters/processes/agent-process.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { isDead, thisProcess } from "../../src/adapters/owner.ts";
import { runMarks } from "../../src/adapters/processes/run-marks.ts";
import {
  leaf,
  Loop,
  migrateEngine,
  openEngine,
  Parallel,
  Sequence,
  startRun,
  Task,
  Try,
  workflow,
  type Step,
} from "../../src/engine/index.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";

const order = z.object({ home: z.string(), killAt: z.number() }).parse(JSON.parse(process.argv[2] ?? ""));
const path = join(order.home, "engine.db");
const marks = runMarks(path);
const clock = systemClock();

let points = 0;
const point = (): void => {
  points += 1;
  if (points === order.killAt) process.kill(process.pid, "SIGKILL");
};

const Memory = z.object({ session: z.string() }).optional();
const begun = ({ leaf: name, iteration, attempt, memory = null }: Step): void =>
  appendFileSync(
    join(order.home, "begun.jsonl"),
    `${JSON.stringify({ leaf: name, iteration, attempt, memory })}\n`,
  );

/** An agent at work in this folder; its session is remembered as soon as it is named. */
const agent = (folder: string, beats: number) => async (step: Step) => {
  begun(step);
  const token = `${step.leaf}@${step.iteration}#${step.attempt}`;
  const session = Memory.parse(step.memory)?.session ?? `of-${token}`;
  const cwd = join(order.home, folder);
  mkdirSync(cwd, { recursive: true });
  const args = [join(import.meta.dirname, "kill-agent.sh"), join(order.home, "journal"), token];
  const said = runProcess(
    {
      file: "/bin/sh",
      args: [...args, String(beats), session],
      cwd,
      env: { PATH: process.env["PATH"] ?? "" },
      stdin: undefined,
      runId: marks.of(step.run),
      stallMs: 60_000,
      turnMs: 60_000,
    },
    clock,
    step.signal,
  );
  let isDone = false;
  for await (const one of said) {
    if (one.type === "line" && one.line.startsWith("session ")) {
      point();
      await step.remember({ session: one.line.slice("session ".length) });
    }
    if (one.type === "line") isDone ||= one.line === "done";
  }
  if (!isDone) throw new Error(`${token} did not end by itself`);
  point();
  return step.iteration === "" ? 0 : Number(step.iteration) + 1;
};
const quick = async (step: Step): Promise<number> => {
  begun(step);
  point();
  return step.iteration === "" ? 0 : Number(step.iteration) + 1;
};
const breaks = (step: Step): never => {
  begun(step);
  throw Object.assign(new Error("it breaks"), { permanent: true });
};

const Num = z.number();
const check = leaf("check", Num);
const task = (id: string, perform: (step: Step) => number | Promise<number>) =>
  Task({ id, output: Num, perform, retries: 0 });
const walk = workflow({
  name: "walk",
  input: z.object({}),
  output: z.array(z.number()),
  render: (context) =>
    Sequence({
      children: [
        task("plan", agent("main", 2)),
        Parallel({
          max: 2,
          children: [
            task("a", agent("side-a", 6)),
            Sequence({ children: [task("b", agent("side-b", 1)), task("c", agent("side-b", 3))] }),
            task("d", agent("side-d", 3)),
          ],
        }),
        Loop({
          id: "until-green",
          max: 5,
          until: (context.latest(check) ?? 0) >= 3,
          children: [task("code", agent("main", 3)), task("check", quick)],
        }),
        Try({
          children: task("breaks", breaks),
          catch: task("rescue", agent("main", 2)),
          finally: task("tidy", quick),
        }),
        task("publish", agent("main", 1)),
      ],
    }),
  result: (context) => [...context.history(check)],
});

const sqlite = openSqlite(path);
await migrateEngine(sqlite);
const sql: Sql = {
  ...sqlite,
  commit: async (verb) => {
    point();
    const done = await sqlite.commit(verb);
    point();
    return done;
  },
};
const engine = openEngine({
  sql,
  clock,
  random: () => 0,
  owner: thisProcess(),
  isDead,
  workflows: [walk],
  checkDeterminism: true,
  sweep: (runs) => sweep(...runs.map(marks.of)),
  log: {
    info: () => undefined,
    error: (fields, message) => {
      if (!JSON.stringify(fields).includes("it breaks"))
        writeSync(2, `${message} ${JSON.stringify(fields)}\n`);
    },
  },
  onLeft: () => process.exit(0),
});
await sqlite.commit(() => startRun({ run: "r", workflow: "walk", input: {}, at: clock.now() }));
// The life before may have died just after it had ended the run.
if ((await engine.run("r"))?.settledAt !== undefined) process.exit(0);
engine.poke();
