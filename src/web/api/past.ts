/** What became of tickets, and what was spent. */
import { z } from "zod";
import { costKeys } from "../../ports-dashboard-costs.ts";
import { outcomes } from "../../store/history.ts";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { count, instant, limit, repoName, state, ticketId } from "./schemas.ts";

const dayMs = 86_400_000;
/** As far back as costs are told where nothing is said. */
const usualDays = 30;

const pastRow = z
  .object({
    ref: z.string(),
    id: ticketId,
    title: z.string(),
    repo: z.string(),
    outcome: z.enum(outcomes),
    state,
    session: count.optional().meta({ description: "Its newest; `/sessions/{name}/log` is what it said." }),
    runtime: z.string().optional(),
    rounds: count,
    since: instant,
    durationMs: z.number(),
    usd: z.number(),
    usdIsGuess: z.boolean(),
    pull: count.optional(),
    pullUrl: z.string().optional(),
    labels: z.array(z.string()),
    summary: z.object({ text: z.string(), by: z.string() }).optional(),
  })
  .meta({ id: "PastTicket" });
const names = z.array(z.string());
const past = z
  .object({
    rows: z.array(pastRow),
    next: z.string().optional(),
    lookedThrough: count.optional(),
    names: z.object({ repositories: names, runtimes: names, labels: names }),
    now: instant,
  })
  .meta({ id: "History" });

const costRow = z
  .object({
    name: z.string().meta({ description: "Empty where there is no such thing: no label, no model." }),
    usd: z.number(),
    guessedUsd: z.number().meta({ description: "Of these, at a price that nobody told." }),
    inputTokens: count,
    cachedTokens: count,
    outputTokens: count,
    sessions: count,
    failed: count,
    failedUsd: z.number(),
  })
  .meta({ id: "CostRow" });
const projected = z.object({ usd: z.number(), projectedUsd: z.number().optional() });
const costs = z
  .object({
    by: z.enum(costKeys),
    stack: z.enum(["runtime", "model"]),
    from: z.string().meta({ description: "The first day, `2026-01-05`." }),
    to: z.string(),
    rows: z.array(costRow),
    isCut: z.boolean().meta({ description: "There are more than these." }),
    total: costRow,
    parts: names,
    days: z.array(z.object({ day: z.string(), usd: z.number(), parts: z.array(z.number()) })),
    merged: count,
    usdPerMerged: z.number().optional(),
    usdPerFailed: z.number().optional(),
    cachedShare: z.number().optional(),
    today: projected,
    month: projected,
    caps: z.object({ warnUsd: z.number(), stopUsd: z.number() }).optional(),
    now: instant,
  })
  .meta({ id: "Costs" });

const word = (description: string) => z.string().min(1).max(200).optional().meta({ description });
const at = (description: string) =>
  count.optional().meta({ description: `${description}, in milliseconds since 1970.` });

export const pastOperations = ({ dashboard }: RoomParts, now: () => number): readonly Operation[] => [
  operation({
    id: "listHistory",
    method: "get",
    path: "/history",
    tag: "house",
    summary: "What became of tickets",
    says: "Newest first, with reviews, time, cost and what was done. A page may hold fewer than asked for, or none, and still have a `next`: go on until there is none.",
    query: z.strictObject({
      outcome: z.enum(outcomes).optional(),
      repo: repoName.optional(),
      runtime: word("Of whoever built it."),
      label: word("With this label."),
      from: at("It ended, or came to where it stands, from then on"),
      until: at("And before then"),
      words: word("All of these are in its name or title."),
      after: z
        .string()
        .regex(/^\d{1,15}\.\S{1,300}$/u)
        .optional()
        .meta({ description: "`next` of the page before." }),
      limit: limit(500, 50),
    }),
    answer: { status: 200, says: "A page of them.", body: past },
    refuses: [],
    handle: async ({ viewer, query: { repo, ...asked } }) =>
      await dashboard.past.history(viewer, { ...asked, repository: repo }),
  }),
  operation({
    id: "getCosts",
    method: "get",
    path: "/costs",
    tag: "house",
    summary: "What was spent",
    says: "Summed by one thing, and by day. Days are those of UTC; at most 400 of them.",
    query: z.strictObject({
      by: z.enum(costKeys).default("day"),
      stack: z
        .enum(["runtime", "model"])
        .default("runtime")
        .meta({ description: "What `days` are made of." }),
      since: at("The first day; 30 days where it is left out"),
      limit: limit(1_000, 50),
    }),
    answer: { status: 200, says: "The sums.", body: costs },
    refuses: [],
    handle: async ({ viewer, query: { since, ...asked } }) =>
      await dashboard.money.costs(viewer, { ...asked, since: since ?? now() - (usualDays - 1) * dayMs }),
  }),
];
