import { z } from "zod";
import type { Step } from "../engine/node.ts";
import { Trouble, type Worktree } from "../ports.ts";
import type { SeenTips } from "../ports-threads.ts";
import { findSecrets, redact } from "../secrets.ts";
import { parseDiff } from "../review/diff.ts";
import { families } from "../review/pairing.ts";
import { restoreForeign } from "./agent-files.ts";
import { forCommit } from "../untrusted.ts";
import { askInChain } from "./ask-chain.ts";
import { whyUnjudged } from "./judge.ts";
import { buildPrompt } from "./prompts.ts";
import type { TicketInput } from "./report.ts";
import type { TicketWork, WorkFacts } from "./work.ts";
import { appliedIn, suggestionsIn } from "./suggestions.ts";
import {
  afterRound,
  forBrief,
  isAnswered,
  orderJsonSchema,
  orderThreadSchema,
  outcomeSchema,
  readOrderAnswer,
  stillOpen,
  type OrderThread,
} from "./work-order.ts";

export const patchSchema = z.object({
  is: z.enum(["done", "unfinished", "gave-up"]),
  text: z.string(),
  session: z.string().optional(),
  models: z.array(z.string()),
  family: z.enum(families),
  /** Turns that ended unfinished, where it is unfinished. */
  turns: z.number().int().positive().optional(),
  /** What became of the conversations so far; undefined where there is none. */
  threads: z.array(outcomeSchema).optional(),
});
export type Patch = z.infer<typeof patchSchema>;

export const checkSchema = z.object({
  green: z.boolean(),
  flaky: z.boolean(),
  tail: z.string(),
  /** The remote's tip that was checked with our work upon it; undefined where the branch is not there yet. */
  upon: z.string().optional(),
  /** Where the remote's branches were then: what is published stands on these and no others. */
  seen: z.object({ default: z.string(), branch: z.string().optional(), base: z.string() }).optional(),
});
export type Check = z.infer<typeof checkSchema>;

export const publishSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("published"), head: z.string() }),
  /** `moved`: somebody pushed at the last moment; the next build grows from that. */
  z.object({ is: z.literal("refused"), why: z.string(), how: z.literal("moved").optional() }),
]);
export type Publish = z.infer<typeof publishSchema>;

/** The worktree as the run found it; later tasks of the run work in it without asking the forge again. */
export const treeSchema = z.object({
  path: z.string(),
  head: z.string(),
  base: z.string(),
  branch: z.string().optional(),
  /** Files that a merge with the base left to be settled; undefined when there was none to be made. */
  conflicts: z.array(z.string()).optional(),
  /** The workflow that builds in it in place of the usual one. */
  workflow: z.string().optional(),
  /** The conversations on the pull request that wait for us, as they stood when this order began. */
  threads: z.array(orderThreadSchema).optional(),
  /** What people suggested word for word and the host committed, before the builder began. */
  suggested: z.object({ head: z.string(), outcomes: z.array(outcomeSchema) }).optional(),
});
export type Tree = z.infer<typeof treeSchema>;

/** The ticket's worktree as it is now; repeating this finds it as it was left. */
const openTree = (
  { workspace }: TicketWork,
  { ticket }: TicketInput,
  { remote, branch, hooks }: WorkFacts,
  seen?: SeenTips,
): Promise<Worktree> => workspace.prepare(ticket, remote, branch, hooks, seen);

/** Makes the worktree ready for an agent. */
export async function prepare(work: TicketWork, input: TicketInput, step: Step): Promise<Tree> {
  const facts = await work.facts(input.ticket);
  if (facts.workflow !== undefined) await work.workflows.load(facts.workflow);
  const tree = await openTree(work, input, facts);
  // What an earlier run left stands upon what people have pushed since.
  const theirs = await work.workspace.takeTheirs(tree, facts.remote, tree.seen);
  const order = facts.pullIsOpen ? await work.threads(input.ticket) : [];
  const suggested = await work.workspace.applySuggestions(tree, facts.remote, suggestionsIn(order));
  const threads = order.filter(({ root }) => suggested?.applied.includes(root) !== true);
  // By the host: an agent may have no right to write what git keeps outside the worktree.
  const conflicts = facts.conflictsWithBase ? await work.workspace.takeBase(tree, facts.takes) : undefined;
  if (facts.revert !== undefined) await takeBack(work, tree, facts.revert);
  const isPushed = theirs.upon !== undefined && theirs.upon !== facts.published;
  const stand = suggested?.head ?? (isPushed ? theirs.upon : tree.head);
  await restoreForeign(work.workspace, facts, { ...tree, head: stand });
  const chores = [
    ["commands.setup", facts.commands.setup, facts.commands.timeoutMs],
    ["hooks.before_run", facts.hooks.beforeRun, facts.hookMs],
  ] as const;
  for (const [name, command, timeoutMs] of chores) {
    if (command === undefined) continue;
    const { exit, tail } = await work.command(
      { command, cwd: tree.path, timeoutMs, runId: step.run },
      step.signal,
    );
    if (exit !== 0) throw new Trouble("chore-failed", `\`${name}\` failed: ${redact(tail).slice(-2000)}`);
  }
  const { path, head, base, branch } = tree;
  return {
    path,
    head,
    base,
    ...(branch === undefined ? {} : { branch }),
    ...conflictsOf(theirs.conflicts, conflicts),
    ...(facts.workflow === undefined ? {} : { workflow: facts.workflow }),
    ...(threads.length === 0 ? {} : { threads: [...threads] }),
    ...(suggested === undefined
      ? {}
      : { suggested: { head: suggested.head, outcomes: [...appliedIn(order, suggested)] } }),
  };
}

