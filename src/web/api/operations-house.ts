/** What is of no one ticket: who asks, the board, repositories, the ledger, the halt of everything. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { board, count, ledgerLine, limit, repoName, repository, waiting } from "./schemas.ts";

const tag = "house";

const me = z
  .object({
    who: z.string(),
    everything: z.boolean().meta({ description: "An operator, who may everything everywhere." }),
    scope: z.string().optional().meta({ description: "Of the token, where one was presented." }),
    csrf: z
      .string()
      .optional()
      .meta({ description: "For a session: what `x-csrf-token` of every POST has to be." }),
  })
  .meta({ id: "Me" });
const halted = z
  .object({ is: z.enum(["raised", "lifted"]) })
  .meta({ id: "HaltAll", description: "Whether everything is halted." });

export const houseOperations = ({ dashboard, commands }: RoomParts): readonly Operation[] => [
  operation({
    id: "getMe",
    method: "get",
    path: "/me",
    tag,
    summary: "Who asks",
    says: "Who the session or token stands for.",
    answer: { status: 200, says: "They.", body: me },
    refuses: [],
    handle: async ({ viewer, context }) => {
      const { csrf, scope } = context.get("session");
      const everything = viewer.rights === "operator";
      return { who: viewer.who, everything, scope, csrf: scope === undefined ? csrf : undefined };
    },
  }),
  operation({
    id: "getBoard",
    method: "get",
    path: "/board",
    tag,
    summary: "The board",
    says: "Every open ticket, with what it waits for.",
    answer: { status: 200, says: "As it stands now.", body: board },
    refuses: [],
    handle: async ({ viewer }) => await dashboard.board(viewer),
  }),
  operation({
    id: "getWaiting",
    method: "get",
    path: "/waiting",
    tag,
    summary: "What waits for a person",
    says: "Tickets first, then what is wrong elsewhere, as the first page of the dashboard tells it.",
    query: z.strictObject({
      after: z.string().min(1).max(300).optional().meta({ description: "`next` of the page before." }),
    }),
    answer: { status: 200, says: "A page of it.", body: waiting },
    refuses: [],
    handle: async ({ viewer, query }) => await dashboard.waiting(viewer, query.after),
  }),
  operation({
    id: "listRepositories",
    method: "get",
    path: "/repositories",
    tag,
    summary: "Repositories",
    says: "Where forgehand works, and what is wrong with their configuration.",
    answer: {
      status: 200,
      says: "All of them.",
      body: z.object({ repositories: z.array(repository) }).meta({ id: "Repositories" }),
    },
    refuses: [],
    handle: async ({ viewer }) => ({ repositories: await dashboard.api.repositories(viewer) }),
  }),
  ledgerOf(dashboard),
  operation({
    id: "haltAll",
    method: "post",
    path: "/halt",
    tag,
    summary: "Halt everything, or lift that",
    says: "For operators. Repeated, it changes nothing. A halt by a label is lifted by taking the label off.",
    body: halted.strict().meta({ id: "HaltAllOrder" }),
    answer: { status: 200, says: "It holds from now on.", body: halted },
    refuses: [403],
    handle: async ({ viewer, body }) =>
      (await commands.haltAll(viewer, body.is)) === "forbidden"
        ? refuse(403, "only an operator halts everything, and lifts that")
        : body,
  }),
];

const ledgerOf = (dashboard: RoomParts["dashboard"]): Operation =>
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
