import { join } from "node:path";
import { expect, test } from "vitest";
import { pull, ticket } from "../../test/webhooks/facts.ts";
import { temporaryFolder } from "../../test/temporary.ts";
import { migrateEngine } from "../engine/migrate.ts";
import type { CheckFact } from "../ports.ts";
import { openSqlite } from "../sql.ts";
import { migrate } from "../store/database.ts";
import { noRuns } from "../store/steps.ts";
import { openStore } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { keepPending, keptPending } from "./pending-checks.ts";

const check = (name: string, change: Partial<CheckFact> = {}): CheckFact => ({
  name,
  is: "pending",
  required: false,
  url: undefined,
  ...change,
});
async function keptOf(...checkList: readonly CheckFact[]) {
  const sql = openSqlite(join(temporaryFolder("pending-"), "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  const store = openStore(sql, noRuns);
  const merging = { ...ticket, state: "Merging" as const };
  await keepPending(store, { ticket: merging } as Stored, { ...pull, checkList });
  const kept = await keptPending(store, merging);
  expect(await keptPending(store, { ...merging, head: "c".repeat(40) })).toBeUndefined();
  sql.close();
  return kept;
}

test("the unreported come first, a few are named, and all are counted", async () => {
  const long = "the same long beginning of a name that a matrix of jobs gives to each of them:";
  const running = Array.from({ length: 300 }, (_, index) => check(`${long} ${index}`, { required: true }));
  const kept = await keptOf(
    ...running,
    check("by the way"),
    check("done", { is: "green", required: true }),
    check("never", { required: true, isUnreported: true }),
  );
  expect(kept?.count).toBe(301);
  expect(kept?.named).toHaveLength(5);
  expect(kept?.named[0]).toEqual({ name: "never", is: "unreported" });
});

test.each([
  ["\u001b[31mred\u0007 \u202Eevil\nline `code`", "red evil line code"],
  ["```", "(unnamed)"],
  [`${"y".repeat(59)}😀z`, "y".repeat(59)],
])("the name %j is told as %j", async (given, told) => {
  expect((await keptOf(check(given)))?.named).toEqual([{ name: told, is: "running" }]);
});
