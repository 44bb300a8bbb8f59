/** The dashboard on a real store with two repositories: `acme/web`, a ticket in every state, and `acme/vault`, private. */
import { join } from "node:path";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { runVerbs, startRun } from "../../src/engine/index.ts";
import { step } from "../../src/shell/step.ts";
import { openDashboard } from "../../src/shell/dashboard.ts";
import { openHostOrders } from "../../src/shell/pages/orders.ts";
import { openOrders } from "../../src/shell/orders.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createWeb, type Web, type WebOptions } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { openDayCap } from "../../src/shell/day-cap.ts";
import { caps } from "../caps.ts";
import { fillDatabase } from "../cli/filled.ts";
import { host } from "./host-stage.ts";
import { deskOf } from "./stand.ts";

export const noon = Date.UTC(2026, 0, 5, 12);
export const root = "http://127.0.0.1:3000";
export const web = 77;
export const vault = 88;
/** A ticket of the private repository; its title must reach nobody who may not see it. */
export const secretTicket = `github:${vault}#1`;
export const secretTitle = "Rotate the vault";
export const secretModel = "vault-model-1";
/** A run of a workflow file of the operator's, which is nobody else's. */
export const secretRun = "payroll-1";

/** What every round of every ticket reviewed. */
const change = [
  "diff --git a/old.ts b/new.ts",
  "similarity index 50%",
  "rename from old.ts",
  "rename to new.ts",
  "--- a/old.ts",
  "+++ b/new.ts",
  "@@ -1,2 +1,2 @@ page",
  " one",
  "-two",
  "+three",
  "",
].join("\n");

export interface Stage {
  readonly database: string;
  readonly sql: Sql;
  readonly store: Store;
  readonly clock: { now: number };
  readonly left: () => number;
  open(options?: Partial<WebOptions>): Web;
  close(): void;
}

export async function openStage(options: { readonly busyMs?: number } = {}): Promise<Stage> {
  const filled = await fillDatabase();
  const sql = openSqlite(join(filled.dir, "forgehand.db"), options);
  const store = openStore(sql, runVerbs);
  const clock = { now: noon };
  let left = 0;
  await store.knowRepo({
    id: vault,
    owner: "acme",
    name: "vault",
    installation: 5,
    defaultBranch: "main",
    private: true,
  });
  await store.name(
    secretTicket,
    {
      repo: vault,
      number: 1,
      ref: "acme/vault#1",
      title: secretTitle,
      url: "https://github.com/acme/vault/issues/1",
      author: "eve",
      branch: "forgehand/1-rotate",
    },
    noon - 1_000,
  );
  for (const [at, type] of (["ready.granted", "slot.granted"] as const).entries())
    await step(store, {
      ticket: secretTicket,
      event: type === "ready.granted" ? { type, spec: "c".repeat(64) } : { type },
      eventId: `vault-${at}`,
      actor: "eve",
      policy: policyOf(defaultConfig()),
      caps,
      runLimitMs: 60_000,
      now: noon - 1_000,
    });
  await store.openSession({
    key: "vault",
    run: `${secretTicket}/1`,
    ticket: secretTicket,
    role: "gate",
    runtime: "codex",
    logPath: "/nowhere",
    at: noon - 1_000,
  });
  await store.changeSession("vault", { model: secretModel, usd: 13.37, pricedBy: "table" });
  await sql.commit(() =>
    startRun({ run: secretRun, workflow: "payroll", source: "/nowhere.tsx", input: {}, at: noon - 1_000 }),
  );
  const config = defaultConfig();
  const rules = {
    config,
    policy: policyOf(config),
    personas: new Map(),
    problems: [],
    faults: [],
    soundAt: undefined,
  };
  const runDesk = deskOf(sql, filled.database);
  // Only what pages ask for; anything else fails loudly.
  const shop = {
    store,
    clock: { now: () => clock.now },
    host,
    dayCap: openDayCap(100, { now: () => clock.now }),
    hurried: new Set<number>(),
    runtimes: ["codex"],
    runDesk,
    poke: () => undefined,
    limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
    rulesOf: () => rules,
    reportOf: async () => undefined,
    detailsUrl: () => undefined,
    changes: { between: async () => ({ is: "diff", base: "0".repeat(40), text: change, isCut: false }) },
    remoteOf: () => ({ url: "https://github.example/acme/web.git" }),
  } as unknown as Workshop;
  const webs: Web[] = [];
  return {
    database: filled.database,
    sql,
    store,
    clock,
    left: () => left,
    open: (options = {}) => {
      const opened = createWeb({
        dashboard: openDashboard(shop),
        commands: {
          ...openOrders({
            store,
            policyOf: async () => rules.policy,
            now: () => clock.now,
            newId: () => `web:${crypto.randomUUID()}`,
            left: () => void (left += 1),
            runDesk,
          }),
          ...openHostOrders(shop),
        },
        sessions: store,
        hosts: ["127.0.0.1", "localhost"],
        now: () => clock.now,
        secret: () => `secret-${crypto.randomUUID()}`,
        ...options,
      });
      webs.push(opened);
      return opened;
    },
    close: () => {
      for (const one of webs) one.stop();
      sql.close();
      filled.close();
    },
  };
}

type Asked = Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> };
/** One request as a browser or a program makes it. */
export const asking =
  (to: () => Web) =>
  async (path: string, init: Asked = {}): Promise<Response> =>
    await to().app.request(`${root}${path}`, {
      ...init,
      headers: { host: "127.0.0.1:3000", ...init.headers },
    });

/** Gives an operator a link, follows it and answers with the cookie and the form's secret. */
export async function comeIn(
  { store, clock }: Pick<Stage, "store" | "clock">,
  ask: ReturnType<typeof asking>,
): Promise<{ readonly cookie: string; readonly csrf: string }> {
  const token = crypto.randomUUID();
  await store.giveWebToken(hashed(token), "operator:ada", clock.now + 1_000);
  const entered = await ask(`/enter?token=${token}`);
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { cookie, csrf: await csrfIn(ask, cookie) };
}
export async function csrfIn(ask: ReturnType<typeof asking>, cookie: string): Promise<string> {
  const text = await (await ask("/board", { headers: { cookie } })).text();
  return /name="csrf" value="([^"]+)"/u.exec(text)?.[1] ?? "";
}
