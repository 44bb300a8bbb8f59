import { z } from "zod";
import { Loop, Parallel } from "../components.ts";
import type { CallNode, Child } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { member, part, type Inside, type Limit, type Member } from "./part.ts";

/** What there is to do. */
export const WorkPlan = z.object({ tasks: z.array(z.object({ name: z.string(), order: z.string() })) });
export type WorkPlan = z.infer<typeof WorkPlan>;
/** What a worker gives. */
export const Worked = z.object({ result: z.string() });
export type Worked = z.infer<typeof Worked>;
/** Whether all of it is done, and what to do otherwise. */
export const Supervised = z.object({ done: z.boolean(), feedback: z.string() });
export type Supervised = z.infer<typeof Supervised>;
/** One task and its result; none where its worker failed. */
const Result = z.object({ name: z.string(), result: z.string().optional() });

/** What came of supervised work: the results of the last round. */
export const SupervisorOutput = z.object({
  is: z.enum(["done", "exhausted"]),
  rounds: z.number(),
  results: z.array(Result),
  feedback: z.string(),
});
export type SupervisorOutput = z.infer<typeof SupervisorOutput>;
/** Names the leaf with what came of supervised work. */
export const supervised = (id: string): Leaf<SupervisorOutput> => leaf(id, SupervisorOutput);

type Results = SupervisorOutput["results"];

/** Plans tasks, has workers do them side by side, judges; again with what was said until it is done. */
export function Supervisor(
  props: Limit & {
    readonly id: string;
    /** Workers at once. */
    readonly atOnce?: number;
    readonly plan: (order: {
      readonly leaf: Leaf<WorkPlan>;
      readonly round: number;
      readonly feedback: string;
      readonly results: Results;
    }) => Child;
    readonly work: (order: {
      readonly leaf: Leaf<Worked>;
      readonly task: WorkPlan["tasks"][number];
      readonly round: number;
    }) => Child;
    readonly judge: (order: {
      readonly leaf: Leaf<Supervised>;
      readonly results: Results;
      readonly round: number;
    }) => Child;
  },
): CallNode {
  const { id, max, onExhausted = "fail", atOnce = Infinity, plan, work, judge } = props;
  const planned = leaf("plan", WorkPlan);
  const judged = leaf("judge", Supervised);
  const workers = (inside: Inside): readonly (Member<Worked> & { readonly name: string })[] =>
    (inside.latest(planned)?.tasks ?? []).map((task, index) => {
      const named = leaf(`work/${index + 1}`, Worked);
      const round = inside.iteration("round") + 1;
      return { name: task.name, ...member(inside, named, work({ leaf: named, task, round })) };
    });
  const resultsIn = (inside: Inside): Results =>
    workers(inside).map(({ name, answer }) => ({ name, ...answer }));
  return part({
    kind: "Supervisor",
    id,
    output: SupervisorOutput,
    render: (inside) => {
      const round = inside.iteration("round") + 1;
      const results = resultsIn(inside);
      const before = inside.latest(judged);
      return Loop({
        id: "round",
        max,
        onExhausted,
        until: before?.done === true,
        children: [
          plan({ leaf: planned, round, feedback: before?.feedback ?? "", results }),
          Parallel({ max: atOnce, children: workers(inside).map(({ node }) => node) }),
          judge({ leaf: judged, results, round }),
        ],
      });
    },
    result: (inside) => {
      const { done, feedback } = inside.output(judged);
      return {
        is: done ? "done" : "exhausted",
        rounds: inside.iteration("round"),
        results: resultsIn(inside),
        feedback,
      };
    },
  });
}
