import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { noUsage, totalsStore, usedSince } from "../../../src/adapters/agents/session-totals.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "totals-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const usage = (inputTokens: number, outputTokens: number, usd?: number) => ({
  ...noUsage,
  inputTokens,
  outputTokens,
  usd,
});

test("what one process kept, the next one reads", async () => {
  const kept = { reported: { ...usage(10, 2, 0.5), cacheWriteTokens: 3 }, estimated: usage(1, 1) };
  await totalsStore(folder, "codex").write("s-1", kept);
  expect(await totalsStore(folder, "codex").read("s-1")).toEqual(kept);
  expect(await totalsStore(folder, "claude-code").read("s-1")).toEqual({
    reported: noUsage,
    estimated: noUsage,
  });
});

test("a session nobody went on with for ninety days is forgotten, a younger one is not", async () => {
  const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  const kept = { reported: usage(9, 9), estimated: noUsage };
  for (const session of ["old", "young"]) await totalsStore(folder, "codex").write(session, kept);
  for (const name of readdirSync(join(folder, "sessions")))
    utimesSync(join(folder, "sessions", name), daysAgo(91), daysAgo(91));
  await totalsStore(folder, "codex").write("young", kept);
  expect(await totalsStore(folder, "codex").read("young")).toEqual(kept);
  expect((await totalsStore(folder, "codex").read("old")).reported).toEqual(noUsage);
});

test("a session's name never leaves the folder, which is private", async () => {
  await totalsStore(join(folder, "state"), "codex").write("../../escape", {
    reported: usage(1, 1),
    estimated: noUsage,
  });
  expect(readdirSync(folder)).toEqual(["state"]);
  expect(readdirSync(join(folder, "state", "sessions"))).toEqual([
    expect.stringMatching(/^codex-[0-9a-f]{32}\.json$/u),
  ]);
  expect(statSync(join(folder, "state", "sessions")).mode & 0o077).toBe(0);
});

test("a broken file reads as nothing", async () => {
  const store = totalsStore(folder, "codex");
  await store.write("s-1", { reported: usage(10, 2), estimated: noUsage });
  const [name = ""] = readdirSync(join(folder, "sessions"));
  for (const text of ["", "{", "null", '{"reported":{"inputTokens":-1}}']) {
    writeFileSync(join(folder, "sessions", name), text);
    expect(await store.read("s-1")).toEqual({ reported: noUsage, estimated: noUsage });
  }
});

test.each([
  ["a count that grew is charged for its growth", usage(10, 2), noUsage, usage(15, 5), usage(5, 3)],
  ["an estimate is taken off", usage(10, 2), usage(3, 1), usage(15, 5), usage(2, 2)],
  ["an estimate too high is never paid back", usage(10, 2), usage(30, 1), usage(15, 5), usage(0, 2)],
  ["a count that began anew is charged whole", usage(10, 9), noUsage, usage(12, 5), usage(12, 5)],
  ["dollars are charged alike", usage(10, 2, 1), usage(0, 0, 0.25), usage(15, 5, 2), usage(5, 3, 0.75)],
] as const)("%s", (_, reported, estimated, total, used) => {
  expect(usedSince({ reported, estimated }, total)).toEqual(used);
});
