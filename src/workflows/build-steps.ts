import { z } from "zod";
import type { Step } from "../engine/node.ts";
import { Trouble, type Worktree } from "../ports.ts";
import { findSecrets, redact } from "../secrets.ts";
import { parseDiff } from "../review/diff.ts";
import { families } from "../review/pairing.ts";
import { restoreForeign } from "./agent-files.ts";
import { forCommit } from "../untrusted.ts";
import { askInChain } from "./ask-chain.ts";
import { buildPrompt } from "./prompts.ts";
import type { TicketInput } from "./report.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

export const patchSchema = z.object({
  is: z.enum(["done", "unfinished", "gave-up"]),
  text: z.string(),
  session: z.string().optional(),
  models: z.array(z.string()),
  family: z.enum(families),
  /** Turns that ended unfinished, where it is unfinished. */
  turns: z.number().int().positive().optional(),
});
export type Patch = z.infer<typeof patchSchema>;

export const checkSchema = z.object({ green: z.boolean(), flaky: z.boolean(), tail: z.string() });
export type Check = z.infer<typeof checkSchema>;

export const publishSchema = z.discriminatedUnion("is", [
  z.object({ is: z.literal("published"), head: z.string() }),
  z.object({ is: z.literal("refused"), why: z.string() }),
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
});
export type Tree = z.infer<typeof treeSchema>;

/** The ticket's worktree as it is now; repeating this finds it as it was left. */
const openTree = (work: TicketWork, input: TicketInput, facts: WorkFacts): Promise<Worktree> =>
  work.workspace.prepare(input.ticket, facts.remote, facts.branch, facts.hooks);

/** Makes the worktree ready for an agent. */
export async function prepare(work: TicketWork, input: TicketInput, step: Step): Promise<Tree> {
  const facts = await work.facts(input.ticket);
  if (facts.workflow !== undefined) await work.workflows.load(facts.workflow);
  const tree = await openTree(work, input, facts);
  // By the host: an agent may have no right to write what git keeps outside the worktree.
  const conflicts = facts.conflictsWithBase ? await work.workspace.takeBase(tree) : undefined;
  if (facts.revert !== undefined) await takeBack(work, tree, facts.revert);
  await restoreForeign(work.workspace, facts, tree);
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
    ...(conflicts === undefined ? {} : { conflicts: [...conflicts] }),
    ...(facts.workflow === undefined ? {} : { workflow: facts.workflow }),
  };
}

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
  const found = {
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
      schema: undefined,
      resume: facts.resume,
    },
    step,
  );
  const seen = { models: [...models], family, ...(session === undefined ? {} : { session }) };
  if (outcome.is === "done") return { is: "done", text: redact(outcome.text).slice(0, 20_000), ...seen };
  const text = redact(outcome.why);
  return outcome.how === "unfinished"
    ? { is: "unfinished", text, turns: Math.max(1, unfinished), ...seen }
    : { is: "gave-up", text, ...seen };
}

/** The repository's own checks, run by the host; a failing one is tried once more before it counts. */
export async function check(work: TicketWork, input: TicketInput, tree: Tree, step: Step): Promise<Check> {
  const facts = await work.facts(input.ticket);
  let flaky = false;
  for (const command of [facts.commands.lint, facts.commands.test]) {
    if (command === undefined) continue;
    const order = { command, cwd: tree.path, timeoutMs: facts.commands.timeoutMs, runId: step.run };
    const first = await work.command(order, step.signal);
    if (first.exit === 0) continue;
    const second = first.timedOut ? first : await work.command(order, step.signal);
    if (second.exit !== 0) {
      const how = second.timedOut ? "ran out of time" : `ended with ${second.exit ?? "a signal"}`;
      return { green: false, flaky, tail: redact(`\`${command}\` ${how}\n${second.tail}`).slice(-12_000) };
    }
    flaky = true;
  }
  return { green: true, flaky, tail: "" };
}

/** Files to which a change adds what git writes around the two sides of a conflict. */
const markedIn = (diff: string): readonly string[] =>
  parseDiff(diff)
    .filter(({ added }) => added.some(({ text }) => /^(?:<{7}|>{7}) /u.test(text)))
    .map(({ path }) => path);

/** Commits and publishes from the host; repeated after a crash it finds what it did. */
export async function publish(work: TicketWork, input: TicketInput, step: Step): Promise<Publish> {
  const facts = await work.facts(input.ticket);
  const { workspace } = work;
  const found = await openTree(work, input, facts);
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
  // The head that the run started from, not the one known by now: that may be what this very step pushed before its
  // answer was lost.
  const before = facts.pullIsOpen ? (input.head ?? tree.base) : tree.base;
  if (tree.head === before) return { is: "refused", why: "no changes: the agent left everything as it was" };
  const diff = await workspace.diff(tree);
  const unsettled = facts.conflictsWithBase ? markedIn(diff) : [];
  if (unsettled.length > 0)
    return {
      is: "refused",
      why: `the conflict with the base is not settled: there are still conflict markers in ${unsettled.slice(0, 5).join(", ")}`,
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
  const pushed = await workspace.publish(tree, facts.remote, facts.branch, facts.published);
  if (typeof pushed === "string") return { is: "published", head: pushed };
  if (pushed.to === tree.head) return { is: "published", head: tree.head };
  return {
    is: "refused",
    why: `somebody moved \`${facts.branch}\` to ${pushed.to?.slice(0, 7) ?? "nothing"} meanwhile`,
  };
}
