import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openRecords } from "../../../src/adapters/git/records.ts";

let root = "";
afterEach(() => rm(root, { recursive: true, force: true }));

test("one record is written by many at the same time, and the last one holds", async () => {
  root = await mkdtemp(join(tmpdir(), "records-"));
  const records = openRecords(root);
  const mirror = join(root, "mirrors", "1-acme.git");
  await Promise.all(Array.from({ length: 50 }, (_, n) => records.keepDefaultTip(mirror, `tip-${n}`)));
  expect(records.defaultTip(mirror)).toBe("tip-49");
});
