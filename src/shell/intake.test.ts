import { caps } from "../../test/caps.ts";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../adapters/clock.ts";
import { defaultConfig, policyOf } from "../config.ts";
import { migrateEngine } from "../engine/migrate.ts";
import { runVerbs } from "../engine/run-verbs.ts";
import { openSqlite } from "../sql.ts";
import { migrate } from "../store/database.ts";
import { openStore } from "../store/store.ts";
import { openIntake } from "./intake.ts";
import { step } from "./step.ts";
import type { Workshop } from "./workshop.ts";

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

test("an item read again after a crash still steps what comes after the event that was stepped", async () => {
  const sql = openSqlite(join(mkdtempSync(join(tmpdir(), "intake-")), "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  const store = openStore(sql, runVerbs);
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), problems: [] };
  const repo = { id: 1, owner: "o", name: "r", installation: 1, defaultBranch: "main", private: false };
  await store.knowRepo(repo);
  const issue = {
    id: "github:1#7",
    ref: "o/r#7",
    title: "t",
    body: "b",
    open: true,
    declined: false,
    labels: ["agent-ready", "runtime/codex"],
    author: "a",
    url: "",
    updatedAt: 0,
  };
  const shop = {
    store,
    clock: systemClock(),
    random: () => 0,
    log: quiet,
    app: { id: 9, login: "forgehand[bot]" },
    runtimes: ["claude-code", "codex"],
    workflows: () => ["docs"],
    limits: { dayStopUsd: 100, tenantDayUsd: undefined },
    rulesOf: () => rules,
    poke: () => undefined,
    forge: { permission: async () => "write", pull: async () => undefined },
    tracker: { ticket: async () => issue },
  } as unknown as Workshop;
  const payload = {
    action: "labeled",
    label: { name: "agent-ready" },
    issue: { number: 7, title: "t", body: "b", state: "open", labels: [] },
    repository: { id: 1, full_name: "o/r", private: false, default_branch: "main", owner: { login: "o" } },
    sender: { login: "bob", id: 2, type: "User" },
    installation: { id: 1 },
  };
  await store.receive({
    id: "d1",
    source: "github",
    name: "issues",
    action: "labeled",
    body: JSON.stringify(payload),
    receivedAt: 1,
  });
  // What a process did that died after the first of the delivery's two events.
  await store.name(
    "github:1#7",
    { repo: 1, number: 7, ref: "o/r#7", title: "t", url: "", author: "a", branch: "x" },
    1,
  );
  await step(store, {
    ticket: "github:1#7",
    event: { type: "runtime.chosen", runtime: "codex" },
    eventId: "d1#github:1#7#runtime.chosen",
    actor: "bob",
    policy: rules.policy,
    caps,
    runLimitMs: 1_000,
    now: 2,
  });
  const intake = openIntake(shop);
  intake.poke();
  while (!(await intake.idle())) await new Promise((wake) => setImmediate(wake));
  expect((await store.load("github:1#7"))?.ticket).toMatchObject({ state: "Ready", runtime: "codex" });
  await intake.stop();
  sql.close();
});
