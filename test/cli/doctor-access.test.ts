import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fillDatabase } from "./filled.ts";
import { run } from "./run.ts";

interface Check {
  readonly group: string;
  readonly is: "ok" | "warn" | "fail";
  readonly what: string;
  readonly fix: string | null;
}
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "doctor-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function failingOf(env: Readonly<Record<string, string>>): Promise<readonly Check[]> {
  const { out } = await run(["doctor", "--json"], { FORGEHAND_PORT: "0", ...env }, dir);
  const { data } = JSON.parse(out) as { data: { checks: readonly Check[] } };
  return data.checks.filter(({ group, is }) => group === "Database" && is === "fail");
}

test("a database in a folder that is not there, which `up` makes only for the data folder", async () => {
  const [failing] = await failingOf({ FORGEHAND_DATABASE: join(dir, "gone", "x.db") });
  expect(failing?.what).toContain(`there is no folder ${join(dir, "gone")}`);
  expect(await failingOf({ FORGEHAND_DATA_DIR: join(dir, "gone") })).toEqual([]);
});

// Root writes everywhere.
test.skipIf(process.getuid?.() === 0)("what of a database cannot be written", async () => {
  const { database } = await fillDatabase();
  chmodSync(database, 0o400);
  const [failing] = await failingOf({ FORGEHAND_DATABASE: database });
  expect(failing?.fix).toContain(`write access to ${database},`);
});
