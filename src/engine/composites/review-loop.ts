import { z, type ZodType } from "zod";
import { Loop, Parallel, Sequence } from "../components.ts";
import type { CallNode, Child } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { part, type Limit } from "./part.ts";

/** What a reviewer says. */
export const Review = z.object({ approved: z.boolean(), findings: z.array(z.string()) });
export type Review = z.infer<typeof Review>;

const reviewedWork = <Work>(work: ZodType<Work>) =>
  z.object({
    is: z.enum(["approved", "exhausted"]),
    rounds: z.number(),
    work,
    /** What is still found. */
    findings: z.array(z.string()),
  });
/** Names the leaf with what a review loop gave. */
export const reviewed = <Work>(id: string, work: ZodType<Work>) => leaf(id, reviewedWork(work));

/** Work is built and reviewed by others, again with what they found, until all of them approve. */
export function ReviewLoop<Work>(
  props: Limit & {
    readonly id: string;
    /** The shape of what is built. */
    readonly work: ZodType<Work>;
    readonly reviewers: readonly string[];
    readonly build: (order: {
      readonly leaf: Leaf<Work>;
      readonly round: number;
      readonly findings: readonly string[];
    }) => Child;
    readonly review: (order: {
      readonly leaf: Leaf<Review>;
      readonly reviewer: string;
      readonly round: number;
      readonly work: Work;
    }) => Child;
  },
): CallNode {
  const { id, reviewers, max, onExhausted = "fail", build, review } = props;
  if (reviewers.length === 0) throw new TypeError(`<ReviewLoop id="${id}"> needs a reviewer`);
  const work = leaf("build", props.work);
  const seats = reviewers.map((reviewer) => ({ reviewer, named: leaf(`review/${reviewer}`, Review) }));
  const result = reviewedWork(props.work);
  return part({
    kind: "ReviewLoop",
    id,
    output: result,
    render: (inside) => {
      const round = inside.iteration("round") + 1;
      const reviews = seats.map(({ named }) => inside.latest(named));
      const findings = reviews.flatMap((one) => one?.findings ?? []);
      const built = inside.latest(work);
      const judged = seats.map(({ reviewer, named }) =>
        built === undefined
          ? undefined
          : Sequence({ children: review({ leaf: named, reviewer, round, work: built }) }),
      );
      return Loop({
        id: "round",
        max,
        onExhausted,
        until: reviews.every((one) => one?.approved === true),
        children: [build({ leaf: work, round, findings }), Parallel({ children: judged })],
      });
    },
    result: (inside) => {
      const reviews = seats.map(({ named }) => inside.output(named));
      return result.parse({
        is: reviews.every(({ approved }) => approved) ? "approved" : "exhausted",
        rounds: inside.iteration("round"),
        work: inside.output(work),
        findings: reviews.flatMap(({ findings }) => findings),
      });
    },
  });
}
