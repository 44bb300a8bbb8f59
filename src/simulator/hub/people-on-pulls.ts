import { announceCheck, checkNewsOf, setStatus } from "./checks.ts";
import type { Hub } from "./context.ts";
import { git } from "./git.ts";
import { dequeue, enqueue } from "./merge-queue.ts";
import { changePull, newPull } from "./pulls.ts";
import { dismissReview, editRemark, remarkOn, submitReview, type Remark } from "./reviewing.ts";
import { actionsApp } from "./places.ts";
import type { PullThread, Rules, SimCheckRun, SimInline, SimRepo, SimReview } from "./state.ts";

/** What people and CI do on pull requests. */
export interface PeopleOnPulls {
  /** Of the head as it is, or as it was when the person looked. */
  approve(
    number: number,
    by: string,
    over?: { readonly body?: string; readonly head?: string },
  ): Promise<void>;
  requestChanges(number: number, by: string, body: string, remarks?: readonly Remark[]): Promise<void>;
  /** A review without a stance. */
  comments(number: number, by: string, body: string, remarks?: readonly Remark[]): Promise<void>;
  /** Takes that person's last review back. */
  dismiss(number: number, by: string): Promise<void>;
  /** A comment on a line of the diff; on the first line of `README.md` when no place is given. */
  inline(number: number, by: string, body: string, at?: Omit<Remark, "body">): Promise<number>;
  /** Says more in the conversation that a comment on a line is in. */
  reply(number: number, by: string, to: number, body: string): Promise<number>;
  /** Changes what a comment on a line says. */
  editInline(number: number, by: string, id: number, body: string): void;
  /** Ends the conversation that a comment on a line is in. */
  resolve(number: number, id: number): void;
  /** What is said on lines, oldest first. */
  said(number: number): readonly SimInline[];
  /** What CI says of a head by a check run. */
  check(head: string, name: string, conclusion: "success" | "failure" | "pending"): Promise<void>;
  /** What GitHub Actions says of a head by a job, all of them of one workflow run; a verdict ends the try that has begun. */
  job(
    head: string,
    name: string,
    conclusion: "success" | "failure" | "timed_out" | "cancelled" | "pending",
    log?: string,
  ): Promise<void>;
  /** What CI says of a head by a commit status. */
  status(head: string, context: string, state: "success" | "failure" | "pending"): Promise<void>;
  /** Presses a button of our own check run. */
  press(head: string, button: string, by: string): void;
  closePull(number: number, by: string): Promise<void>;
  reopenPull(number: number, by: string): Promise<void>;
  editPull(
    number: number,
    by: string,
    change: { readonly title?: string; readonly body?: string },
  ): Promise<void>;
  retarget(number: number, by: string, base: string): Promise<void>;
  /** Opens one from a branch of theirs. */
  openPull(branch: string, by: string): Promise<number>;
  /** Presses "Merge when ready", and takes it back. */
  enqueue(number: number, by: string): Promise<void>;
  dequeue(number: number, by: string): Promise<void>;
  protect(branch: string, rules: Rules): void;
  /** Open pull requests, oldest first. */
  pulls(): readonly PullThread[];
  /** Name and verdict of every check run on a head. */
  checks(head: string): readonly { readonly name: string; readonly is: string }[];
  /** Subjects of what was merged into a branch, oldest first. */
  mergeLog(branch: string): Promise<readonly string[]>;
}

/** The App whose check runs are CI's. */
const ciApp = 1;

/** The comment that a conversation began with. */
function rootOf({ pull }: PullThread, id: number): SimInline {
  const found = pull.inline.find((one) => one.id === id);
  const root = found?.replyTo === undefined ? found : pull.inline.find((one) => one.id === found.replyTo);
  if (root === undefined) throw new Error(`there is no comment ${id}`);
  return root;
}

