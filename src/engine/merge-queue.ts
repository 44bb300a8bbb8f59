import { z } from "zod";
import { Sequence } from "./components.ts";
import { Task } from "./task.ts";
import { part } from "./composites/part.ts";
import type { CallNode, Step } from "./node.ts";
import { leaf, type Leaf } from "./workflow.ts";
import { worktreesOf } from "./worktree.ts";

/** What a queue merged, and what it put out of the queue and why. */
export const MergeQueueOutput = z.object({
  merged: z.array(z.object({ branch: z.string(), head: z.string() })),
  evicted: z.array(z.object({ branch: z.string(), why: z.string(), files: z.array(z.string()).optional() })),
});
export type MergeQueueOutput = z.infer<typeof MergeQueueOutput>;

const Passed = z.discriminatedUnion("is", [
  z.object({ is: z.literal("merged"), head: z.string() }),
  z.object({ is: z.literal("evicted"), why: z.string(), files: z.array(z.string()).optional() }),
]);

/** Names the leaf with what a merge queue did. */
export const mergedBy = (id: string): Leaf<MergeQueueOutput> => leaf(id, MergeQueueOutput);

/** A command, or a function that answers why the branch is red; one that throws is red too. */
export type MergeTest =
  | { readonly command: string; readonly timeoutMs?: number }
  | ((folder: string, signal: AbortSignal) => Promise<string | undefined | void>);

/** How many of a red command's last words are told. */
const tailLength = 2_000;

/**
 * Branches merged in order: each is put on top of what is merged so far, tested there in a worktree of its own, and
 * only then merged. A red or conflicting one is put out of the queue, and the others go on.
 */
export function MergeQueue(props: {
  readonly id: string;
  readonly branches: readonly string[];
  /** The branch they go into; the one that the folder is on when left out. */
  readonly into?: string;
  readonly test?: MergeTest;
}): CallNode {
  const { id, branches, into, test } = props;
  const twin = branches.find((branch, index) => branches.indexOf(branch) !== index);
  if (twin !== undefined) throw new TypeError(`<MergeQueue id="${id}"> is given the branch ${twin} twice`);
  return part({
    kind: "MergeQueue",
    id,
    output: MergeQueueOutput,
    render: () =>
      Sequence({
        children: branches.map((branch) =>
          Task({
            id: branch,
            output: Passed,
            effect: `merges ${branch}`,
            perform: (step) => pass(step, { branch, into, test }),
          }),
        ),
      }),
    result: ({ output }) => {
      const passed = branches.map((branch) => ({ branch, ...output(leaf(branch, Passed)) }));
      return {
        merged: passed.flatMap((one) =>
          one.is === "merged" ? [{ branch: one.branch, head: one.head }] : [],
        ),
        evicted: passed.flatMap((one) =>
          one.is === "evicted"
            ? [{ branch: one.branch, why: one.why, ...(one.files && { files: one.files }) }]
            : [],
        ),
      };
    },
  });
}

async function pass(
  step: Step,
  {
    branch,
    into,
    test,
  }: { readonly branch: string; readonly into: string | undefined; readonly test: MergeTest | undefined },
): Promise<z.infer<typeof Passed>> {
  const check = test && ((folder: string) => reasonOf(step, test, folder));
  const { folder, run, leaf: id, iteration } = step;
  const name = `${id}@${iteration}`;
  const landed = await worktreesOf(step).land({ folder, run, name, branch, into }, check);
  switch (landed.is) {
    case "merged":
      return { is: "merged", head: landed.head };
    case "conflict": {
      const files = [...landed.files];
      return { is: "evicted", why: `it conflicts with ${landed.into} in ${files.join(", ")}`, files };
    }
    case "red":
      return { is: "evicted", why: landed.why };
    case "absent":
      return { is: "evicted", why: "there is no such branch" };
  }
}

/** Why the branch is red; undefined when it is green. */
async function reasonOf(step: Step, test: MergeTest, folder: string): Promise<string | undefined> {
  const { signal, run } = step;
  if (typeof test === "function") {
    try {
      return (await test(folder, signal)) ?? undefined;
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    }
  }
  const { command, timeoutMs } = test;
  const { exit, timedOut, stdout, stderr } = await step.host.shell(
    { command, folder, run, timeoutMs },
    signal,
  );
  signal.throwIfAborted();
  if (exit === 0) return undefined;
  const how = timedOut ? `took longer than ${timeoutMs} ms` : `ended with ${exit ?? "a signal"}`;
  return `\`${command}\` ${how}: ${`${stdout}\n${stderr}`.trim().slice(-tailLength)}`;
}
