/** The dashboard on a real store, and somebody who is in it; for tests of pages. */
import { join } from "node:path";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { runVerbs } from "../../src/engine/index.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openCommands } from "../../src/shell/commands.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import type { Dashboard } from "../../src/ports-dashboard.ts";
import { createWeb } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { fillDatabase, type Filled } from "../cli/filled.ts";

const root = "http://127.0.0.1:3000";

export interface House {
  readonly filled: Filled;
  readonly sql: Sql;
  readonly store: Store;
  readonly dashboard: Dashboard;
  /** As an operator who is in. */
  get(path: string, accept?: "application/json"): Promise<Response>;
  page(path: string): Promise<string>;
  json<View>(path: string): Promise<View>;
  close(): void;
}

/** With the tickets of `fillDatabase`, at this moment. */
export async function openHouse(now: () => number): Promise<House> {
  const filled = await fillDatabase();
  const sql = openSqlite(join(filled.dir, "forgehand.db"));
  const store = openStore(sql, runVerbs);
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], soundAt: undefined };
  // Only what pages ask for; anything else fails loudly.
  const shop = {
    store,
    clock: { now },
    limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
    rulesOf: () => rules,
    reportOf: async () => undefined,
    detailsUrl: () => undefined,
  } as unknown as Workshop;
  const dashboard = openDashboard(shop);
  const web = createWeb({
    dashboard,
    commands: openCommands(shop, {
      store,
      policyOf: async () => rules.policy,
      now,
      newId: () => crypto.randomUUID(),
      left: () => undefined,
    }),
    sessions: store,
    hosts: ["127.0.0.1"],
    now,
    secret: () => crypto.randomUUID(),
  });
  const ask = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    await web.app.request(`${root}${path}`, { headers: { host: "127.0.0.1:3000", ...headers } });
  await store.giveWebToken(hashed("token"), "operator:ada", now() + 1_000);
  const entered = await ask("/enter?token=token");
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const get: House["get"] = (path, accept) => ask(path, { cookie, ...(accept && { accept }) });
  return {
    filled,
    sql,
    store,
    dashboard,
    get,
    page: async (path) => await (await get(path)).text(),
    json: async (path) => (await (await get(path, "application/json")).json()) as never,
    close: () => {
      web.stop();
      sql.close();
      filled.close();
    },
  };
}
