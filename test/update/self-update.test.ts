/** A launcher, real processes and a registry: a good release takes the place of the old one, a bad one never does. */
import { spawn, type ChildProcess } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyDatabase, shapeOf, versionsIn } from "../../src/backup/copy.ts";
import { migrateEngine } from "../../src/engine/index.ts";
import { openSqlite } from "../../src/sql.ts";
import { migrate } from "../../src/store/database.ts";
import { currentVersion, switchTo } from "../../src/update/current.ts";
import { askLauncher } from "../../src/update/desk.ts";
import { install } from "../../src/update/install.ts";
import { readUpdate, writeUpdate, type UpdateState } from "../../src/update/state.ts";
import { openRegistry, programOf, release, type Manner, type Registry } from "./releases.ts";

const launcher = fileURLToPath(new URL("launcher-child.ts", import.meta.url));
let registry: Registry;
let dir: string;
let folder: string;
let database: string;
let running: ChildProcess[] = [];
beforeAll(async () => {
  registry = await openRegistry();
});
afterAll(() => registry.close());
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "update-"));
  folder = join(dir, "versions");
  database = join(dir, "forgehand.db");
  const sql = openSqlite(database);
  await migrateEngine(sql);
  await migrate(sql);
  sql.close();
  mkdirSync(folder);
  writeFileSync(join(dir, "old.mjs"), programOf("1.0.0", "good"));
  writeFileSync(join(dir, "log"), "");
});
afterEach(async () => {
  for (const child of running) await end(child);
  running = [];
  rmSync(dir, { recursive: true, force: true });
});

