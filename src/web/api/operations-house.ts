/** What is of no one ticket: who asks, the board, what waits, the halt of everything. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { board, halted, waiting } from "./schemas.ts";

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
    says: "Open tickets by state, of each those that are in it longest, with what they wait for; `counts` tells how many there are, and `/tickets` lists all.",
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
