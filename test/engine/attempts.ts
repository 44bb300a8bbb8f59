/** Tasks and their attempts, as a plan is made of them. */
import { z } from "zod";
import type { Node } from "../../src/engine/node.ts";
import type { Due } from "../../src/engine/plan.ts";
import type { Attempt, AttemptStatus } from "../../src/engine/rows.ts";
import { Task } from "../../src/engine/task.ts";

export const task = (id: string): Node => Task({ id, output: z.unknown(), perform: () => null });
export const now = 100;

/** `"a"` is an attempt at leaf a outside any loop, `"a@0.1"` one inside two. */
export const row = (name: string, status: AttemptStatus, more: Partial<Attempt> = {}): Attempt => {
  const [leaf = "", iteration = ""] = name.split("@");
  return {
    seq: 0,
    leaf,
    iteration,
    attempt: 1,
    status,
    output: undefined,
    error: undefined,
    memory: undefined,
    dueAt: undefined,
    paused: false,
    about: undefined,
    snapshot: undefined,
    ...more,
  };
};
export const nameOf = ({ leaf, iteration }: Pick<Due, "leaf" | "iteration">): string =>
  iteration === "" ? leaf.id : `${leaf.id}@${iteration}`;
