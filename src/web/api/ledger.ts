/** The ledger: every line, one with what it stands on, whether it holds, and what operators did. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { count, instant, ledgerLine, limit, nextKey, nothing, repoName, ticketId } from "./schemas.ts";

const tag = "ledger";
const forOperators = refuse(
  403,
  "the whole ledger is about all repositories; only operators of this host may",
);

const entry = z
  .object({
    seq: count,
    ticket: ticketId,
    ref: z.string(),
    at: instant,
    actor: z.string(),
    permission: z.string().optional(),
    surface: z.string().meta({ description: "Where it was said: `dashboard`, `API`, `webhook`…" }),
    event: z.string(),
    row: z.string(),
    from: z.string(),
    to: z.string(),
    hash: z.string(),
    version: count,
    eventId: z.string(),
    facts: z.string().meta({ description: "The event as JSON text, without what looks like a secret." }),
    policy: z.string(),
    prev: z.string(),
    now: instant,
  })
  .meta({ id: "LedgerEntry", description: "One line, with all that it was decided by." });
const verification = z
  .object({
    is: z.enum(["under way", "holds", "broken", "failed", "never"]),
    lines: count,
    of: count,
    by: z.string(),
    startedAt: instant,
    endedAt: instant.optional(),
    faults: z.array(z.object({ seq: count, why: z.string() })),
  })
  .partial({ lines: true, of: true, by: true, startedAt: true, faults: true })
  .meta({ id: "Verification", description: "How one stands, or how the last ended." });
const deed = z
  .object({
    seq: count,
    at: instant,
    actor: z.string(),
    surface: z.string(),
    what: z.string(),
    about: z.string(),
    note: z.string(),
  })
  .meta({ id: "Deed" });

export const ledgerOperations = (parts: RoomParts): readonly Operation[] => [
  listOf(parts),
  // Before whatever stands behind `/ledger/`.
  ...verificationOf(parts),
  operation({
    id: "getLedgerLine",
    method: "get",
    path: "/ledger/{seq}",
    tag,
    summary: "One line of it",
    says: "With the event, the policy it was judged by, and the hash before it.",
    params: z.strictObject({
      seq: z
        .string()
        .regex(/^\d{1,15}$/u)
        .meta({ description: "Its number.", examples: ["1"] }),
    }),
    answer: { status: 200, says: "The line.", body: entry },
    refuses: [404],
    handle: async ({ viewer, params }) =>
      (await parts.dashboard.ledger.line(viewer, Number(params.seq))) ?? refuse(404, "there is no such line"),
  }),
  operation({
    id: "listDeeds",
    method: "get",
    path: "/deeds",
    tag,
    summary: "What operators did",
    says: "For operators. To the host and to repositories, newest first; what was done to tickets stands in the ledger.",
    query: z.strictObject({ after: nextKey }),
    answer: {
      status: 200,
      says: "A page of them.",
      body: z.object({ rows: z.array(deed), next: count.optional(), now: instant }).meta({ id: "Deeds" }),
    },
    refuses: [],
    handle: async ({ viewer, query }) =>
      (await parts.dashboard.ledger.deeds(viewer, query.after)) ?? forOperators,
  }),
];

const listOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "listLedger",
    method: "get",
    path: "/ledger",
    tag,
    summary: "The ledger",
    says: "Lines of all tickets, oldest first. A page may hold fewer than asked for, or none, and still have a `next`: go on until there is none. `/events` tells the same as it happens.",
    query: z.strictObject({
      after: count.default(0).meta({ description: "`next` of the page before, or the number of a line." }),
      limit: limit(1_000, 200),
      ticket: z.string().min(1).max(300).optional().meta({ description: "Of this ticket alone." }),
      repo: repoName.optional(),
    }),
    answer: {
      status: 200,
      says: "A page of them.",
      body: z.object({ lines: z.array(ledgerLine), next: count.optional() }).meta({ id: "LedgerLines" }),
    },
    refuses: [404],
    handle: async ({ viewer, query }) => {
      const { after, limit: most, ticket, repo } = query;
      const page = await dashboard.api.lines(viewer, { after, limit: most, ticket, repo });
      if (page === undefined) return refuse(404, "there is no such ticket or repository");
      return { lines: page.lines, next: page.isAll ? undefined : page.upTo };
    },
  });

const verificationOf = ({ dashboard, commands }: RoomParts): readonly Operation[] => [
  operation({
    id: "getVerification",
    method: "get",
    path: "/ledger/verification",
    tag,
    summary: "Whether it holds",
    says: "For operators. How the verification that is under way stands, or how the last one ended.",
    answer: { status: 200, says: "How it stands.", body: verification },
    refuses: [],
    handle: async ({ viewer }) => {
      if (viewer.rights !== "operator") return forOperators;
      return (await dashboard.ledger.verification(viewer)) ?? { is: "never" as const };
    },
  }),
  operation({
    id: "verifyLedger",
    method: "post",
    path: "/ledger/verification",
    tag,
    summary: "Verify it",
    says: "For operators. Recomputes every line beside everything else; ask for how it stands.",
    body: nothing,
    bodyIsOptional: true,
    answer: {
      status: 202,
      says: "It goes on.",
      body: z.object({ is: z.enum(["begun", "under way"]) }).meta({ id: "Verifying" }),
    },
    refuses: [403],
    handle: async ({ viewer }) => {
      const is = await commands.ledger.verify(viewer);
      return is === "forbidden" ? forOperators : { is };
    },
  }),
];
