import { z } from "zod";
import { Branch, Loop, Sequence } from "../engine/components.ts";
import { Task } from "../engine/task.ts";
import { workflow, type Context, type Workflow } from "../engine/workflow.ts";
import {
  check,
  checkSchema,
  code,
  patchSchema,
  prepare,
  publish,
  publishSchema,
  treeSchema,
} from "./build-steps.ts";
import { ownBuild } from "./own.tsx";
import { reportSchema, ticketInput, type Report, type TicketInput } from "./report.ts";
import type { TicketWork } from "./work.ts";
import { outcomeSchema, settledBy, stillOpen, type Outcome } from "./work-order.ts";

const buildOutput = z.object({
  event: reportSchema,
  /** What became of each conversation of the order. */
  threads: z.array(outcomeSchema).optional(),
  builder: patchSchema.omit({ is: true, text: true, turns: true }).optional(),
  flaky: z.boolean(),
});
export type BuildOutput = z.infer<typeof buildOutput>;

/** Rounds of coding and checking in one run. */
const maxRounds = 3;

/** Builds the ticket in its worktree until its own checks are green, and publishes the head. */
export const build = (work: TicketWork): Workflow<TicketInput, BuildOutput> =>
  workflow({
    name: "build",
    input: ticketInput,
    output: buildOutput,
    render: (ctx) => {
      const tree = ctx.latest("prepare", treeSchema);
      const patch = ctx.latest("code", patchSchema);
      const checked = ctx.latest("check", checkSchema);
      const stopped = patch !== undefined && patch.is !== "done";
      return (
        <Sequence>
          <Task id="prepare" output={treeSchema} perform={(step) => prepare(work, ctx.input, step)} />
          <Loop
            id="until-green"
            max={maxRounds}
            until={stopped || (checked?.green === true && stillOpen(patch?.threads ?? []).length === 0)}
            onExhausted="accept"
          >
            {tree?.workflow === undefined ? (
              <Task
                id="code"
                output={patchSchema}
                perform={(step) => code(work, ctx.input, { tree: known(tree), patch, check: checked }, step)}
              />
            ) : (
              ownBuild({ work, ctx, tree: { ...tree, workflow: tree.workflow }, check: checked })
            )}
            <Branch
              if={!stopped}
              then={
                <Task
                  id="check"
                  output={checkSchema}
                  perform={(step) => check(work, ctx.input, known(tree), step)}
                />
              }
            />
          </Loop>
          <Branch
            if={!stopped && checked?.green === true}
            then={
              <Task
                id="publish"
                output={publishSchema}
                perform={(step) =>
                  publish(work, ctx.input, { patch, checked, suggested: tree?.suggested?.head }, step)
                }
              />
            }
          />
        </Sequence>
      );
    },
    result: (ctx) => {
      const patch = ctx.latest("code", patchSchema);
      return {
        event: eventOf(ctx),
        flaky: ctx.history("check", checkSchema).some(({ flaky }) => flaky),
        ...outcomesIn(ctx),
        ...(patch === undefined
          ? {}
          : {
              builder: {
                models: patch.models,
                family: patch.family,
                ...(patch.session === undefined ? {} : { session: patch.session }),
              },
            }),
      };
    },
  });

/** Tasks that need the worktree come after the one that made it. */
function known<Tree>(tree: Tree | undefined): Tree {
  if (tree === undefined) throw new Error("the worktree is not prepared yet");
  return tree;
}

/** What people are told about their conversations, once there is a delivery to tell of. */
function outcomesIn(ctx: Context<TicketInput>): { readonly threads?: Outcome[] } {
  const outcomes = ctx.latest("code", patchSchema)?.threads;
  const published = ctx.latest("publish", publishSchema);
  if (outcomes === undefined || published?.is !== "published") return {};
  const isNew = published.head !== ctx.input.head;
  return { threads: [...settledBy(outcomes, isNew ? "committed" : "nothing changed")] };
}

/** The builder's words, and what it said nothing about. */
function summaryOf(text: string, outcomes: readonly Outcome[]): string {
  const left = outcomes.filter(({ is }) => is === "unaddressed");
  const named = left.map(
    ({ thread: { path, lines } }) => `${path}${lines === undefined ? "" : `:${lines.to}`}`,
  );
  return left.length === 0 ? text : `${text}\n\nNot addressed: the conversations at ${named.join(", ")}.`;
}

function eventOf(ctx: Context<TicketInput>): Report {
  const patch = ctx.latest("code", patchSchema);
  const published = ctx.latest("publish", publishSchema);
  if (patch === undefined) return { type: "build.gave-up", how: "failed", why: "the builder never answered" };
  if (patch.is !== "done")
    return {
      type: "build.gave-up",
      how: patch.is === "unfinished" ? "unfinished" : "failed",
      why: patch.text,
      ...(patch.turns === undefined ? {} : { turns: patch.turns }),
    };
  if (published?.is === "published")
    return {
      type: "build.delivered",
      head: published.head,
      summary: summaryOf(patch.text, outcomesIn(ctx).threads ?? []),
    };
  if (published?.is === "refused") {
    const how = published.how === "moved" ? "unfinished" : "failed";
    return { type: "build.gave-up", how, why: published.why };
  }
  const tail = ctx.latest("check", checkSchema)?.tail ?? "";
  return {
    type: "build.gave-up",
    how: "failed",
    why: `the checks are still red after ${maxRounds} rounds:\n${tail.slice(-2000)}`,
  };
}