/** Files to be settled, with whoever changed them too: people on the branch, or the base. */
const conflictsOf = (
  theirs: readonly string[],
  base: readonly string[] | undefined,
): { readonly conflicts?: string[] } =>
  base === undefined && theirs.length === 0 ? {} : { conflicts: [...new Set([...theirs, ...(base ?? [])])] };

/** The conversations that a round is for, as far as a brief holds them: all at first, then those without an outcome. */
const orderIn = (tree: Tree, patch: Patch | undefined): readonly OrderThread[] =>
  forBrief(patch === undefined ? (tree.threads ?? []) : stillOpen(patch.threads ?? []));

/** By git alone. What does not come off cleanly is for a person: an agent would guess at what others built on it. */
async function takeBack({ workspace }: TicketWork, tree: Worktree, commit: string): Promise<void> {
  const conflicts = await workspace.takeBack(tree, commit);
  if (conflicts.length > 0)
    throw new Trouble(
      "revert-conflicts",
      `${commit.slice(0, 7)} does not come off by itself: later changes touch ${conflicts.slice(0, 5).join(", ")}. Take it back by hand, or mend the base`,
      { permanent: true },
    );
}

/** One turn of the builder: in the session of this run, else of this ticket's last build by the same runtime. */
export async function code(
  work: TicketWork,
  input: TicketInput,
  earlier: { readonly tree: Tree; readonly patch: Patch | undefined; readonly check: Check | undefined },
  step: Step,
): Promise<Patch> {
  const facts = await work.facts(input.ticket);
  if (facts.revert !== undefined && earlier.check === undefined)
    return {
      is: "done",
      text: `Takes ${facts.revert} back with git revert; no agent wrote in it.`,
      models: [],
      family: "unknown",
    };
  const nonce = work.nonce();
  const order = orderIn(earlier.tree, earlier.patch);
  const found = {
    order,
    isAgain: earlier.patch !== undefined,
    failure: earlier.check?.green === false ? earlier.check.tail : undefined,
    conflicts: earlier.tree.conflicts,
  };
  const { path, head, base } = earlier.tree;
  const worktree: Worktree = { path, head, base, branch: earlier.tree.branch };
  const { outcome, session, models, family, unfinished } = await askInChain(
    work,
    facts,
    {
      role: "build",
      chain: [facts.runtimes.build, ...facts.assign("build").fallback],
      brief: (now) => buildPrompt(now, nonce, found),
      fingerprint: () => work.workspace.fingerprint(worktree),
      cwd: path,
      access: "write",
      ...(order.length === 0
        ? { schema: undefined }
        : {
            schema: orderJsonSchema,
            flaw: (answer) => {
              const read = readOrderAnswer(answer);
              return read.is === "malformed" ? read.why : undefined;
            },
          }),
      resume: facts.resume,
      unfit: (runtime) => whyUnjudged(work, input.ticket, runtime),
    },
    step,
  );
  const seen = { models: [...models], family, ...(session === undefined ? {} : { session }) };
  if (outcome.is === "done") {
    const read = order.length === 0 ? undefined : readOrderAnswer(outcome);
    const answer = read?.is === "answer" ? read.answer : undefined;
    const threads = afterRound({
      order,
      earlier: earlier.patch?.threads ?? earlier.tree.suggested?.outcomes ?? [],
      answer,
      now: facts.pullIsOpen ? await work.threads(input.ticket) : [],
    });
    const summary = redact(answer?.summary ?? outcome.text).slice(0, 20_000);
    return { is: "done", text: summary, ...seen, ...(threads.length === 0 ? {} : { threads: [...threads] }) };
  }
  const text = redact(outcome.why);
  return outcome.how === "unfinished"
    ? { is: "unfinished", text, turns: Math.max(1, unfinished), ...seen }
    : { is: "gave-up", text, ...seen };
}

/**
 * The repository's own checks, run by the host upon what people have pushed to the branch by now; a failing one is tried
 * once more before it counts.
 */
