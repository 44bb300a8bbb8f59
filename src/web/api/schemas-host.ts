/** The host as the API tells it. */
import { z } from "zod";
import { count, instant } from "./schemas.ts";

const text = z.string().optional();
const purse = z.object({
  name: z.string(),
  spentUsd: z.number(),
  reservedUsd: z.number(),
  capUsd: z.number().optional(),
});
const breaker = z.object({
  runtime: z.string(),
  code: z.string(),
  why: z.string(),
  failures: count,
  since: instant,
  until: instant,
  isOpen: z.boolean(),
});
const retry = z.object({
  is: z.enum(["effect", "item"]),
  key: z.string(),
  name: z.string(),
  about: z.string(),
  ticket: text,
  attempts: count,
  isWaiting: z.boolean(),
  why: z.string(),
  dueAt: instant,
});
const work = z.object({
  run: z.string(),
  ticket: z.string(),
  ref: z.string(),
  workflow: z.string(),
  role: text,
  runtime: text,
  since: instant,
  heartbeatAt: instant,
  outputAt: instant.optional(),
  isSilent: z.boolean(),
});
const disk = z.object({
  databaseBytes: count,
  walBytes: count,
  freeBytes: count,
  folders: z.array(z.object({ name: z.string(), bytes: count })),
  isPartial: z.boolean(),
  at: instant,
});
const loop = z.object({
  name: z.string(),
  is: z.enum(["at work", "asleep", "stopped"]),
  lookedAt: instant.optional(),
  wakesAt: instant.optional(),
  trouble: text,
});
const day = z.object({
  host: purse,
  namedUsd: z.number(),
  raised: z.object({ by: z.string(), at: instant }).optional(),
  warnUsd: z.number(),
  others: z.array(purse),
  endsAt: instant,
});
export const health = z
  .object({
    now: instant,
    version: text,
    startedAt: instant.optional(),
    lease: z.object({ pid: count, host: z.string(), since: instant }).optional(),
    halts: z.array(z.object({ what: z.string(), by: z.string(), at: instant })),
    isHalted: z.boolean(),
    breakers: z.array(breaker),
    blocked: z.array(z.object({ id: z.string(), ref: z.string(), since: instant })),
    blockedCount: count,
    retries: z.array(retry),
    moreRetries: z.boolean(),
    work: z.array(work),
    slots: z.object({ used: count, of: count, waiting: count }),
    day,
    budgets: z.array(
      z.object({
        of: z.enum(["GitHub", "Linear"]),
        name: z.string(),
        limit: z.number(),
        left: z.number(),
        resetAt: instant,
        at: instant,
      }),
    ),
    prices: z.object({ table: z.string(), ageDays: count, own: count }).optional(),
    runtimes: z
      .array(z.object({ name: z.string(), version: text, why: text, isTested: z.boolean().optional() }))
      .optional(),
    channels: z.array(
      z.object({
        id: z.string(),
        label: z.string(),
        waiting: count,
        sentAt: instant.optional(),
        failedAt: instant.optional(),
        trouble: text,
      }),
    ),
    feed: text,
    heard: z.array(z.object({ source: z.string(), name: z.string(), at: instant })),
    walkedAt: instant.optional(),
    disk: disk.optional(),
    loops: z.array(loop),
    update: z
      .object({
        version: z.string(),
        from: z.string(),
        step: z.string(),
        by: z.string(),
        at: instant,
        why: text,
      })
      .optional(),
  })
  .meta({ id: "Health" });

const item = {
  seq: count,
  id: z.string(),
  source: z.string(),
  name: z.string(),
  action: text,
  about: text,
  ticket: text,
  receivedAt: instant,
  state: z.string(),
  note: text.meta({ description: "Rows that applied, why nothing changed, or what went wrong." }),
  ms: z.number().optional(),
  attempts: count,
  dueAt: instant.optional(),
};
export const inboxRow = z.object(item).meta({ id: "InboxRow" });
export const inboxItem = z
  .object({
    ...item,
    payload: z.string(),
    isCut: z.boolean(),
    length: count,
    mayReread: z.boolean(),
    mayRedeliver: z.boolean(),
    now: instant,
  })
  .meta({ id: "InboxItem" });
export const channel = z
  .object({
    channel: z.string(),
    waiting: count,
    sentAt: instant.optional(),
    failedAt: instant.optional(),
    failure: text,
    trouble: text,
  })
  .meta({ id: "Channel" });