function launch(): ChildProcess {
  const child = spawn(process.execPath, [launcher, folder, join(dir, "old.mjs"), database, registry.url], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, RELEASES_LOG: join(dir, "log"), RELEASES_DATABASE: database },
  });
  running.push(child);
  return child;
}
const end = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const over = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  return await over;
};
const starts = (): readonly string[] => readFileSync(join(dir, "log"), "utf8").trim().split("\n");
const lastStart = (): string => (starts().at(-1) ?? "").replace(/ \d+$/u, "");
async function until(what: string, fact: () => boolean): Promise<void> {
  const patience = Date.now() + 30_000;
  while (!fact()) {
    if (Date.now() > patience)
      throw new Error(`it never came to pass: ${what}: ${JSON.stringify(readUpdate(folder))}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
const ended = (step: UpdateState["step"]) => until(step, () => readUpdate(folder)?.step === step);
const ask = (version: string, integrity: string): void => {
  const answer = askLauncher(
    folder,
    { version, integrity, by: "operator:me" },
    { from: "1.0.0", now: Date.now() },
  );
  expect(answer).toMatchObject({ version });
};
const publish = async (version: string, manner: Manner): Promise<string> =>
  registry.publish(version, await release(version, manner));

test("a good release is fetched, proves itself on trial and stays, also after the launcher was killed", async () => {
  const integrity = await publish("1.1.0", "good");
  const first = launch();
  await until("the old one serves", () => lastStart() === "1.0.0");
  ask("1.1.0", integrity);
  await ended("healthy");
  expect(currentVersion(folder)).toBe("1.1.0");
  expect(starts().map((line) => line.replace(/ \d+$/u, ""))).toEqual(["1.0.0", "1.1.0 on trial"]);
  expect(readdirSync(join(dir, "backups"))).toHaveLength(1);
  const pid = Number(/\d+$/u.exec(starts().at(-1) ?? "")?.[0]);
  first.kill("SIGKILL");
  await until("its child ends with it", () => !isAlive(pid));
  const second = launch();
  await until("the new one serves", () => lastStart() === "1.1.0");
  expect(await end(second)).toBe(0);
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("a release that is not what was pinned is refused, and the old one goes on undisturbed", () => {
  test.for([
    ["its bytes are others", "2.0.0", "its own", /what the registry sent/u],
    ["the hash is that of another version", "2.0.1", "another's", /hash of another version/u],
    ["there is no such version", "2.0.2", "any", /has no forgehand 2\.0\.2/u],
    ["it cannot go on with the database", "2.0.3", "refusing", /cannot go on with/u],
    ["its program says another version", "2.0.4", "misnamed", /does not say that it is 2\.0\.4/u],
  ] as const)("%s", async ([, version, how, why]) => {
    const other = await publish("2.9.9", "good");
    let integrity = other;
    if (how === "its own")
      integrity = registry.publish(
        version,
        await release(version, "good"),
        await release(version, "is sick"),
      );
    if (how === "another's") await publish(version, "good");
    if (how === "refusing") integrity = await publish(version, "refuses the database");
    if (how === "misnamed") {
      const { tarballOf } = await import("./releases.ts");
      const files = {
        "package.json": JSON.stringify({ name: "forgehand", version, type: "module", bin: "p.js" }),
      };
      integrity = registry.publish(
        version,
        await tarballOf({ ...files, "p.js": programOf("2.0.5", "good") }),
      );
    }
    launch();
    await until("the old one serves", () => lastStart() === "1.0.0");
    ask(version, integrity);
    await ended("refused");
    expect(readUpdate(folder)?.why).toMatch(why);
    expect(starts()).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(["update.json"]);
  });
});

describe("a release that does not prove itself is rolled back", () => {
  test.for(["does not start", "is sick", "dies soon"] as const)("it %s", async (manner) => {
    const integrity = await publish("3.0.0", manner);
    launch();
    await until("the old one serves", () => lastStart() === "1.0.0");
    ask("3.0.0", integrity);
    await ended("rolled-back");
    await until("the old one serves again", () => lastStart() === "1.0.0");
    expect(currentVersion(folder)).toBeUndefined();
    expect(readUpdate(folder)).toMatchObject({ restored: false, tries: 1 });
    expect(existsSync(database)).toBe(true);
  });

  test("one that has migrated the database gives it back as it was, and what it made of it is kept", async () => {
    const shape = shapeOf(database);
    const integrity = await publish("3.1.0", "migrates and is sick");
    launch();
    await until("the old one serves", () => lastStart() === "1.0.0");
    ask("3.1.0", integrity);
    await ended("rolled-back");
    expect(readUpdate(folder)).toMatchObject({ restored: true });
    expect(shapeOf(database)).toBe(shape);
    const aside = readdirSync(dir).find((name) => /before-roll-back-\d+$/u.test(name)) ?? "";
    expect(versionsIn(join(dir, aside))?.store).toBe(900);
  });
});

describe("a launcher that died in the middle is followed by one that ends in the old version or the new", () => {
  const integrity = `sha512-${"A".repeat(86)}==`;
  const stood = async (version: string, state: Partial<UpdateState>, link: "old" | "new"): Promise<void> => {
    const copy = join(dir, "copy.db");
    await copyDatabase(database, copy);
    if (link === "new") switchTo(folder, version);
    const base = {
      id: "x",
      version,
      integrity,
      by: "me",
      at: 1,
      from: "1.0.0",
      step: "asked",
      tries: 0,
    } as const;
    writeUpdate(folder, { ...base, backTo: null, copy, shape: shapeOf(copy), ...state });
  };
  const installed = (version: string, manner: Manner): void => {
    const home = join(folder, version, "node_modules", "forgehand");
    mkdirSync(home, { recursive: true });
    const bin = { forgehand: "program.js" };
    writeFileSync(
      join(home, "package.json"),
      JSON.stringify({ name: "forgehand", version, type: "module", bin }),
    );
    writeFileSync(join(home, "program.js"), programOf(version, manner));
  };
  test.for([
    ["drained, not switched", { step: "drained" }, "old", "good", "healthy", "4.0.0"],
    ["on trial, not switched", { step: "trial", tries: 1 }, "old", "good", "healthy", "4.0.0"],
    ["on trial, switched", { step: "trial", tries: 1 }, "new", "good", "healthy", "4.0.0"],
    ["on trial, and bad", { step: "trial", tries: 1 }, "new", "is sick", "rolled-back", undefined],
    ["on trial for the third time", { step: "trial", tries: 2 }, "new", "good", "rolled-back", undefined],
    [
      "rolling back, not switched back",
      { step: "rolling-back", why: "it was sick" },
      "new",
      "good",
      "rolled-back",
      undefined,
    ],
    [
      "rolling back, switched back",
      { step: "rolling-back", why: "it was sick" },
      "old",
      "good",
      "rolled-back",
      undefined,
    ],
  ] as const)("%s", async ([, state, link, manner, ends, current]) => {
    installed("4.0.0", manner);
    await stood("4.0.0", state, link);
    launch();
    await ended(ends);
    expect(currentVersion(folder)).toBe(current);
    await until("it serves", () => lastStart() === (current === undefined ? "1.0.0" : "4.0.0 on trial"));
  });

  test("rolling back a changed database, its log aside already: the copy takes its place all the same", async () => {
    installed("4.0.0", "good");
    await stood("4.0.0", { step: "rolling-back", why: "it was sick", restored: true }, "new");
    const sql = openSqlite(database);
    sql.script("delete from store_migration where number > 1");
    sql.close();
    const known = readUpdate(folder);
    if (known === undefined) throw new Error("it stands nowhere");
    writeUpdate(folder, { ...known, shape: shapeOf(database) });
    launch();
    await ended("rolled-back");
    expect(versionsIn(database)?.store).toBe(versionsIn(join(dir, "copy.db"))?.store);
    expect(versionsIn(database)?.store).toBeGreaterThan(1);
  });

  test("one whose program is gone runs what it came with", async () => {
    switchTo(folder, "4.0.9");
    launch();
    await until("the old one serves", () => lastStart() === "1.0.0");
  });
});

test("who crashes is started again, and who never served is not", async () => {
  const first = launch();
  await until("it serves", () => lastStart() === "1.0.0");
  const [line = ""] = starts();
  await until("its launcher has heard of it", () => existsSync(join(dir, "log.serving")));
  process.kill(Number(/\d+$/u.exec(line)?.[0]), "SIGUSR2");
  await until("it is started again", () => starts().length === 2);
  expect(await end(first)).toBe(0);
  writeFileSync(join(dir, "old.mjs"), programOf("1.0.0", "does not start"));
  const second = launch();
  expect(await new Promise((resolve) => second.once("exit", resolve))).toBe(1);
});

test("a hang-up reaches who serves, and ends neither", async () => {
  const child = launch();
  await until("its launcher has heard of it", () => existsSync(join(dir, "log.serving")));
  child.kill("SIGHUP");
  await until("it hears of it", () => existsSync(join(dir, "log.hung-up")));
  expect(starts()).toHaveLength(1);
  expect(await end(child)).toBe(0);
});

test("a database that cannot be copied refuses the update, and the old one serves again", async () => {
  const integrity = await publish("5.0.0", "good");
  // Where the copy would lie.
  writeFileSync(join(dir, "backups"), "");
  launch();
  await until("the old one serves", () => lastStart() === "1.0.0");
  ask("5.0.0", integrity);
  await ended("refused");
  await until("the old one serves again", () => starts().length === 2);
  expect(readUpdate(folder)?.why).toContain("could not be copied");
  expect(lastStart()).toBe("1.0.0");
});

test("a registry's password is told to nobody", async () => {
  const order = { version: "1.1.0", integrity: "sha512-", folder, database, env: {}, fetch };
  const registry = "http://me:hunter2@127.0.0.1:9";
  const failed = install({ ...order, registry, signal: AbortSignal.timeout(10_000) });
  await expect(failed).rejects.toThrow("has a password in it");
  await expect(failed).rejects.not.toThrow("hunter2");
});

test("what a release says of itself is kept only so far as it can be read again", () => {
  const why = "no ".repeat(1_000);
  const id = { id: "x", version: "1.1.0", integrity: `sha512-${"A".repeat(86)}==`, by: "me", at: 1 };
  writeUpdate(folder, { ...id, from: "1.0.0", step: "rolling-back", tries: 1, why });
  expect(readUpdate(folder)).toMatchObject({ step: "rolling-back", why: why.slice(0, 2_000) });
});
