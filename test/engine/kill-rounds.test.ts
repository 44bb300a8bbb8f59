import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sweep } from "../../src/adapters/processes/agent-process.ts";
import { runMarks } from "../../src/adapters/processes/run-marks.ts";
import { attemptsOf } from "../../src/engine/attempts.ts";
import type { Attempt } from "../../src/engine/rows.ts";
import { runById } from "../../src/engine/store.ts";
import { openSqlite } from "../../src/sql.ts";
import { partOf } from "../share.ts";

const wantedRounds = Number(process.env["FORGEHAND_KILL_ROUNDS"] ?? partOf(200));
const replayed = process.env["FORGEHAND_KILL_SEED"];
/** A life that is not over by then waits for something that never comes. */
const hungMs = 30_000;

const begins = ["plan", "a", "b", "c", "d", "rescue", "tidy", "publish"].map((leaf) => `${leaf}@`);
const leaves = [...begins, ...[0, 1, 2].flatMap((round) => [`code@${round}`, `check@${round}`])];

/** Numbers from 0 to 1 that are the same for the same seed. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One life; killed from outside after so long, or by itself at its nth point, or left to end. */
function live(home: string, death: { readonly afterMs?: number; readonly at?: number }) {
  const { promise, resolve } = Promise.withResolvers<{ readonly killed: boolean; readonly said: string }>();
  const order = JSON.stringify({ home, killAt: death.at ?? 0 });
  const child = spawn(process.execPath, [fileURLToPath(new URL("./kill-child.ts", import.meta.url)), order], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const kill = (why: string) => (): void => {
    said += why;
    child.kill("SIGKILL");
  };
  const timers = [setTimeout(kill("it hung"), hungMs)];
  if (death.afterMs !== undefined) timers.push(setTimeout(kill(""), death.afterMs));
  child.once("close", (_code, signal) => {
    for (const timer of timers) clearTimeout(timer);
    resolve({ killed: signal === "SIGKILL", said });
  });
  return promise;
}

const linesOf = (path: string): readonly string[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
interface Begun {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly memory: unknown;
}
const begunIn = (home: string): readonly Begun[] =>
  linesOf(join(home, "begun.jsonl")).map((line) => JSON.parse(line) as Begun);
const nameOf = ({ leaf, iteration }: Pick<Attempt, "leaf" | "iteration">): string => `${leaf}@${iteration}`;

async function rowsIn(home: string) {
  const path = join(home, "engine.db");
  // A kill before the first commit leaves no tables yet.
  if (!existsSync(path)) return { run: undefined, attempts: [] };
  const sql = openSqlite(path);
  try {
    return { run: await sql.read(() => runById("r")), attempts: await sql.read(() => attemptsOf("r")) };
  } catch (error) {
    if (String(error).includes("no such table")) return { run: undefined, attempts: [] };
    throw error;
  } finally {
    sql.close();
  }
}

/** In each folder the journal tells of one agent after the other: who has been followed is never heard of again. */
function expectOneAtATime(home: string): void {
  const last = new Map<string, string>();
  const over = new Set<string>();
  for (const line of linesOf(join(home, "journal"))) {
    const [folder = "", token = ""] = line.split(" ");
    const before = last.get(folder);
    if (before !== undefined && before !== token) over.add(`${folder} ${before}`);
    expect(over.has(`${folder} ${token}`), `${token} still works in ${folder}: ${line}`).toBe(false);
    last.set(folder, token);
  }
}

/** What a life owes the one before: nothing again that was finished, and the session of whatever was at work. */
function expectCarriedOn(before: readonly Attempt[], after: readonly Begun[]): void {
  const finished = new Set(before.filter(({ status }) => status === "finished").map(nameOf));
  expect(after.map(nameOf).filter((name) => finished.has(name))).toEqual([]);
  for (const one of before.filter(({ memory, status }) => memory !== undefined && status !== "finished")) {
    const next = after.find((other) => nameOf(other) === nameOf(one) && other.attempt === one.attempt + 1);
    if (next !== undefined) expect(next.memory).toEqual(one.memory);
  }
}

function expectWalked({ run, attempts }: Awaited<ReturnType<typeof rowsIn>>): void {
  expect(run).toMatchObject({ status: "finished", outcome: "met", output: [1, 2, 3] });
  const finished = attempts.filter(({ status }) => status === "finished").map(nameOf);
  expect(finished.toSorted()).toEqual(leaves.toSorted());
  const failed = attempts.filter(({ status }) => status === "failed").map(nameOf);
  expect(failed).toEqual(["breaks@"]);
  expect(attempts.filter(({ status }) => status === "running" || status === "waiting")).toEqual([]);
}

/** One run, killed until it has ended; answers how often, and how many sessions were handed on. */
async function walkThrough(seed: number): Promise<{ readonly kills: number; readonly resumed: number }> {
  const draw = drawing(seed);
  const home = mkdtempSync(join(tmpdir(), "kill-rounds-"));
  try {
    for (let kills = 0; ; kills += 1) {
      const before = await rowsIn(home);
      const heard = begunIn(home).length;
      // From before anything is loaded to the middle of some later agent; or between any two lines that write.
      const death = draw() < 0.6 ? { afterMs: 40 + draw() * 510 } : { at: 1 + Math.floor(draw() * 24) };
      const life = await live(home, kills < 60 ? death : {});
      expect(life.said).toBe("");
      expectCarriedOn(before.attempts, begunIn(home).slice(heard));
      expectOneAtATime(home);
      if (life.killed) continue;
      expectWalked(await rowsIn(home));
      return { kills, resumed: begunIn(home).filter(({ memory }) => memory !== null).length };
    }
  } catch (error) {
    throw new Error(`seed ${seed} (again: FORGEHAND_KILL_SEED=${seed} npx vitest run ${here}), in ${home}`, {
      cause: error,
    });
  } finally {
    await sweep(runMarks(join(home, "engine.db")).of("r"));
  }
}
const here = "test/engine/kill-rounds.test.ts";

test.skipIf(process.platform !== "linux")(
  `killed ${wantedRounds} times at random, agents at work: nothing again, nothing lost, never two in one folder, sessions resumed`,
  async () => {
    const first = replayed === undefined ? randomInt(1_000_000_000) : Number(replayed);
    const total = { kills: 0, runs: 0, resumed: 0 };
    const worker = async (): Promise<void> => {
      while (replayed === undefined ? total.kills < wantedRounds : total.runs === 0) {
        total.runs += 1;
        const { kills, resumed } = await walkThrough(first + total.runs - 1);
        total.kills += kills;
        total.resumed += resumed;
      }
    };
    // Two at a time: much of a life is waiting for its agents.
    await Promise.all([worker(), worker()]);
    process.stdout.write(
      `kill rounds: ${total.kills} kills in ${total.runs} runs from seed ${first}, ${total.resumed} sessions handed on\n`,
    );
    if (replayed !== undefined) return;
    expect(total.kills).toBeGreaterThanOrEqual(wantedRounds);
    // Without these the rounds would prove less than they say.
    expect(total.resumed).toBeGreaterThan(wantedRounds / 10);
  },
  600_000,
);
