/** Runs: a list, one as it is or was, and orders to it. */
import { z } from "zod";
import { runStatuses, type RunDo, type RunLook, type RunPage } from "../../ports-dashboard-runs.ts";
import type { Viewer } from "../../ports-dashboard-viewer.ts";
import type { RunOrderReply } from "../../ports-dashboard-api.ts";
import type { RoomParts } from "../answer.ts";
import { placeIn, placeText } from "../rooms/runs-page.ts";
import { isRefusal } from "./judge.ts";
import { operation, type Operation } from "./operation.ts";
import { refuse, type Refusal } from "./refusals.ts";
import { count } from "./schemas.ts";
import { run, runCompared, runFrames, runRow, runTree } from "./schemas-runs.ts";

const tag = "runs";
const noRun = refuse(404, "there is no such run", { code: "run_not_found" });
const byRun = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(300)
    .meta({ description: "Its id, its signs encoded.", examples: ["github:77#42/1"] }),
});
const frameNumber = count.meta({ description: "A frame; 0 is the beginning." });
const rounds = z
  .array(z.string().regex(/^.{1,200}:\d{1,6}$/u))
  .max(20)
  .optional()
  .meta({ description: "`loop:iteration`, where another than the newest is looked at." });
const asItIs: RunLook = { frame: undefined, beside: undefined, task: undefined, rounds: new Map() };

const roundsIn = (given: readonly string[] = []): RunLook["rounds"] =>
  new Map(
    given.map((one) => {
      const at = one.lastIndexOf(":");
      return [one.slice(0, at), Number(one.slice(at + 1))];
    }),
  );

async function look(
  { dashboard }: RoomParts,
  viewer: Viewer,
  id: string,
  wanted: Partial<RunLook>,
): Promise<RunPage | Refusal> {
  const page = await dashboard.runs.run(viewer, id, { ...asItIs, ...wanted });
  if (page === undefined) return noRun;
  return page === "no frame" ? refuse(404, "it has not so many frames", { code: "frame_not_found" }) : page;
}

export const runOperations = (parts: RoomParts): readonly Operation[] => [
  listOf(parts),
  operation({
    id: "getRun",
    method: "get",
    path: "/runs/{id}",
    tag,
    summary: "One run",
    says: "All that its page tells, as it is or as it was at a frame. `task` adds what that task was given and gave, each attempt.",
    params: byRun,
    query: z.strictObject({
      frame: frameNumber.optional(),
      task: z.string().min(1).max(500).optional().meta({ description: "`task` or `task@iteration`." }),
      round: rounds,
    }),
    answer: { status: 200, says: "The run.", body: run },
    refuses: [404],
    handle: async ({ viewer, params, query: { frame, task, round } }) =>
      await look(parts, viewer, params.id, { frame, task, rounds: roundsIn(round) }),
  }),
  operation({
    id: "getRunTree",
    method: "get",
    path: "/runs/{id}/tree",
    tag,
    summary: "Its tree",
    says: "Tasks, and what holds them together, with their state, as it is or was at a frame.",
    params: byRun,
    query: z.strictObject({ frame: frameNumber.optional(), round: rounds }),
    answer: { status: 200, says: "The tree.", body: runTree },
    refuses: [404],
    handle: async ({ viewer, params, query: { frame, round } }) => {
      const page = await look(parts, viewer, params.id, { frame, rounds: roundsIn(round) });
      if (isRefusal(page)) return page;
      const { frames, at, tree, treeNote } = page;
      return { frames, at, tree, treeNote };
    },
  }),
  operation({
    id: "listRunFrames",
    method: "get",
    path: "/runs/{id}/frames",
    tag,
    summary: "Its frames",
    says: "Every attempt that ended or goes on, oldest first; of many the newest.",
    params: byRun,
    answer: { status: 200, says: "The frames.", body: runFrames },
    refuses: [404],
    handle: async ({ viewer, params }) => {
      const page = await look(parts, viewer, params.id, {});
      return isRefusal(page) ? page : { frames: page.bars, leftOut: page.leftOutBars };
    },
  }),
  operation({
    id: "compareRunFrames",
    method: "get",
    path: "/runs/{id}/compare",
    tag,
    summary: "Two of its frames",
    says: "What tasks gave at one and at the other, and what differs in files that were kept.",
    params: byRun,
    query: z.strictObject({ from: frameNumber, to: frameNumber }),
    answer: { status: 200, says: "What differs.", body: runCompared },
    refuses: [404],
    handle: async ({ viewer, params, query: { from, to } }) => {
      const page = await look(parts, viewer, params.id, { frame: from, beside: to });
      return isRefusal(page) ? page : (page.comparison ?? noRun);
    },
  }),
  orderOf(parts),
];

