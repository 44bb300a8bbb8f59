/** The dashboard on a store, with somebody inside. */
import { defaultConfig, policyOf } from "../../src/config.ts";
import { openRunDesk, type RunDeskOptions } from "../../src/run-desk.ts";
import type { RunDesk } from "../../src/shell/pages/run-desk.ts";
import type { Sql } from "../../src/sql.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openCommands } from "../../src/shell/commands.ts";
import type { OrdersOptions } from "../../src/shell/orders.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import type { Store } from "../../src/store/store.ts";
import { createWeb } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { memoryFiles } from "../engine/travel-world.ts";

export const root = "http://127.0.0.1:3000";
const noon = Date.UTC(2026, 0, 5, 12);

export interface Stand {
  now(): number;
  pass(ms: number): void;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  head(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Posts a form of the session's own. */
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  close(): void;
}

/** `ada`, an operator, is inside. */
export function openStand(
  store: Store,
  more: Partial<Workshop> = {},
  orders: Partial<OrdersOptions> = {},
): Stand {
  let now = noon;
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], soundAt: undefined };
  // Only what pages ask for; anything else fails loudly.
  const shop = {
    store,
    clock: { now: () => now },
    limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
    rulesOf: () => rules,
    reportOf: async () => undefined,
    detailsUrl: () => undefined,
    poke: () => undefined,
    ...more,
  } as unknown as Workshop;
  const web = createWeb({
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      policyOf: async () => rules.policy,
      now: () => now,
      newId: () => `web:${crypto.randomUUID()}`,
      left: () => undefined,
      runDesk: shop.runDesk,
      mostUsd: () => shop.limits.dayStopUsd,
      ...orders,
    }),
    sessions: store,
    hosts: ["127.0.0.1", "localhost"],
    now: () => now,
    secret: () => `secret-${crypto.randomUUID()}`,
  });
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await web.app.request(`${root}${path}`, {
      ...init,
      headers: { host: "127.0.0.1:3000", ...(init.headers as Record<string, string>) },
    });
  let inside: Promise<{ readonly cookie: string; readonly csrf: string }> | undefined;
  const comeIn = async (): Promise<{ readonly cookie: string; readonly csrf: string }> => {
    const token = crypto.randomUUID();
    await store.giveWebToken(hashed(token), "operator:ada", now + 1_000);
    const entered = await ask(`/enter?token=${token}`);
    const cookie = (entered.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const text = await (await ask("/board", { headers: { cookie } })).text();
    return { cookie, csrf: /name="csrf" value="([^"]+)"/u.exec(text)?.[1] ?? "" };
  };
  const session = () => (inside ??= comeIn());
  return {
    now: () => now,
    pass: (ms) => {
      now += ms;
    },
    get: async (path, headers = {}) =>
      ask(path, { headers: { cookie: (await session()).cookie, ...headers } }),
    head: async (path, headers = {}) =>
      ask(path, { method: "HEAD", headers: { cookie: (await session()).cookie, ...headers } }),
    post: async (path, form, headers = {}) => {
      const { cookie, csrf } = await session();
      return await ask(path, {
        method: "POST",
        body: new URLSearchParams({ csrf, ...form }),
        headers: { cookie, origin: root, "content-type": "application/x-www-form-urlencoded", ...headers },
      });
    },
    close: web.stop,
  };
}

/** A desk for pages of runs, without a machine. */
export const deskOf = (sql: Sql, database: string, more: Partial<RunDeskOptions> = {}): RunDesk =>
  openRunDesk({
    sql,
    database,
    workflowNamed: () => undefined,
    snapshots: memoryFiles().snapshots,
    sweep: async () => undefined,
    poke: () => undefined,
    ...more,
  });
