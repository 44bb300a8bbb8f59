/** The host as a whole, for its operators: its health, what came in, and what operators did. */
import { z } from "zod";
import { mostDayUsd, type Done } from "../../ports-dashboard-health.ts";
import type { RoomParts } from "../answer.ts";
import { redeliverTexts } from "../rooms/webhooks.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { count, instant, nextKey, nothing } from "./schemas.ts";
import { channel, health, inboxItem, inboxRow } from "./schemas-host.ts";

const tag = "host";
const forOperators = refuse(403, "this is about all repositories at once; only operators of this host may");
const done = z.object({ is: z.literal("done") }).meta({ id: "Done" });

const doneOr = (is: Done, gone: string): { readonly is: "done" } | Refusal => {
  if (is === "forbidden") return forOperators;
  return is === "nothing" ? refuse(409, gone, { code: "gone" }) : { is };
};

export const hostOperations = (parts: RoomParts): readonly Operation[] => [
  operation({
    id: "getHealth",
    method: "get",
    path: "/health",
    tag,
    summary: "How the host is",
    says: "For operators. What is halted, left out, tried again, at work, spent and left; disk, loops, runtimes.",
    answer: { status: 200, says: "As it stands now.", body: health },
    refuses: [],
    handle: async ({ viewer }) => (await parts.dashboard.health.view(viewer)) ?? forOperators,
  }),
  ...healthOrders(parts),
  ...webhookOperations(parts),
  operation({
    id: "listChannels",
    method: "get",
    path: "/notifications/channels",
    tag,
    summary: "Where people are told",
    says: "For operators. How it stands with each channel that was told something: what waits, and what failed.",
    answer: {
      status: 200,
      says: "All of them.",
      body: z.object({ channels: z.array(channel) }).meta({ id: "Channels" }),
    },
    refuses: [],
    handle: async ({ viewer }) => {
      const channels = await parts.dashboard.api.channels(viewer);
      return channels === undefined ? forOperators : { channels };
    },
  }),
];

const healthOrders = ({ commands }: RoomParts): readonly Operation[] => [
  operation({
    id: "resetBreaker",
    method: "post",
    path: "/health/breaker",
    tag,
    summary: "Let a runtime work again",
    says: "For operators. It is picked again at once.",
    body: z.strictObject({ runtime: z.string().min(1).max(200) }).meta({ id: "BreakerOrder" }),
    answer: { status: 200, says: "Nothing stands against it.", body: done },
    refuses: [403, 409],
    handle: async ({ viewer, body }) =>
      doneOr(await commands.health.resetBreaker(viewer, body.runtime), "nothing stands against that runtime"),
  }),
  operation({
    id: "tryNow",
    method: "post",
    path: "/health/retry",
    tag,
    summary: "Try now what is tried later",
    says: "For operators. `key` is that of one of the `retries` of the health.",
    body: z.strictObject({ key: z.string().min(1).max(600) }).meta({ id: "RetryOrder" }),
    answer: { status: 200, says: "It is tried.", body: done },
    refuses: [403, 409],
    handle: async ({ viewer, body }) =>
      doneOr(
        await commands.health.tryNow(viewer, body.key),
        "it does not wait any more: it was tried meanwhile",
      ),
  }),
  operation({
    id: "capDay",
    method: "post",
    path: "/health/day",
    tag,
    summary: "What today may cost",
    says: "For operators. Holds for today alone. `seen` is `day.host.capUsd` of the health: if somebody changed it since, nothing is done.",
    body: z
      .strictObject({ usd: z.number().positive().max(mostDayUsd), seen: z.number() })
      .meta({ id: "DayOrder" }),
    answer: { status: 200, says: "It holds from now on.", body: done },
    refuses: [403, 409, 422],
    handle: async ({ viewer, body }) => {
      const is = await commands.health.capDay(viewer, body.usd, body.seen);
      if (is === "stale") return refuse(409, "the cap is another than was seen", { code: "stale" });
      if (is === "absurd") return refuse(422, "that is no sum for a day", { code: "unclear" });
      return is === "forbidden" ? forOperators : { is };
    },
  }),
];

const byItem = z.strictObject({
  id: z.string().min(1).max(300).meta({ description: "Its `id`: of a delivery of GitHub its GUID." }),
});
const noItem = refuse(404, "nothing came in under that name");

const webhookOperations = ({ dashboard, commands }: RoomParts): readonly Operation[] => [
  operation({
    id: "listWebhooks",
    method: "get",
    path: "/webhooks",
    tag,
    summary: "What came in",
    says: "For operators. Newest first, with what became of it. A page may hold few, or none, and still have a `next`: go on until there is none.",
    query: z.strictObject({
      source: z.string().min(1).max(200).optional(),
      event: z.string().min(1).max(200).optional(),
      state: z.string().min(1).max(200).optional(),
      ticket: z.string().min(1).max(300).optional().meta({ description: "About this ticket alone." }),
      after: nextKey,
    }),
    answer: {
      status: 200,
      says: "A page of it.",
      body: z
        .object({ rows: z.array(inboxRow), lookedAt: count, next: count.optional(), now: instant })
        .meta({ id: "Inbox" }),
    },
    refuses: [],
    handle: async ({ viewer, query: { event, after, source, state, ticket } }) => {
      const page = await dashboard.webhooks.list(viewer, {
        source,
        name: event,
        state,
        ticket,
        before: after,
      });
      if (page === undefined) return forOperators;
      const { asked: _asked, ...told } = page;
      return told;
    },
  }),
  operation({
    id: "getWebhook",
    method: "get",
    path: "/webhooks/{id}",
    tag,
    summary: "One of them",
    says: "For operators. With its payload, without what looks like a secret.",
    params: byItem,
    answer: { status: 200, says: "The item.", body: inboxItem },
    refuses: [404],
    handle: async ({ viewer, params }) => {
      const item = await dashboard.webhooks.item(viewer, params.id);
      if (item === undefined) return forOperators;
      return item === "unknown" ? noItem : item;
    },
  }),
  operation({
    id: "rereadWebhook",
    method: "post",
    path: "/webhooks/{id}/reread",
    tag,
    summary: "Read it again",
    says: "For operators. What was set aside is read again.",
    params: byItem,
    body: nothing,
    bodyIsOptional: true,
    answer: { status: 200, says: "It is read.", body: done },
    refuses: [403, 409],
    handle: async ({ viewer, params }) =>
      doneOr(
        await commands.webhooks.reread(viewer, params.id),
        "only what was set aside is read again, and this is not",
      ),
  }),
  operation({
    id: "redeliverWebhook",
    method: "post",
    path: "/webhooks/{id}/redeliver",
    tag,
    summary: "Have GitHub deliver it again",
    says: "For operators. By its GUID, also of a delivery that never arrived. What lies here already keeps its place.",
    params: byItem,
    body: nothing,
    bodyIsOptional: true,
    answer: {
      status: 202,
      says: "GitHub was asked.",
      body: z.object({ is: z.literal("asked") }).meta({ id: "Redelivered" }),
    },
    refuses: [403, 409],
    handle: async ({ viewer, params }) => {
      const given = await commands.webhooks.redeliver(viewer, params.id);
      if (given.is === "asked") return { is: given.is };
      if (given.is === "forbidden") return forOperators;
      if (given.is === "refused") return refuse(409, `GitHub refused: ${given.why}`, { code: "refused" });
      return refuse(409, redeliverTexts[given.is], { code: given.is });
    },
  }),
];