const listOf = ({ dashboard }: RoomParts): Operation =>
  operation({
    id: "listRuns",
    method: "get",
    path: "/runs",
    tag,
    summary: "Runs",
    says: "Newest first. A page may hold few, or none, and still have a `next`: go on until there is none. Runs of workflow files are for operators.",
    query: z.strictObject({
      workflow: z.string().min(1).max(200).optional(),
      status: z.enum(runStatuses).optional(),
      ticket: z.string().min(1).max(300).optional().meta({ description: "Of this ticket alone." }),
      words: z.string().min(1).max(200).optional().meta({ description: "All of these are told of it." }),
      after: z
        .string()
        .regex(/^\d{1,15}~.{1,300}$/u)
        .optional()
        .meta({ description: "`next` of the page before." }),
    }),
    answer: {
      status: 200,
      says: "A page of them.",
      body: z.object({ runs: z.array(runRow), next: z.string().optional() }).meta({ id: "Runs" }),
    },
    refuses: [],
    handle: async ({ viewer, query: { workflow = "", status, ticket = "", words = "", after } }) => {
      const list = await dashboard.runs.list(viewer, {
        workflow,
        status,
        ticket,
        words,
        after: placeIn(after),
      });
      return { runs: list.rows, next: list.next && placeText(list.next) };
    },
  });

const note = z
  .string()
  .max(2_000)
  .default("")
  .meta({ description: "Why; written down with who ordered it." });
const seen = z.string().max(200).meta({
  description: "`version` of the run that was decided upon; if anything happened since, nothing is done.",
});
const effects = z
  .enum(["refuse", "accept"])
  .default("refuse")
  .meta({ description: "Whether it may be done although effects stay that nothing takes back." });
const seq = count.meta({ description: "Of the question that is answered (`asks`)." });
const wantedOrder = z
  .discriminatedUnion("order", [
    z.strictObject({ order: z.enum(["approve", "deny"]), seq, note }),
    z.strictObject({
      order: z.literal("answer"),
      seq,
      answer: z.unknown().meta({ description: "As the `schema` of the question wants it." }),
      note,
    }),
    z.strictObject({
      order: z.enum(["rewind", "fork", "replay"]),
      seen,
      frame: frameNumber,
      effects,
      note,
    }),
    z.strictObject({ order: z.literal("undo"), seen, effects, note }),
    z.strictObject({ order: z.enum(["retry", "hold", "resume", "cancel"]), seen, note }),
  ])
  .meta({ id: "RunOrder" });

function doOf(wanted: z.output<typeof wantedOrder>): RunDo {
  switch (wanted.order) {
    case "approve":
    case "deny":
      return {
        do: "answer",
        seq: wanted.seq,
        answer: { decision: wanted.order === "approve" ? "approved" : "denied" },
      };
    case "answer":
      return { do: wanted.order, seq: wanted.seq, answer: wanted.answer };
    case "rewind":
    case "fork":
    case "replay":
      return { do: wanted.order, seen: wanted.seen, frame: wanted.frame, effects: wanted.effects };
    case "undo":
      return { do: wanted.order, seen: wanted.seen, effects: wanted.effects };
    case "retry":
    case "hold":
    case "resume":
    case "cancel":
      return { do: wanted.order, seen: wanted.seen };
  }
}

const orderOf = ({ commands }: RoomParts): Operation =>
  operation({
    id: "orderRun",
    method: "post",
    path: "/runs/{id}/orders",
    tag,
    summary: "Approve, deny, answer, rewind, undo, fork, replay, retry, hold, resume or cancel",
    says: "Carried out at once, in the name of who gives it. With an `Idempotency-Key` it is done once, however often it is sent, and answered the same for a day.",
    params: byRun,
    body: wantedOrder,
    takesKey: true,
    answer: {
      status: 200,
      says: "It is done.",
      body: z
        .object({
          is: z.literal("done"),
          text: z.string(),
          run: z.string().optional().meta({ description: "Another run that came of it." }),
        })
        .meta({ id: "RunOrdered" }),
    },
    refuses: [403, 404, 409, 422],
    handle: async ({ viewer, params, body, key }) => {
      const wanted = { ...doOf(body), run: params.id, note: body.note };
      const reply = await commands.api.orderRun(viewer, { wanted, key });
      return reply.is === "done" ? reply : refusalOf(reply);
    },
  });

function refusalOf(reply: Exclude<RunOrderReply, { readonly is: "done" }>): Refusal {
  switch (reply.is) {
    case "stale":
      return refuse(409, reply.text, { code: "stale" });
    case "refused":
      return refuse(409, reply.text, { code: "impossible" });
    case "forced":
      return refuse(409, reply.text, {
        code: "forced",
        details: reply.leaves.map((message) => ({ at: "body.effects", message })),
      });
    case "forbidden":
      return refuse(403, reply.text);
    case "unknown":
      return noRun;
    case "reused":
      return refuse(422, "this Idempotency-Key was given with another order; take a new one");
    case "unsure":
      return refuse(
        409,
        "this order was begun under its Idempotency-Key when forgehand stopped: look at the run, and take a new key if it is still wanted",
        { code: "unsure" },
      );
  }
}
