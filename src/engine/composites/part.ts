/** What the composites share: each is a workflow of its own in the place of its tag, made of the public components only. */
import { z, type ZodType } from "zod";
import { Try } from "../components.ts";
import { Task } from "../task.ts";
import type { Callable, CallNode, Child, Node } from "../node.ts";
import { leaf, type Context, type Leaf } from "../workflow.ts";

/** What the nodes of a composite may read: their own leaves. */
export type Inside = Context<null>;

/** A part of a workflow that reads its own leaves and gives one output under its id. */
export function part<Output>(of: {
  readonly kind: string;
  readonly id: string;
  readonly output: ZodType<Output>;
  readonly render: (inside: Inside) => Node;
  readonly result: (inside: Inside) => Output;
}): CallNode {
  const { kind, id, output, render, result } = of;
  const callable: Callable = { name: `${kind} ${id}`, isPart: true, input: z.null(), output, render, result };
  return { kind: "call", id, of: callable, input: null, adapt: undefined };
}

const Absent = z.object({ after: z.number() });

/** One whose failure fails nothing else, and how it stands. */
export interface Member<Output> {
  readonly node: Node;
  /** Its newest answer; undefined where it has none or failed since. */
  readonly answer: Output | undefined;
  /** How often it ended, failures too, and how often well. */
  readonly ended: number;
  readonly answered: number;
}
export function member<Output>(inside: Inside, named: Leaf<Output>, work: Child): Member<Output> {
  const missed = leaf(`${named.id}/absent`, Absent);
  const answered = inside.history(named).length;
  const failures = inside.history(missed);
  const isAbsent = failures.at(-1)?.after === answered;
  return {
    node: Try({ children: work, catch: Task({ ...missed, perform: () => ({ after: answered }) }) }),
    answer: isAbsent ? undefined : inside.latest(named),
    ended: answered + failures.length,
    answered,
  };
}

/** How a loop that may be exhausted is asked for. */
export interface Limit {
  /** Rounds at most. */
  readonly max: number;
  /** `accept` gives what there is by then as output; the run's outcome is *not met* either way. */
  readonly onExhausted?: "fail" | "accept";
}
