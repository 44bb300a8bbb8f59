import { z } from "zod";
import { Parallel, Sequence } from "../components.ts";
import { Task } from "../task.ts";
import type { CallNode, Child } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { member, part, type Inside, type Member } from "./part.ts";

/** What a member of a panel says. */
export const Vote = z.object({ vote: z.string(), why: z.string() });
export type Vote = z.infer<typeof Vote>;
const Votes = z.array(Vote.extend({ member: z.string() }));

/** What a panel decided: by its judge, by majority, or not at all. */
export const PanelOutput = z.object({
  is: z.enum(["decided", "split"]),
  decision: z.string().optional(),
  why: z.string(),
  votes: Votes,
  /** Who failed to answer. */
  absent: z.array(z.string()),
});
export type PanelOutput = z.infer<typeof PanelOutput>;
/** Names the leaf with what a panel decided. */
export const decidedBy = (id: string): Leaf<PanelOutput> => leaf(id, PanelOutput);

/** Members answer side by side, none seeing the others; then the judge decides, or the majority. Too few answers fail it. */
export function Panel(props: {
  readonly id: string;
  readonly members: readonly string[];
  /** Answers it takes; more than half of the members when left out. */
  readonly quorum?: number;
  readonly ask: (order: { readonly leaf: Leaf<Vote>; readonly member: string }) => Child;
  /** Makes one answer of all; where there is none, the majority decides. */
  readonly judge?: (order: { readonly leaf: Leaf<Vote>; readonly votes: z.infer<typeof Votes> }) => Child;
}): CallNode {
  const { id, members, ask, judge } = props;
  const { quorum = Math.floor(members.length / 2) + 1 } = props;
  if (quorum < 1 || quorum > members.length)
    throw new RangeError(`<Panel id="${id}"> of ${members.length} cannot have a quorum of ${quorum}`);
  const judgement = leaf("judge", Vote);
  const seatsIn = (inside: Inside): readonly (Member<Vote> & { readonly name: string })[] =>
    members.map((name) => {
      const named = leaf(`member/${name}`, Vote);
      return { name, ...member(inside, named, ask({ leaf: named, member: name })) };
    });
  const votesOf = (inside: Inside) =>
    seatsIn(inside).flatMap(({ name, answer }) =>
      answer === undefined ? [] : [{ member: name, ...answer }],
    );
  return part({
    kind: "Panel",
    id,
    output: PanelOutput,
    render: (inside) => {
      const votes = votesOf(inside);
      const count = Task({
        id: "quorum",
        output: z.number(),
        retries: 0,
        perform: () => {
          if (votes.length >= quorum) return votes.length;
          const who = votes.length === 0 ? "nobody" : `only ${votes.map((one) => one.member).join(", ")}`;
          throw new Error(`${who} of panel "${id}" answered; it takes ${quorum} of ${members.length}`);
        },
      });
      const last = votes.length < quorum ? undefined : judge?.({ leaf: judgement, votes });
      return Sequence({
        children: [Parallel({ children: seatsIn(inside).map(({ node }) => node) }), count, last],
      });
    },
    result: (inside) => {
      const votes = votesOf(inside);
      const absent = members.filter((name) => votes.every((one) => one.member !== name));
      if (judge === undefined) return { ...majority(votes), votes, absent };
      const { vote, why } = inside.output(judgement);
      return { is: "decided", decision: vote, why, votes, absent };
    },
  });
}

function majority(votes: readonly Vote[]): Pick<PanelOutput, "is" | "decision" | "why"> {
  const counts = Map.groupBy(votes, ({ vote }) => vote);
  const [first, second] = [...counts].toSorted(([, one], [, other]) => other.length - one.length);
  const shown = [...counts].map(([vote, { length }]) => `${length} for ${vote}`).join(", ");
  return first === undefined || first[1].length === second?.[1].length
    ? { is: "split", why: shown }
    : { is: "decided", decision: first[0], why: shown };
}
