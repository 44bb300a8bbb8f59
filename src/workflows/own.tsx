/** A workflow of one's own in the place of the usual builder: it works in the ticket's worktree and on the ticket's bill. */
import { z } from "zod";
import { Sequence } from "../engine/components.ts";
import { mapTasks, type Node, type Step } from "../engine/node.ts";
import { Task } from "../engine/task.ts";
import { Workflow, type Context } from "../engine/workflow.ts";
import { Trouble } from "../ports.ts";
import { redact } from "../secrets.ts";
import type { Check, Patch, Tree } from "./build-steps.ts";
import { patchSchema } from "./build-steps.ts";
import { buildPrompt } from "./prompts.ts";
import type { TicketInput } from "./report.ts";
import type { TicketWork } from "./work.ts";
import { afterRound, forBrief, readOrderAnswer } from "./work-order.ts";

/** What such a workflow may take; it is given all of it and keeps what its own input names. */
export const ownInput = z.object({
  /** `owner/repo#42` */
  ticket: z.string(),
  title: z.string(),
  body: z.string(),
  /** The runtime that the label or the configuration picked. */
  runtime: z.string(),
  /** Those that the configuration fixes for a role, else the same. */
  runtimes: z.object({ plan: z.string(), mediate: z.string() }),
  /** What the usual builder would be told: the ticket fenced as untrusted, findings, orders, what fails. */
  brief: z.string(),
  /** Of the ticket. */
  branch: z.string(),
});

interface Place {
  readonly work: TicketWork;
  readonly ctx: Context<TicketInput>;
  readonly tree: Tree & { readonly workflow: string };
  readonly check: Check | undefined;
}

/** Lets the picked workflow do what the builder would do, and answers as the builder would. */
export function ownBuild({ work, ctx, tree, check }: Place): Node {
  const given = ctx.latest("brief", ownInput);
  const chosen = work.workflows.named(tree.workflow);
  if (chosen === undefined) {
    throw new Trouble(
      "workflow-missing",
      `the workflow \`${tree.workflow}\` is not there any more, or cannot be loaded; take the label off, or put its file back`,
      { permanent: true },
    );
  }
  const own = given && mapTasks(Workflow({ id: "own", of: chosen, input: given }), inWorktree);
  return (
    <Sequence>
      <Task id="brief" output={ownInput} perform={() => briefOf(work, ctx.input, tree, check)} />
      {own}
      <Task
        id="code"
        output={patchSchema}
        perform={(step) => summed(work, ctx.input, { tree, given: ctx.latest("own", z.unknown()) }, step)}
      />
    </Sequence>
  );
}

/** Its tasks work where the ticket's worktree was prepared, unless they opened one of their own. */
const inWorktree = <Of extends { readonly worktree: string | undefined }>(task: Of): Of => ({
  ...task,
  worktree: task.worktree ?? "prepare",
});

async function briefOf(
  work: TicketWork,
  input: TicketInput,
  tree: Tree,
  check: Check | undefined,
): Promise<z.infer<typeof ownInput>> {
  const facts = await work.facts(input.ticket);
  const brief = buildPrompt(facts, work.nonce(), {
    failure: check?.green === false ? check.tail : undefined,
    conflicts: tree.conflicts,
    order: forBrief(tree.threads ?? []),
    isAgain: false,
  });
  const { ref, title, body, branch, runtimes } = facts;
  const { build: runtime, plan, mediate } = runtimes;
  return { ticket: ref, title, body, runtime, runtimes: { plan, mediate }, brief, branch };
}

/** What it gave as the builder's answer, with the models that were seen at work. */
async function summed(
  work: TicketWork,
  input: TicketInput,
  { tree, given }: { readonly tree: Tree; readonly given: unknown },
  step: Step,
): Promise<Patch> {
  const { models, family, session } = await work.sessions.builtIn(step.run);
  const said = z.object({ summary: z.string() }).safeParse(given);
  const text = said.success ? said.data.summary : typeof given === "string" ? given : JSON.stringify(given);
  const seen = { models: [...models], family, ...(session === undefined ? {} : { session }) };
  const order = tree.threads ?? [];
  const read = readOrderAnswer({ structured: given, text: "" });
  const answer = read.is === "answer" ? read.answer : undefined;
  const now = order.length === 0 ? [] : await work.threads(input.ticket);
  // A workflow of one's own is not begun again for what it does not speak of.
  const threads = afterRound({ order, earlier: tree.suggested?.outcomes ?? [], answer, now }).map((one) => ({
    ...one,
    asked: 2,
  }));
  const outcomes = threads.length === 0 ? {} : { threads };
  return { is: "done", text: redact(text).slice(0, 20_000), ...seen, ...outcomes };
}
