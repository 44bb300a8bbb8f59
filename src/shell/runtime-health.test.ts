import { describe, expect, test } from "vitest";
import { migrateEngine } from "../engine/index.ts";
import { openSqlite } from "../sql.ts";
import { migrate } from "../store/database.ts";
import { openStore } from "../store/store.ts";
import { downUntil, runtimeHealth } from "./runtime-health.ts";

const minute = 60_000;

describe("how long a runtime is left out", () => {
  test.each([
    ["without quota, half an hour", "quota", "blocked", undefined, 1, 30 * minute],
    ["without a login, a quarter", "logged-out", "blocked", undefined, 1, 15 * minute],
    ["without its program, a quarter", "runtime-absent", "blocked", undefined, 1, 15 * minute],
    ["for silence that nothing helped, five minutes", "stalled", "blocked", undefined, 1, 5 * minute],
    ["for one silence, not at all", "stalled", "retry", undefined, 1, 0],
    ["for a model it does not know, not at all", "model-unknown", "blocked", undefined, 9, 0],
    ["for rules it cannot keep, not at all", "tools-unsupported", "blocked", undefined, 9, 0],
    ["for trouble that passes, not at all", "server", "retry", undefined, 2, 0],
    ["for the third in a row, five minutes", "server", "retry", undefined, 3, 5 * minute],
    ["for a short pause, not at all", "rate-limit", "retry", minute, 1, 0],
    ["for a long pause, as long as that", "rate-limit", "retry", 60 * minute, 1, 60 * minute],
  ] as const)("%s", (_, code, how, retryIn, failures, ms) => {
    const now = 1_000_000;
    const retryAt = retryIn === undefined ? undefined : now + retryIn;
    expect(downUntil({ code, how, retryAt, failures }, now) - now).toBe(ms);
  });
});

test("troubles in a row add up over restarts, until it works once", async () => {
  const sql = openSqlite(":memory:");
  await migrateEngine(sql);
  await migrate(sql);
  let now = 1_000_000;
  const runs = { start: function* () {}, cancel: function* () {} };
  const opened = () =>
    runtimeHealth({
      store: openStore(sql, runs as never),
      clock: { now: () => now, until: async () => undefined },
    });
  const fail = () =>
    opened().failed("codex", { code: "server", why: "500", how: "retry", retryAt: undefined });
  const down = async () => [...(await opened().down()).keys()];
  await fail();
  await fail();
  expect(await down()).toEqual([]);
  await fail();
  expect(await down()).toEqual(["codex"]);
  expect((await opened().down()).get("codex")).toMatchObject({
    code: "server",
    why: "500",
    since: 1_000_000,
  });
  now += 5 * minute;
  expect(await down()).toEqual([]);
  // It is asked again, and fails once more: that is enough.
  await fail();
  expect(await down()).toEqual(["codex"]);
  await opened().worked("codex");
  expect(await down()).toEqual([]);
  await fail();
  expect(await down()).toEqual([]);
  sql.close();
});