export async function check(work: TicketWork, input: TicketInput, tree: Tree, step: Step): Promise<Check> {
  const facts = await work.facts(input.ticket);
  const worktree = { path: tree.path, head: tree.head, base: tree.base, branch: tree.branch };
  const theirs = await work.workspace.takeTheirs(worktree, facts.remote);
  const upon = { ...(theirs.upon === undefined ? {} : { upon: theirs.upon }), seen: theirs.seen };
  if (theirs.upon !== undefined && theirs.upon !== facts.published)
    await restoreForeign(work.workspace, facts, { ...worktree, head: theirs.upon });
  if (theirs.conflicts.length > 0) {
    const named = theirs.conflicts.slice(0, maxNamed).join("\n");
    const tail = `Somebody pushed to this branch meanwhile, and their commit is in this directory now. Both of you changed the same lines of these files; settle the conflict markers in them, and keep what they meant:\n${named}`;
    return { green: false, flaky: false, tail, ...upon };
  }
  let flaky = false;
  for (const command of [facts.commands.lint, facts.commands.build, facts.commands.test]) {
    if (command === undefined) continue;
    const order = { command, cwd: tree.path, timeoutMs: facts.commands.timeoutMs, runId: step.run };
    const first = await work.command(order, step.signal);
    if (first.exit === 0) continue;
    const second = first.timedOut ? first : await work.command(order, step.signal);
    if (second.exit !== 0) {
      const how = second.timedOut ? "ran out of time" : `ended with ${second.exit ?? "a signal"}`;
      const tail = redact(`\`${command}\` ${how}\n${second.tail}`).slice(-12_000);
      return { green: false, flaky, tail, ...upon };
    }
    flaky = true;
  }
  return { green: true, flaky, tail: "", ...upon };
}
const maxNamed = 50;

/** Files to which a change adds what git writes around the two sides of a conflict. */
const markedIn = (diff: string): readonly string[] =>
  parseDiff(diff)
    .filter(({ added }) => added.some(({ text }) => /^(?:<{7}|>{7}) /u.test(text)))
    .map(({ path }) => path);

/**
 * What the build began upon, not the head known by now: that may be what this very step pushed before its answer was
 * lost. What people suggested is news, although it was pushed before.
 */
const nothingNew = (
  head: string,
  { before, suggested }: { readonly before: string; readonly suggested: string | undefined },
): boolean => head === before && head !== suggested;

/** Commits and publishes from the host; repeated after a crash it finds what it did. */
export async function publish(
  work: TicketWork,
  input: TicketInput,
  {
    patch,
    checked,
    suggested,
  }: {
    readonly patch: Patch | undefined;
    readonly checked: Check | undefined;
    /** The commit of suggestions that the builder began upon. */
    readonly suggested: string | undefined;
  },
  step: Step,
): Promise<Publish> {
  const facts = await work.facts(input.ticket);
  const { workspace } = work;
  const found = await openTree(work, input, facts, checked?.seen);
  // What this hook does not manage stops nothing: the work is done.
  if (facts.hooks.afterRun !== undefined)
    await work.command(
      { command: facts.hooks.afterRun, cwd: found.path, timeoutMs: facts.hookMs, runId: step.run },
      step.signal,
    );
  // Before it is cut: half a token is still half a token.
  const subject = redact(forCommit(facts.title)).slice(0, 72);
  const committed = await workspace.commit(found, redact(`${subject}\n\n${facts.ref}`));
  const tree = { ...found, head: committed ?? found.head };
  const nothing = nothingNew(tree.head, {
    before: facts.pullIsOpen ? (checked?.upon ?? input.head ?? tree.base) : tree.base,
    suggested,
  });
  if (nothing && facts.pullIsOpen && isAnswered(patch?.threads ?? []))
    // Whoever asked only for words needs no commit.
    return tree.head === input.head
      ? { is: "published", head: tree.head }
      : { is: "refused", how: "moved", why: `somebody pushed to \`${facts.branch}\` meanwhile` };
  if (nothing) return { is: "refused", why: "no changes: the agent left everything as it was" };
  const diff = await workspace.diff(tree);
  const wasMerged = facts.conflictsWithBase || checked?.upon !== facts.published;
  const unsettled = wasMerged ? markedIn(diff) : [];
  if (unsettled.length > 0)
    return {
      is: "refused",
      why: `a conflict is not settled: there are still conflict markers in ${unsettled.slice(0, 5).join(", ")}`,
    };
  const secrets = findSecrets(diff);
  if (secrets.length > 0) {
    const named = secrets
      .slice(0, 5)
      .map(({ kind, path, line }) => `${kind} in ${path ?? "the diff"}:${line ?? "?"}`);
    return {
      is: "refused",
      why: `the change holds what looks like a credential and was not published: ${named.join(", ")}`,
    };
  }
  // Only upon what was merged and checked, whether or not the ticket has heard of it yet.
  const expected = checked?.upon ?? facts.published;
  const pushed = await workspace.publish(tree, facts.remote, facts.branch, expected);
  if (typeof pushed === "string") return { is: "published", head: pushed };
  if (pushed.to === tree.head) return { is: "published", head: tree.head };
  return {
    is: "refused",
    how: "moved",
    why: `somebody moved \`${facts.branch}\` to ${pushed.to?.slice(0, 7) ?? "nothing"} meanwhile`,
  };
}
