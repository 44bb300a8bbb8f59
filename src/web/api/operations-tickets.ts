/** Tickets: lists, one, what belongs to one, and orders. */
import { z } from "zod";
import { orderNames, type TicketPage, type Viewer } from "../../ports-dashboard.ts";
import type { OrderReply } from "../../ports-dashboard-api.ts";
import { boardName } from "../../says.ts";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation, type Readonlies } from "./operation.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { diff } from "./schemas-diff.ts";
import {
  byTicket,
  count,
  effect,
  limit,
  ledgerLine,
  repoName,
  round,
  session,
  state,
  ticket,
  ticketId,
  ticketRow,
} from "./schemas.ts";

const tag = "tickets";
const noTicket = refuse(404, "there is no such ticket, or several have that name", {
  code: "ticket_not_found",
});

export const ticketOperations = (parts: RoomParts): readonly Operation[] => [
  listOf(parts),
  findOf(parts),
  operation({
    id: "getTicket",
    method: "get",
    path: "/tickets/{id}",
    tag,
    summary: "One ticket",
    says: "All that its page tells: what it waits for, its lines, reviews, agents, cost and effects.",
    params: byTicket,
    answer: { status: 200, says: "The ticket.", body: ticket },
    refuses: [404],
    handle: async ({ viewer, params }) => {
      const page = await parts.dashboard.ticket(viewer, params.id);
      return page === undefined ? noTicket : page;
    },
  }),
  linesOf(parts),
  diffOf(parts),
  ...partsOf(parts),
  orderOf(parts),
];

const listOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "listTickets",
    method: "get",
    path: "/tickets",
    tag,
    summary: "Tickets, open and closed",
    says: "By repository and number. A page may hold fewer than asked for, or none, and still have a `next`: go on until there is none.",
    query: z.strictObject({
      state: z.array(state).min(1).optional().meta({ description: "In any of these states." }),
      repo: repoName.optional(),
      after: ticketId.min(1).max(300).optional().meta({ description: "`next` of the page before." }),
      limit: limit(200, 50),
    }),
    answer: {
      status: 200,
      says: "A page of them.",
      body: z.object({ tickets: z.array(ticketRow), next: ticketId.optional() }).meta({ id: "Tickets" }),
    },
    refuses: [404],
    handle: async ({ viewer, query }) => {
      const page = await dashboard.api.tickets(viewer, {
        states: query.state,
        repo: query.repo,
        after: query.after,
        limit: query.limit,
      });
      return page === undefined
        ? refuse(404, "there is no such repository, or no such ticket to begin after")
        : page;
    },
  });

const linesOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "listTicketLines",
    method: "get",
    path: "/tickets/{id}/lines",
    tag,
    summary: "Its ledger",
    says: "Every event that changed the ticket, oldest first: who, which row of the table, from where to where.",
    params: byTicket,
    query: z.strictObject({
      after: count.default(0).meta({ description: "`next` of the page before." }),
      limit: limit(1_000, 200),
    }),
    answer: {
      status: 200,
      says: "A page of them.",
      body: z.object({ lines: z.array(ledgerLine), next: count.optional() }).meta({ id: "Lines" }),
    },
    refuses: [404],
    handle: async ({ viewer, params, query }) => {
      const asked = { ticket: params.id, repo: undefined, after: query.after, limit: query.limit };
      const page = await dashboard.api.lines(viewer, asked);
      return page === undefined ? noTicket : { lines: page.lines, next: page.isAll ? undefined : page.upTo };
    },
  });

const findOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "findTickets",
    method: "get",
    path: "/find",
    tag,
    summary: "Tickets by words",
    says: "Those whose name or title has all of these words, open ones first; a few only, so name more words to find another.",
    query: z.strictObject({ q: z.string().min(1).max(200).meta({ description: "Words." }) }),
    answer: {
      status: 200,
      says: "What was found.",
      body: z
        .object({ tickets: z.array(z.object({ id: ticketId, ref: z.string(), title: z.string(), state })) })
        .meta({ id: "Found" }),
    },
    refuses: [],
    handle: async ({ viewer, query }) => ({ tickets: await dashboard.find(viewer, query.q) }),
  });

const diffOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "getTicketDiff",
    method: "get",
    path: "/tickets/{id}/diff",
    tag,
    summary: "Its change",
    says: "What a round reviewed, file by file, with the findings on their lines; with `since`, only what changed after that round.",
    params: byTicket,
    query: z.strictObject({
      round: count.optional().meta({ description: "The newest where it is left out." }),
      since: count.optional(),
    }),
    answer: { status: 200, says: "The change.", body: diff },
    refuses: [404],
    handle: async ({ viewer, params, query }) => (await dashboard.diff(viewer, params.id, query)) ?? noTicket,
  });