export function peopleOnPulls(
  hub: Hub,
  repo: SimRepo,
  thread: (number: number) => PullThread,
): PeopleOnPulls {
  const { state, courier } = hub;
  const review = async (
    number: number,
    by: string,
    is: SimReview["state"],
    over: {
      readonly body?: string | undefined;
      readonly head?: string | undefined;
      readonly remarks?: readonly Remark[] | undefined;
    },
  ): Promise<void> => {
    if (is !== "COMMENTED" && by === thread(number).by)
      throw new Error(`${by} opened #${number}: nobody takes a stance on their own pull request`);
    const head = over.head ?? thread(number).pull.head;
    await submitReview(hub, repo, thread(number), {
      by,
      state: is,
      head,
      body: over.body ?? "",
      remarks: over.remarks ?? [],
    });
  };
  const runOf = (head: string, name: string): SimCheckRun => {
    const known = repo.checkRuns.findLast((one) => one.head === head && one.name === name);
    if (known !== undefined) return known;
    const run: SimCheckRun = {
      id: hub.id(),
      head,
      name,
      appId: ciApp,
      status: "",
      conclusion: null,
      output: {},
      actions: [],
      externalId: "",
      createdAt: hub.now(),
    };
    repo.checkRuns.push(run);
    return run;
  };
  return {
    approve: (number, by, over = {}) => review(number, by, "APPROVED", over),
    requestChanges: (number, by, body, remarks) => review(number, by, "CHANGES_REQUESTED", { body, remarks }),
    comments: (number, by, body, remarks) => review(number, by, "COMMENTED", { body, remarks }),
    dismiss: async (number, by) => {
      const last = thread(number).pull.reviews.findLast((one) => one.by === by);
      if (last === undefined) throw new Error(`${by} has not reviewed #${number}`);
      await dismissReview(hub, repo, thread(number), last, by);
    },
    inline: async (number, by, body, at = { path: "README.md", line: 1 }) => {
      const from = { by, head: thread(number).pull.head, review: undefined };
      return (await remarkOn(hub, repo, thread(number), from, { ...at, body })).id;
    },
    reply: async (number, by, to, body) => {
      const root = rootOf(thread(number), to);
      const from = { by, head: root.head, review: undefined };
      const { path, line, side } = root;
      return (await remarkOn(hub, repo, thread(number), from, { path, line, side, body, replyTo: root.id }))
        .id;
    },
    editInline: (number, by, id, body) => {
      const inline = thread(number).pull.inline.find((one) => one.id === id);
      if (inline === undefined) throw new Error(`there is no comment ${id}`);
      editRemark(hub, repo, thread(number), { inline, body, by });
    },
    resolve: (number, id) => void (rootOf(thread(number), id).resolved = true),
    said: (number) => thread(number).pull.inline,
    check: async (head, name, conclusion) => {
      const run = runOf(head, name);
      const isPending = conclusion === "pending";
      run.status = isPending ? "in_progress" : "completed";
      run.conclusion = isPending ? null : conclusion;
      await announceCheck(hub, repo, run, isPending ? "created" : "completed", repo.owner);
    },
    job: async (head, name, conclusion, log) => {
      const isPending = conclusion === "pending";
      const begun = repo.checkRuns.findLast(
        (one) => one.head === head && one.name === name && one.conclusion === null,
      );
      const workflowRun =
        repo.checkRuns.find((one) => one.head === head && one.workflowRun !== undefined)?.workflowRun ??
        hub.id();
      const run: SimCheckRun = begun ?? {
        id: hub.id(),
        head,
        name,
        appId: actionsApp,
        status: "",
        conclusion: null,
        output: {},
        actions: [],
        externalId: "",
        createdAt: hub.now(),
        workflowRun,
      };
      if (begun === undefined) repo.checkRuns.push(run);
      run.status = isPending ? "in_progress" : "completed";
      run.conclusion = isPending ? null : conclusion;
      run.log = log;
      await announceCheck(hub, repo, run, isPending ? "created" : "completed", repo.owner);
    },
    status: async (head, context, is) => {
      await setStatus(hub, repo, { sha: head, context, state: is, by: repo.owner });
    },
    press: (head, button, by) => {
      const run = repo.checkRuns.findLast((one) => one.head === head && one.appId === state.app.id);
      if (run === undefined) throw new Error(`no check of ours on ${head}`);
      courier.send(repo, "check_run", "requested_action", by, {
        requested_action: { identifier: button },
        check_run: checkNewsOf(hub, repo, run),
      });
    },
    closePull: (number, by) => changePull(hub, repo, thread(number), { state: "closed" }, by),
    reopenPull: (number, by) => changePull(hub, repo, thread(number), { state: "open" }, by),
    editPull: (number, by, change) => changePull(hub, repo, thread(number), change, by),
    retarget: (number, by, base) => changePull(hub, repo, thread(number), { base }, by),
    openPull: async (branch, by) => {
      const tip = repo.branches.get(branch);
      if (tip === undefined) throw new Error(`there is no branch ${branch}`);
      const spec = { title: branch, body: "", by, draft: false, branch, base: repo.defaultBranch, tip };
      return (await newPull(hub, repo, spec)).number;
    },
    enqueue: async (number, by) => {
      const why = await enqueue(hub, repo, thread(number), by);
      if (why !== undefined) throw new Error(why);
    },
    dequeue: async (number, by) => {
      const why = await dequeue(hub, repo, thread(number), "MANUAL", by);
      if (why !== undefined) throw new Error(why);
    },
    protect: (branch, rules) => void repo.rules.set(branch, rules),
    pulls: () =>
      [...repo.threads.values()].flatMap((one) =>
        one.pull !== undefined && one.state === "open" ? [{ ...one, pull: one.pull }] : [],
      ),
    checks: (head) =>
      repo.checkRuns
        .filter((run) => run.head === head)
        .map((run) => ({ name: run.name, is: run.conclusion ?? run.status })),
    mergeLog: async (branch) =>
      (await git(repo.dir, ["log", "--first-parent", "--reverse", "--format=%s", branch]))
        .split("\n")
        .filter((line) => line !== ""),
  };
}
