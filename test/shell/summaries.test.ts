import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { keepSummary, migrateEngine, summariesOf, unsummarised } from "../../src/engine/index.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { openSummaries } from "../../src/shell/summaries.ts";
import { virtualClock } from "../../src/simulator/virtual-clock.ts";
import { all, openSqlite, type Sql } from "../../src/sql.ts";
import { summaryVerbs } from "../../src/ticket-summaries.ts";
import { plainStory } from "./plain-story.ts";
import { temporaryFolder } from "../temporary.ts";

async function opened(): Promise<{ readonly sql: Sql; readonly dir: string; readonly database: string }> {
  const dir = temporaryFolder("summaries-");
  const database = join(dir, "t.db");
  const sql = openSqlite(database);
  await migrateEngine(sql);
  return { sql, dir, database };
}
const row = (id: string, settledAt: number | "null", rest = "'finished', null"): string =>
  `insert into run (id, workflow, input, status, owner, created_at, settled_at) values ('${id}', 'w', '{}', ${rest}, 1, ${settledAt});`;
const tell = (database: string, asked: string, how: "hang" | "answer") =>
  spawn(
    process.execPath,
    [fileURLToPath(new URL("./summaries-child.ts", import.meta.url)), database, asked, how],
    { stdio: ["ignore", "pipe", "inherit"] },
  );

test("a process killed while the model thinks leaves the record's summary, and the model is asked once for ever", async () => {
  const { sql, dir, database } = await opened();
  sql.script(row("r1", 10) + row("r2", 20));
  const asked = join(dir, "asked");
  const first = tell(database, asked, "hang");
  await once(first.stdout, "data");
  first.kill("SIGKILL");
  await once(first, "exit");
  expect(await sql.read(() => summariesOf(["r1", "r2"]))).toEqual([
    { run: "r1", text: "The w run ended after 1s. No agent worked in it.", by: "forgehand", note: undefined },
  ]);
  await once(tell(database, asked, "answer"), "exit");
  await once(tell(database, asked, "answer"), "exit");
  expect(await sql.read(() => summariesOf(["r1", "r2"]))).toMatchObject([
    { run: "r1", by: "forgehand" },
    { run: "r2", text: "In its words.", by: "small (small-1)" },
  ]);
  expect(readFileSync(asked, "utf8")).toBe("asked\nasked\n");
  sql.close();
});

test("told is what is over and at rest; a run that ends again is told again", async () => {
  const { sql } = await opened();
  sql.script(
    row("open", "null", "'running', 'me'") +
      row("over", 30) +
      row("stopping", 20, "'cancelled', 'me'") +
      row("stopped", 10, "'cancelled', null"),
  );
  const due = async () => (await sql.read(() => unsummarised(10))).map(({ id }) => id);
  expect(await due()).toEqual(["stopped", "over"]);
  const said = { text: "It is over.", by: "forgehand", note: undefined };
  expect(await sql.commit(() => keepSummary("over", 30, said))).toBe("kept");
  expect(await sql.commit(() => keepSummary("over", 30, { ...said, text: "Twice." }))).toBe("late");
  expect(await due()).toEqual(["stopped"]);
  sql.script("update run set status = 'ready', settled_at = null where id = 'over'");
  expect(await sql.read(() => summariesOf(["over"]))).toEqual([]);
  expect(await sql.commit(() => keepSummary("over", 30, said))).toBe("late");
  sql.script("update run set status = 'finished', settled_at = 40 where id = 'over'");
  expect(await due()).toEqual(["stopped", "over"]);
  expect(await sql.commit(() => keepSummary("over", 40, { ...said, text: "Again." }))).toBe("kept");
  expect(await sql.read(() => summariesOf(["over"]))).toMatchObject([{ text: "Again." }]);
  sql.close();
});

const silent = () => undefined;
const quiet = { info: silent, warn: silent, error: silent };

test("a run that ends in nobody's hands is told without any news of it", async () => {
  const { sql } = await opened();
  const clock = virtualClock(100);
  const summaries = openSummaries({
    clock,
    log: quiet,
    ...summaryVerbs(sql),
    tell: async () => ({ story: plainStory, words: [] }),
    summariser: undefined,
  });
  summaries.poke();
  await vi.waitFor(() => expect(clock.waiting()).toHaveLength(1));
  // Held, and then stopped: no process had it, and none lets go of it.
  sql.script(row("r1", 100, "'cancelled', null"));
  await clock.advance(60_000);
  await vi.waitFor(async () => expect(await sql.read(() => summariesOf(["r1"]))).toHaveLength(1));
  await summaries.stop();
  sql.close();
});

test("a run whose record cannot be read is told so, and those behind it are told", async () => {
  const { sql } = await opened();
  sql.script(row("bad", 10) + row("good", 20));
  const summaries = openSummaries({
    clock: systemClock(),
    log: quiet,
    ...summaryVerbs(sql),
    tell: async ({ id }) => {
      if (id === "bad") throw new Error("its rows are damaged");
      return { story: plainStory, words: [] };
    },
    summariser: undefined,
  });
  await summaries.write();
  expect(await sql.read(() => summariesOf(["bad", "good"]))).toMatchObject([
    { run: "bad", note: "its rows are damaged" },
    { run: "good", text: "The w run ended after 1s. No agent worked in it." },
  ]);
  sql.close();
});

test("runs to be told are found by their index, however many are over", async () => {
  const { sql } = await opened();
  const plan = await sql.read(() =>
    all<{ detail: string }>(
      "explain query plan select * from run where settled_at is not null and (summarised_at is null or summarised_at <> settled_at) and owner is null order by settled_at, id limit 1",
    ),
  );
  expect(plan.map(({ detail }) => detail).join()).toContain("run_untold");
  sql.close();
});
