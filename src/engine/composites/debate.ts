import { z } from "zod";
import { Parallel, Sequence } from "../components.ts";
import type { CallNode, Child } from "../node.ts";
import { leaf, type Leaf } from "../workflow.ts";
import { part, type Inside } from "./part.ts";

/** What one side says in one round. */
export const Argument = z.object({ text: z.string() });
export type Argument = z.infer<typeof Argument>;
/** What the judge says. */
export const Judgement = z.object({ winner: z.string(), why: z.string() });
export type Judgement = z.infer<typeof Judgement>;
const Said = z.object({ side: z.string(), round: z.number(), text: z.string() });

/** A debate and how it was judged; `winner` is a side, or `draw`. */
export const DebateOutput = Judgement.extend({ said: z.array(Said) });
export type DebateOutput = z.infer<typeof DebateOutput>;
/** Names the leaf with what came of a debate. */
export const debated = (id: string): Leaf<DebateOutput> => leaf(id, DebateOutput);

/** Two sides argue for some rounds, each knowing what was said in those before; then a judge decides. */
export function Debate(props: {
  readonly id: string;
  readonly sides: readonly [string, string];
  readonly rounds: number;
  readonly argue: (order: {
    readonly leaf: Leaf<Argument>;
    readonly side: string;
    readonly round: number;
    readonly said: DebateOutput["said"];
  }) => Child;
  readonly judge: (order: { readonly leaf: Leaf<Judgement>; readonly said: DebateOutput["said"] }) => Child;
}): CallNode {
  const { id, sides, rounds, argue, judge } = props;
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`<Debate id="${id}"> needs at least 1 round, not ${rounds}`);
  if (sides[0] === sides[1])
    throw new TypeError(`<Debate id="${id}"> needs two sides, not ${sides[0]} twice`);
  const numbers = Array.from({ length: rounds }, (_, index) => index + 1);
  const judgement = leaf("judge", Judgement.extend({ winner: z.enum([...sides, "draw"]) }));
  const argument = (side: string, round: number) => leaf(`round-${round}/${side}`, Argument);
  const saidIn = (inside: Inside, before: number): DebateOutput["said"] =>
    numbers
      .filter((round) => round < before)
      .flatMap((round) =>
        sides.flatMap((side) => {
          const text = inside.latest(argument(side, round))?.text;
          return text === undefined ? [] : [{ side, round, text }];
        }),
      );
  return part({
    kind: "Debate",
    id,
    output: DebateOutput,
    render: (inside) =>
      Sequence({
        children: [
          numbers.map((round) =>
            Parallel({
              children: sides.map((side) =>
                Sequence({
                  children: argue({ leaf: argument(side, round), side, round, said: saidIn(inside, round) }),
                }),
              ),
            }),
          ),
          judge({ leaf: judgement, said: saidIn(inside, rounds + 1) }),
        ],
      }),
    result: (inside) => ({ ...inside.output(judgement), said: saidIn(inside, rounds + 1) }),
  });
}
