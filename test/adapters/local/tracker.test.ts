import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchFiles } from "../../../src/adapters/local/feed.ts";
import { claimNumber, filesIn } from "../../../src/adapters/local/ticket-folder.ts";
import { localTracker } from "../../../src/adapters/local/tracker.ts";
import type { Key } from "../../../src/ports.ts";
import { openLocalStage, type LocalStage } from "../../local-stage.ts";

let stage: LocalStage;
beforeEach(() => {
  stage = openLocalStage();
});
afterEach(() => stage.close());

test("an issue that we open is one, although its file could not be written at first", async () => {
  const { folders, records, repo } = stage.parts;
  const tracker = localTracker(stage.parts);
  const open = (marker: string): Promise<number> =>
    tracker.openIssue(`t:${marker}` as Key, repo, marker, { title: "Take it back", body: "It broke." });
  const told: unknown[] = [];
  const look = watchFiles(stage.parts, async (one) => void told.push(one));
  rmSync(folders.own, { recursive: true, force: true });
  writeFileSync(folders.own, "in the way");
  await expect(open("revert-a")).rejects.toThrow();
  rmSync(folders.own);
  await look();
  expect(told).toEqual([]);
  mkdirSync(folders.inRepo ?? "", { recursive: true });
  writeFileSync(join(folders.inRepo ?? "", "0001-theirs.md"), "Theirs\n");
  const number = await open("revert-a");
  expect(number).toBe(2);
  expect(await open("revert-a")).toBe(number);
  expect(await open("revert-b")).not.toBe(number);
  expect(new Set(filesIn(folders).keys())).toEqual(new Set([1, number, number + 1]));
  expect(claimNumber(folders, records)).toBe(number + 2);
  // What a person throws away stays away.
  rmSync(filesIn(folders).get(number) ?? "");
  expect(await open("revert-a")).toBe(number);
  expect(readdirSync(folders.own)).toHaveLength(1);
  expect(dirname(filesIn(folders).get(number + 1) ?? "")).toBe(folders.own);
});
