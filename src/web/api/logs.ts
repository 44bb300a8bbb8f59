/** What agents say while they work. */
import { z } from "zod";
import type { RoomParts } from "../answer.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse } from "./refusals.ts";
import { count, instant, ticketId } from "./schemas.ts";

const part = z
  .object({
    session: z.object({
      name: z.string(),
      run: z.string(),
      ticket: ticketId.optional(),
      role: z.string(),
      runtime: z.string(),
      model: z.string().optional(),
      startedAt: instant,
      endedAt: instant.optional(),
    }),
    lines: z.array(
      z.object({
        at: instant,
        kind: z.string(),
        text: z.string(),
        more: count.meta({ description: "Characters that are left out here." }),
      }),
    ),
    from: count,
    next: count.meta({ description: "The `from` of what follows." }),
    size: count,
    leftOutBytes: count,
    leftOutLines: count,
    isOver: z.boolean().meta({ description: "Nothing follows, and nothing will." }),
    isGone: z.boolean().meta({ description: "It was never written, or is kept no longer." }),
    now: instant,
  })
  .meta({ id: "LogPart" });

export const logOperations = ({ dashboard }: RoomParts): readonly Operation[] => [
  operation({
    id: "getSessionLog",
    method: "get",
    path: "/sessions/{name}/log",
    tag: "runs",
    summary: "What an agent said",
    says: "A part of its log. Without `from` the newest; with `from` what stands there, oldest first: begin with 0 and go on from `next` until it is over, or equals `from`. `/sessions/{name}/log` outside the API streams it.",
    params: z.strictObject({
      name: z
        .string()
        .regex(/^\w{1,20}$/u)
        .meta({ description: "As tickets and runs name their sessions.", examples: ["12"] }),
    }),
    query: z.strictObject({
      from: z.int().min(0).max(999_999_999_999).optional().meta({ description: "A byte of it." }),
      how: z
        .enum(["heard", "raw"])
        .default("heard")
        .meta({ description: "As people read it, or as the runtime said it." }),
      kind: z
        .array(z.string().min(1).max(200))
        .max(12)
        .optional()
        .meta({ description: "Lines of any of these kinds alone." }),
      words: z.string().min(1).max(200).optional().meta({ description: "Lines with each of these." }),
    }),
    answer: { status: 200, says: "A part of it.", body: part },
    refuses: [404],
    handle: async ({ viewer, params, query: { from, how, kind = [], words = "" } }) => {
      const order = { from: from ?? ("end" as const), how, kinds: kind, words, late: "read" as const };
      return (
        (await dashboard.logs.read(viewer, params.name, order)) ?? refuse(404, "there is no such session")
      );
    },
  }),
];