/** A part of a ticket that is small enough for one answer. */
const partOf = <Body extends z.ZodType>(
  { dashboard }: RoomParts,
  part: string,
  told: {
    readonly id: string;
    readonly says: string;
    readonly body: Body;
    readonly of: (page: TicketPage) => Readonlies<z.input<Body>>;
  },
): Operation =>
  operation({
    id: told.id,
    method: "get",
    path: `/tickets/{id}/${part}`,
    tag,
    summary: `Its ${part}`,
    says: told.says,
    params: byTicket,
    answer: { status: 200, says: "All of them.", body: told.body },
    refuses: [404],
    handle: async ({ viewer, params }) => {
      const page = await dashboard.ticket(viewer, params.id);
      return page === undefined ? noTicket : told.of(page);
    },
  });

const partsOf = (parts: RoomParts): readonly Operation[] => [
  partOf(parts, "rounds", {
    id: "listTicketRounds",
    says: "Its reviews, each with its findings and what became of earlier ones.",
    body: z.object({ rounds: z.array(round) }).meta({ id: "Rounds" }),
    of: ({ view }) => ({ rounds: view.rounds }),
  }),
  partOf(parts, "sessions", {
    id: "listTicketSessions",
    says: "Every invocation of an agent for it, with tokens and cost.",
    body: z.object({ sessions: z.array(session) }).meta({ id: "Sessions" }),
    of: ({ sessions }) => ({ sessions }),
  }),
  partOf(parts, "effects", {
    id: "listTicketEffects",
    says: "What the machine wanted done outside, and what became of it.",
    body: z.object({ effects: z.array(effect) }).meta({ id: "Effects" }),
    of: ({ effects }) => ({ effects }),
  }),
];

const wantedOrder = z
  .discriminatedUnion("order", [
    z.strictObject({
      order: z.enum(orderNames),
      seen: count.meta({
        description: "`version` of the ticket that was decided upon; if it went on, nothing is done.",
      }),
      text: z
        .string()
        .max(8_000)
        .optional()
        .meta({ description: "For `reject` and `tell`: what is to change, or what the agent should know." }),
      usd: z
        .number()
        .positive()
        .max(100_000)
        .optional()
        .meta({ description: "For `budget`: dollars beyond what is spent." }),
    }),
    z.strictObject({ order: z.enum(["halt", "unhalt"]) }),
  ])
  .meta({ id: "Order", description: "Halting and lifting that are possible at any time." });
const taken = z
  .object({
    is: z.literal("taken"),
    ticket: ticketId,
    to: state.meta({ id: undefined, description: "Where it goes." }),
  })
  .meta({ id: "Taken" });

const orderOf = ({ commands }: RoomParts): Operation =>
  operation({
    id: "orderTicket",
    method: "post",
    path: "/tickets/{id}/orders",
    tag,
    summary: "Approve, reject, release, budget, retry, tell, stop, halt or unhalt",
    says: "Leaves an order in the inbox, in the name of who gives it. With an `Idempotency-Key` it is given once, however often it is sent, and answered the same; a refusal is forgotten after a day.",
    params: byTicket,
    body: wantedOrder,
    takesKey: true,
    answer: { status: 202, says: "It lies in the inbox.", body: taken },
    refuses: [403, 404, 409, 422],
    handle: async ({ viewer, params, body, key }) => {
      const reply = await commands.api.order(viewer, { ticket: params.id, wanted: body, key });
      return reply.is === "taken" ? reply : refusalOf(reply, body.order, viewer);
    },
  });

function refusalOf(
  reply: Exclude<OrderReply, { readonly is: "taken" }>,
  order: string,
  { who }: Viewer,
): Refusal {
  switch (reply.is) {
    case "stale":
      return refuse(
        409,
        `the ticket went on meanwhile: it is in ${boardName(reply.state)}${reply.last === undefined ? "" : ` (${reply.last.by}: ${reply.last.what})`}`,
        { code: "stale" },
      );
    case "unclear":
      return refuse(422, reply.why, { code: "unclear" });
    case "impossible":
      return refuse(409, `in ${boardName(reply.state)} there is nothing to ${order}`, { code: "impossible" });
    case "nothing":
      return refuse(409, "no operator halted it; a label is lifted by taking it off", {
        code: "nothing_to_lift",
      });
    case "forbidden":
      return refuse(403, `${who} may look at this ticket and not act on it`);
    case "unknown":
      return noTicket;
    case "reused":
      return refuse(422, "this Idempotency-Key was given with another order; take a new one");
  }
}
