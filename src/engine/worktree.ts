import { z } from "zod";
import { Task } from "./task.ts";
import type { WorktreeName, Worktrees } from "./host.ts";
import { mapTasks, nodesIn, type Child, type SequenceNode, type Step } from "./node.ts";
import { leaf, type Leaf } from "./workflow.ts";

/** A worktree as it was opened. */
export const OpenedWorktree = z.object({ path: z.string(), branch: z.string(), base: z.string() });
export type OpenedWorktree = z.infer<typeof OpenedWorktree>;
/** What became of a worktree's work. */
export const LandedWorktree = z.discriminatedUnion("is", [
  z.object({ is: z.literal("merged"), into: z.string(), head: z.string() }),
  z.object({ is: z.literal("conflict"), into: z.string(), files: z.array(z.string()) }),
]);
export type LandedWorktree = z.infer<typeof LandedWorktree>;
const CommittedWorktree = z.object({ head: z.string() });
const ClosedWorktree = z.discriminatedUnion("is", [
  z.object({ is: z.literal("closed") }),
  z.object({ is: z.literal("kept"), why: z.string() }),
]);

/** Names the leaf that opens the worktree of this id. */
export const opened = (id: string): Leaf<OpenedWorktree> => leaf(`${id}/open`, OpenedWorktree);
/** Names the leaf that commits what is left in the worktree of this id. */
export const committed = (id: string): Leaf<z.infer<typeof CommittedWorktree>> =>
  leaf(`${id}/commit`, CommittedWorktree);
/** Names the leaf that lands the worktree of this id. */
export const landed = (id: string): Leaf<LandedWorktree> => leaf(`${id}/land`, LandedWorktree);
/** Names the leaf that removes the worktree of this id. */
export const closed = (id: string): Leaf<z.infer<typeof ClosedWorktree>> =>
  leaf(`${id}/close`, ClosedWorktree);

interface WorktreeProps {
  readonly id: string;
  /** What its branch grows from; the branch it lands on when it names one, else the head of the folder around it. */
  readonly from?: string;
  /** Its branch; made from the run and the id when left out. */
  readonly branch?: string;
  /** The branch its work lands on; the one that the folder around it is on when left out. */
  readonly into?: string;
  /** `keep` leaves the work on its branch. */
  readonly land?: "merge" | "keep";
  /** `accept` gives a conflict as output and goes on; the branch and its folder stay. */
  readonly onConflict?: "fail" | "accept";
  /** Of the commit of what its tasks left uncommitted. */
  readonly message?: string;
  readonly children?: Child;
}

/** Its tasks work in a git worktree of their own, on a branch of their own, which then lands on the branch around it. */
export function Worktree(props: WorktreeProps): SequenceNode {
  const { id, from = props.into, branch, into, land = "merge", message = `Work of ${id}` } = props;
  const inside = opened(id).id;
  const children = nodesIn(props.children).map((child) =>
    mapTasks(child, (task) => (task.worktree === undefined ? { ...task, worktree: inside } : task)),
  );
  const named = (step: Step): WorktreeName => ({
    folder: step.folder,
    run: step.run,
    name: nameIn(step),
    branch,
  });
  return {
    kind: "sequence",
    children: [
      Task({ ...opened(id), perform: (step) => worktreesOf(step).open({ ...named(step), from }) }),
      ...children,
      Task({
        ...committed(id),
        perform: async (step) => ({ head: await worktreesOf(step).commit({ ...named(step), message }) }),
      }),
      ...(land === "keep" ? [] : [landing(props, named)]),
      Task({
        ...closed(id),
        perform: (step) =>
          worktreesOf(step).close({ ...named(step), into, drop: land === "keep" ? "nothing" : "branch" }),
      }),
    ],
  };
}

function landing({ id, into, onConflict = "fail" }: WorktreeProps, named: (step: Step) => WorktreeName) {
  return Task({
    ...landed(id),
    effect: `lands ${id} on ${into ?? "the branch around it"}`,
    perform: async (step) => {
      const done = await worktreesOf(step).land({ ...named(step), into }, undefined);
      switch (done.is) {
        case "merged":
          return done;
        case "conflict":
          if (onConflict === "accept") return { ...done, files: [...done.files] };
          throw permanent(
            `"${id}" conflicts with ${done.into} in ${done.files.join(", ")}; nothing was landed, its work is on its branch. In its folder (\`git worktree list\`) run \`git rebase ${done.into}\`, settle them, then \`forgehand retry ${step.run} ${step.leaf}\`.`,
          );
        case "absent":
          throw permanent(
            `the branch of "${id}" is gone, so there is nothing to land; \`git reflog\` may know it`,
          );
        case "red":
          throw permanent(`"${id}" did not pass: ${done.why}`);
      }
    },
  });
}

/** The worktrees of the machine; throws where it has none. */
export function worktreesOf(step: Step): Worktrees {
  const { worktrees } = step.host;
  if (worktrees === undefined) throw permanent(`"${step.leaf}" needs worktrees, and this host has none`);
  return worktrees;
}

/** One name for all leaves of a worktree, another in each iteration of the loops around it. */
function nameIn({ leaf: id, iteration }: Step): string {
  const own = id.slice(0, id.lastIndexOf("/"));
  return iteration === "" ? own : `${own}@${iteration}`;
}

const permanent = (text: string): Error => Object.assign(new Error(text), { permanent: true });
