/** A dashboard over a filled database, with a host that says whatever a test wants. */
import { createHash, randomUUID } from "node:crypto";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { runVerbs } from "../../src/engine/index.ts";
import type { Viewer } from "../../src/ports-dashboard.ts";
import type { HostSide } from "../../src/ports-host.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openDayCap } from "../../src/shell/day-cap.ts";
import { openCommands } from "../../src/shell/commands.ts";
import { rulesReader } from "../../src/shell/rules-reader.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openSqlite } from "../../src/sql.ts";
import { openStore } from "../../src/store/store.ts";
import { createWeb } from "../../src/web/app.ts";
import { fillDatabase } from "../cli/filled.ts";

const root = "http://127.0.0.1:3000";
export const noon = Date.UTC(2026, 0, 5, 12);

export const host: HostSide = {
  version: "1.2.3",
  startedAt: noon - 60_000,
  feed: "webhook",
  loops: () => [
    { name: "intake", is: "asleep", lookedAt: noon - 1_000, wakesAt: undefined, trouble: undefined },
    { name: "outbox", is: "asleep", lookedAt: noon, wakesAt: noon + 1, trouble: "the disk is full" },
  ],
  budgets: () => [
    { of: "GitHub", name: "installation 5, core", limit: 5_000, left: 12, resetAt: noon + 60_000, at: noon },
  ],
  disk: {
    now: () => ({
      databaseBytes: 2_500_000,
      walBytes: 0,
      freeBytes: 9_000_000_000,
      folders: [{ name: "workspaces", bytes: 1_234 }],
      isPartial: false,
      at: noon,
    }),
    again: () => Promise.reject(new Error("nobody asks")),
  },
  runtimes: {
    now: () => [
      { name: "codex", version: "0.169.1", why: undefined, isTested: true },
      { name: "claude-code", version: "2.1.3", why: "run `claude login`", isTested: true },
    ],
    again: () => Promise.reject(new Error("nobody asks")),
  },
  lastOutput: async () => noon - 6 * 60_000,
  update: () => undefined,
  priceTable: "2026-01-01",
  ownPrices: 0,
  channels: [
    { id: "ntfy-1", label: "phone (ntfy)" },
    { id: "slack-1", label: "team (slack)" },
    { id: "email-1", label: "email (ab12)" },
  ],
  desk: undefined,
};

export type Stage = Awaited<ReturnType<typeof openStage>>;
export async function openStage(own: Partial<Workshop> = {}) {
  const filled = await fillDatabase();
  const sql = openSqlite(filled.database);
  const store = openStore(sql, runVerbs);
  const clock = { now: () => noon };
  const dayCap = openDayCap(100, clock);
  const poked: string[] = [];
  let made = 0;
  const shop = {
    store,
    clock,
    random: () => 0,
    limits: {
      agents: 3,
      dayWarnUsd: 50,
      tenantDayUsd: undefined,
      reconcileMs: 1,
      get dayStopUsd() {
        return dayCap.usd();
      },
    },
    dayCap,
    hurried: new Set<number>(),
    host,
    runtimes: ["codex", "claude-code"],
    rulesOf: rulesReader(),
    reportOf: async () => undefined,
    detailsUrl: () => undefined,
    remoteOf: () => ({ url: "https://github.example/acme/web.git" }),
    poke: (loop: string) => poked.push(loop),
    ...own,
  } as unknown as Workshop;
  const web = createWeb({
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      policyOf: async () => policyOf(defaultConfig()),
      now: clock.now,
      newId: () => `web:${(made += 1)}`,
      left: () => undefined,
    }),
    sessions: store,
    hosts: ["127.0.0.1"],
    now: clock.now,
    secret: () => randomUUID(),
  });
  const token = randomUUID();
  await store.giveWebToken(createHash("sha256").update(token).digest("hex"), "operator:ada", noon + 1_000);
  const at = { host: "127.0.0.1:3000" };
  const entered = await web.app.request(`${root}/enter?token=${token}`, { headers: at });
  const cookie = (entered.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const get = async (path: string): Promise<Response> =>
    await web.app.request(`${root}${path}`, { headers: { ...at, cookie } });
  const csrf = /name="csrf" value="([^"]+)"/u.exec(await (await get("/board")).text())?.[1] ?? "";
  return {
    sql,
    store,
    shop,
    poked,
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      policyOf: async () => policyOf(defaultConfig()),
      now: clock.now,
      newId: () => "web:x",
      left: () => undefined,
    }),
    get,
    text: async (path: string): Promise<string> => (await get(path)).text(),
    json: async (path: string): Promise<unknown> =>
      (
        await web.app.request(`${root}${path}`, { headers: { ...at, cookie, accept: "application/json" } })
      ).json(),
    post: async (path: string, form: Readonly<Record<string, string>> = {}): Promise<Response> =>
      await web.app.request(`${root}${path}`, {
        method: "POST",
        body: new URLSearchParams({ csrf, ...form }),
        headers: { ...at, cookie, origin: root, "content-type": "application/x-www-form-urlencoded" },
      }),
    close: () => {
      web.stop();
      sql.close();
      filled.close();
    },
  };
}

export const operator: Viewer = { who: "operator:ada", rights: "operator" };
/** Somebody with a right on the one repository there is. */
export const person = (right: "see" | "act" | "administer"): Viewer => ({
  who: "bob",
  rights: new Map([[77, right]]),
});
export const stranger: Viewer = { who: "eve", rights: new Map([[1, "administer"]]) };
