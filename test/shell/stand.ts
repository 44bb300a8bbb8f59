import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { runVerbs } from "../../src/engine/run-verbs.ts";
import type { Hooks } from "../../src/ports-hooks.ts";
import type { Permission, Repo, Tracker } from "../../src/ports.ts";
import { capsOf } from "../../src/shell/day.ts";
import type { Loop } from "../../src/shell/loop.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import type { Effect } from "../../src/state-machine/effect.ts";
import type { Ticket } from "../../src/state-machine/ticket.ts";
import { openSqlite } from "../../src/sql.ts";
import { migrate } from "../../src/store/database.ts";
import type { NewItem } from "../../src/store/inbox.ts";
import type { KnownRepo } from "../../src/store/repos.ts";
import { openStore, type Store } from "../../src/store/store.ts";

export interface StandOptions {
  /** Verbs of the store to replace, as the loop under test sees them. */
  readonly store?: Partial<Record<keyof Store, () => Promise<never>>>;
  readonly permission?: () => Promise<Permission>;
  readonly writeCheck?: () => Promise<void>;
  readonly hooks?: Partial<Hooks>;
  readonly changedSince?: Tracker["changedSince"];
}
/** One loop of the shell on a real store, with a clock that only the test moves. */
export interface Stand {
  readonly shop: Workshop;
  /** The real one, whatever the loop sees. */
  readonly store: Store;
  /** What was logged as an error. */
  readonly errors: readonly string[];
  readonly now: () => number;
  /** Starts the loop; `close` ends it. */
  start(loop: Loop): void;
  /** Lets whatever can happen now happen. */
  calm(turns?: number): Promise<void>;
  /** Lets this much time pass, waking whoever sleeps until then. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

/** Between two reconciliations. */
export const reconcileMs = 300_000;

const turn = (): Promise<void> => new Promise((wake) => setImmediate(wake));

/** What a store does that has no room left. */
export const diskIsFull = async (): Promise<never> => {
  await turn();
  throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
};

export async function openStand(options: StandOptions = {}): Promise<Stand> {
  const dir = mkdtempSync(join(tmpdir(), "stand-"));
  const sql = openSqlite(join(dir, "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  const store = openStore(sql, runVerbs);
  await store.knowRepo(repoNamed(1, "r"));
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), problems: [] };
  const errors: string[] = [];
  const loops: Loop[] = [];
  let now = 1_000;
  let sleepers: { readonly due: number; readonly wake: () => void }[] = [];
  const issue = {
    id: "github:1#7",
    ref: "o/r#7",
    title: "t",
    body: "b",
    open: true,
    declined: false,
    labels: ["agent-ready"],
    author: "a",
    url: "",
    updatedAt: 0,
  };
  // Only what these loops use; anything else fails loudly.
  const shop = {
    store: { ...store, ...options.store },
    clock: {
      now: () => now,
      until: (due: number, signal?: AbortSignal) =>
        new Promise<void>((wake, refuse) => {
          sleepers.push({ due, wake });
          signal?.addEventListener("abort", () => refuse(new Error("aborted")));
        }),
    },
    random: () => 0,
    log: {
      info: () => undefined,
      warn: () => undefined,
      error: (_: object, message: string) => void errors.push(message),
    },
    app: { id: 9, login: "forgehand[bot]" },
    runtimes: ["claude-code", "codex"],
    workflows: () => ["docs"],
    rulesOf: () => rules,
    poke: () => undefined,
    forge: { permission: options.permission ?? (async () => "write"), pull: async () => undefined },
    tracker: { ticket: async () => issue, changedSince: options.changedSince ?? (async () => []) },
    linear: { tokens: { workspaces: async () => [], signedOut: async () => [] } },
    hooks: { repos: async () => [], missed: async () => [], folder: async () => new Map(), ...options.hooks },
    limits: { reconcileMs },
    voice: { writeCheck: options.writeCheck },
  } as unknown as Workshop;
  const calm = async (turns = 300): Promise<void> => {
    for (let n = 0; n < turns; n += 1) await turn();
  };
  return {
    shop,
    store,
    errors,
    now: () => now,
    start: (loop) => {
      loops.push(loop);
      loop.poke();
    },
    calm,
    pass: async (ms) => {
      now += ms;
      const due = sleepers.filter((one) => one.due <= now);
      sleepers = sleepers.filter((one) => one.due > now);
      for (const { wake } of due) wake();
      await calm(60);
    },
    close: async () => {
      for (const loop of loops) await loop.stop();
      sql.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const repoNamed = (id: number, name: string): Repo => ({
  id,
  owner: "o",
  name,
  installation: 1,
  defaultBranch: "main",
  private: false,
});

/** A ticket as somebody made it, with what is to be done for it. */
export async function ticketAt(
  { store, shop, now }: Stand,
  number: number,
  after: Partial<Ticket>,
  effects: readonly Effect[] = [],
): Promise<string> {
  const ticket = `github:1#${number}`;
  const branch = `forgehand/${number}-t`;
  await store.name(
    ticket,
    { repo: 1, number, ref: `o/r#${number}`, title: "t", url: "", author: "a", branch },
    now(),
  );
  const { policy, config } = shop.rulesOf({} as KnownRepo);
  const caps = capsOf(config, { dayStopUsd: 1, tenantDayUsd: undefined }, now());
  const event = { type: "slot.granted" } as const;
  await store.commit(
    { ticket, event, eventId: "e", actor: "x", policy, caps, runLimitMs: 1, now: now() },
    (before) => ({ after: { ...before, ...after }, effects, row: "a row" }),
  );
  return ticket;
}

/** The delivery of a comment by somebody with write access. */
export const comment = (id: number, issue: number, body: string): NewItem => ({
  id: `c${id}`,
  source: "github",
  name: "issue_comment",
  action: "created",
  body: JSON.stringify({
    action: "created",
    comment: { id, body, user: { login: "bob", id: 2, type: "User" }, author_association: "MEMBER" },
    issue: { number: issue, title: "t", body: "b", state: "open", labels: [] },
    repository: {
      id: 1,
      full_name: "o/r",
      private: false,
      default_branch: "main",
      owner: { login: "o" },
    },
    sender: { login: "bob", id: 2, type: "User" },
    installation: { id: 1 },
  }),
  receivedAt: 1,
});
