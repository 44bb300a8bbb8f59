import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { attemptsOf } from "../../src/engine/attempts.ts";
import { runById } from "../../src/engine/store.ts";
import { openSqlite } from "../../src/sql.ts";
import { temporaryFolder } from "../temporary.ts";

const leaves = ["prepare@", "a@", "b@", "c@", "d@", "code@0", "check@0", "code@1", "check@1", "publish@"];

interface Begun {
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly memory: unknown;
}
interface World {
  readonly path: string;
  readonly log: string;
}
/** A life that is not over by then waits for something that never comes. */
const hungMs = 30_000;
const newWorld = (): World => {
  const dir = temporaryFolder("engine-crash-");
  return { path: join(dir, "engine.db"), log: join(dir, "begun.jsonl") };
};

/** One life of the engine; answers how it ended and how many points it passed. */
function live(world: World, killAt: number, killAfterMs?: number) {
  const { promise, resolve } = Promise.withResolvers<{
    signal: string | null;
    points: number;
    said: string;
  }>();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("./crash-child.ts", import.meta.url)), JSON.stringify({ ...world, killAt })],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let points = "";
  let said = "";
  child.stdout.on("data", (text: Buffer) => (points += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  const limit = setTimeout(() => {
    said += "it hung";
    child.kill("SIGKILL");
  }, hungMs);
  child.on("close", (_code, signal) => {
    clearTimeout(limit);
    resolve({ signal, points: Number(points), said });
  });
  if (killAfterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return promise;
}

const begunIn = ({ log }: World): readonly Begun[] =>
  existsSync(log)
    ? readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Begun)
    : [];

async function rowsIn({ path }: World) {
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
const nameOf = ({ leaf, iteration }: { leaf: string; iteration: string }): string => `${leaf}@${iteration}`;

/** Lives once more after a crash, and checks what the next life owes the one before. */
async function liveOn(world: World, killAt: number): Promise<"ended" | "killed"> {
  const before = await rowsIn(world);
  const begunBefore = begunIn(world).length;
  const life = await live(world, killAt);
  expect(life.said).toBe("");
  const after = begunIn(world).slice(begunBefore);
  const finished = new Set(before.attempts.filter(({ status }) => status === "finished").map(nameOf));
  expect(after.map(nameOf).filter((name) => finished.has(name))).toEqual([]);
  for (const attempt of before.attempts.filter(({ status }) => status === "running" || status === "lost")) {
    const next = after.find((one) => nameOf(one) === nameOf(attempt) && one.attempt === attempt.attempt + 1);
    if (next !== undefined && attempt.memory !== undefined) expect(next.memory).toEqual(attempt.memory);
  }
  return life.signal === "SIGKILL" ? "killed" : "ended";
}

async function expectWalked(world: World): Promise<void> {
  const { run, attempts } = await rowsIn(world);
  expect(run).toMatchObject({ status: "finished", output: [1, 2], error: undefined });
  const finished = attempts.filter(({ status }) => status === "finished").map(nameOf);
  expect(finished.toSorted()).toEqual(leaves.toSorted());
  expect(attempts.filter(({ status }) => status !== "finished" && status !== "lost")).toEqual([]);
}

/** Two at a time: each is a process. */
async function forEachOf<Item>(items: readonly Item[], visit: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async (): Promise<void> => {
    for (const item of rest) await visit(item);
  };
  await Promise.all([worker(), worker()]);
}

test("killed at every commit and inside every task, the next life does what was left and nothing twice", async () => {
  const whole = newWorld();
  const { points } = await live(whole, 0);
  await expectWalked(whole);
  expect(begunIn(whole).map(nameOf).toSorted()).toEqual(leaves.toSorted());
  expect(points).toBeGreaterThan(40);
  const all = Array.from({ length: points }, (_, index) => index + 1);
  await forEachOf(all, async (killAt) => {
    const world = newWorld();
    expect((await live(world, killAt)).signal).toBe("SIGKILL");
    // Nothing tells of the death but the row: the next life begins at once.
    expect(await liveOn(world, 0)).toBe("ended");
    await expectWalked(world);
  });
}, 240_000);

test("killed again and again in one run, it still walks to its end", async () => {
  const world = newWorld();
  let kills = 0;
  while ((await liveOn(world, 15)) === "killed") {
    kills += 1;
    expect(kills).toBeLessThan(60);
  }
  expect(kills).toBeGreaterThan(2);
  await expectWalked(world);
}, 120_000);

test("killed from outside at any instant, it walks to its end", async () => {
  await forEachOf([60, 90, 120, 150, 180, 210, 240, 270], async (killAfterMs) => {
    const world = newWorld();
    await live(world, 0, killAfterMs);
    await liveOn(world, 0);
    await expectWalked(world);
  });
}, 120_000);
