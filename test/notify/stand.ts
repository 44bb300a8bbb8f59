/** The notifier on a real store, with a clock that only the test turns and channels that write down what they get. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultConfig, policyOf } from "../../src/config.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { runVerbs } from "../../src/engine/run-verbs.ts";
import { Trouble } from "../../src/ports.ts";
import type { Messenger, NotifyMessage } from "../../src/ports-notify.ts";
import { openNotifier, type Notifier } from "../../src/shell/notify.ts";
import { step } from "../../src/shell/step.ts";
import type { Workshop } from "../../src/shell/workshop.ts";
import { virtualClock, type VirtualClock } from "../../src/simulator/virtual-clock.ts";
import { openSqlite } from "../../src/sql.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { migrate } from "../../src/store/database.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { caps } from "../caps.ts";
import type { Asked } from "../../src/shell/notify-watch.ts";
import { channelOf } from "./services.ts";

export interface Sent {
  readonly channel: string;
  readonly message: NotifyMessage;
}
export type Outcome = "sent" | "hangs" | Trouble;
export interface NotifyStand {
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly shop: Workshop;
  /** Everything a channel was given, whatever it answered. */
  readonly sent: Sent[];
  readonly errors: object[];
  readonly logged: string[];
  /** What the channels of this service do from now on. */
  answers(service: string, how: Outcome | ((n: number) => Outcome)): void;
  /** What runs ask people now. */
  readonly asks: Asked[];
  /** Takes events through the table. */
  take(issue: number, ...events: readonly Partial<TicketEvent>[]): Promise<void>;
  /** Everything that can happen now has. */
  calm(): Promise<void>;
  pass(ms: number): Promise<void>;
  /** Ends it as a crash would: nothing more is written. */
  crash(): void;
  start(urls?: readonly string[]): void;
  close(): Promise<void>;
}

export const head = "a".repeat(40);
/** How a ticket comes before a person; each run reports as itself. */
export const toReview = [
  { type: "ready.granted", spec: "b".repeat(64) },
  { type: "slot.granted" },
  { type: "gate.passed" },
  { type: "build.delivered", head, summary: "done" },
  { type: "pr.opened", pull: 40, head },
  { type: "review.passed", head, summary: "fine", needsPerson: ["it touches the login"] },
] as const;

export async function openNotifyStand(
  urls: readonly string[],
  options: { readonly at?: string; readonly title?: string; readonly publicUrl?: string } = {},
): Promise<NotifyStand> {
  const dir = mkdtempSync(join(tmpdir(), "notify-"));
  const sql = openSqlite(join(dir, "t.db"));
  await migrateEngine(sql);
  await migrate(sql);
  const store = openStore(sql, runVerbs);
  const clock = virtualClock(Date.parse(options.at ?? "2026-01-05T12:00:00Z"));
  for (const [id, name] of [
    [77, "web"],
    [78, "api"],
  ] as const)
    await store.knowRepo({ id, owner: "acme", name, installation: 5, defaultBranch: "main", private: false });
  const config = defaultConfig();
  const rules = { config, policy: policyOf(config), personas: new Map(), problems: [], faults: [] };
  const sent: Sent[] = [];
  const errors: object[] = [];
  const logged: string[] = [];
  const outcomes = new Map<string, (n: number) => Outcome>();
  /** Each notifier lives once: who is dead neither reads nor writes, whoever lives now. */
  let life = 0;
  const live = <Kind extends object>(room: Kind, own: number): Kind =>
    new Proxy(room, {
      get: (target, name) => {
        const verb: unknown = Reflect.get(target, name);
        return typeof verb === "function"
          ? (...args: unknown[]): unknown =>
              own !== life ? new Promise(() => undefined) : Reflect.apply(verb, target, args)
          : verb;
      },
    });
  const log = (fields: object, text: string): void => void logged.push(`${text} ${JSON.stringify(fields)}`);
  // Only what a notifier asks for; anything else fails loudly.
  const shopOf = (own: number): Workshop =>
    ({
      store: live(store, own),
      clock,
      random: () => 0,
      log: {
        info: log,
        warn: log,
        error: (fields: object, text: string) => {
          errors.push(fields);
          log(fields, text);
        },
      },
      limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
      rulesOf: () => rules,
      remoteOf: (repo: { owner: string; name: string }) => ({
        url: `https://forge.example/${repo.owner}/${repo.name}.git`,
      }),
      detailsUrl: (ticket: string) =>
        options.publicUrl === undefined
          ? undefined
          : `${options.publicUrl}/tickets/${encodeURIComponent(ticket)}`,
    }) as unknown as Workshop;
  const messenger: Messenger = {
    repeatsAt: ({ target }) =>
      target.service === "webhook" || target.service === "mail" ? "known" : "unknown",
    send: async ({ id, target }, message) => {
      sent.push({ channel: id, message });
      const count = sent.filter(({ channel }) => channel === id).length;
      const how = outcomes.get(target.service)?.(count) ?? "sent";
      if (how === "hangs") await new Promise(() => undefined);
      if (how instanceof Trouble) throw how;
    },
  };
  const asks: Asked[] = [];
  let notifier: Notifier | undefined;
  let set = urls;
  const turn = (): Promise<void> => new Promise((wake) => setImmediate(wake));
  const calm = async (): Promise<void> => {
    notifier?.poke();
    // A write is on disk some turns later, and nobody says when.
    for (let quiet = 0, n = 0; quiet < 40 && n < 4_000; n += 1) {
      await turn();
      quiet = notifier?.isIdle() === false ? 0 : quiet + 1;
    }
  };
  const stand: NotifyStand = {
    store,
    clock,
    shop: shopOf(0),
    sent,
    errors,
    logged,
    asks,
    answers: (service, how) => void outcomes.set(service, typeof how === "function" ? how : () => how),
    take: async (issue, ...events) => {
      const ticket = `github:77#${issue}`;
      if ((await store.load(ticket)) === undefined)
        await store.name(
          ticket,
          {
            repo: 77,
            number: issue,
            ref: `acme/web#${issue}`,
            title: options.title ?? "Say done",
            url: `https://forge.example/acme/web/issues/${issue}`,
            author: "ada",
            branch: `forgehand/${issue}`,
          },
          clock.now(),
        );
      for (const event of events) {
        const stored = await store.load(ticket);
        const run = /^(?:gate|build|review|run|budget)\./u.test(event.type ?? "")
          ? { run: stored?.ticket.run }
          : {};
        const { row, from } = await step(store, {
          ticket,
          event: { ...run, ...event } as TicketEvent,
          eventId: `${ticket}/${stored?.version}`,
          actor: "bob",
          policy: rules.policy,
          caps,
          runLimitMs: 60_000,
          now: clock.now(),
        });
        if (row === undefined) throw new Error(`no row takes ${event.type} in ${from}`);
      }
    },
    calm,
    pass: async (ms) => {
      await clock.advance(ms);
      await calm();
    },
    crash: () => {
      life += 1;
      notifier = undefined;
    },
    start: (next = set) => {
      set = next;
      notifier = openNotifier({
        shop: shopOf(life),
        channels: set.map(channelOf),
        messenger,
        asks: async () => asks,
      });
      notifier.poke();
    },
    close: async () => {
      // One whose channel hangs never ends by itself.
      await Promise.race([notifier?.stop(), calm()]);
      sql.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  stand.start();
  await calm();
  return stand;
}
