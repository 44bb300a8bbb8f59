import type { Permission } from "../../ports.ts";
import { checkOf, commentOf, inlineOf, issueOf, pullOf, reviewOf } from "./format.ts";
import { commitFiles, git } from "./git.ts";
import type { Hub } from "./hub.ts";
import { mergeability } from "./mergeability.ts";
import { mergeArmed } from "./merging.ts";
import { afterPush } from "./pushes.ts";
import type { Rules, SimCheckRun, SimRepo, SimReview, SimThread } from "./state.ts";
import { changeLabels, newThread } from "./threads.ts";

/** What people do on the forge, so that a test reads as a play. All of it is told by webhook, as GitHub would. */
export interface People {
  person(login: string, permission: Permission): void;
  openIssue(spec: {
    readonly by: string;
    readonly title: string;
    readonly body: string;
    readonly labels?: readonly string[];
  }): number;
  editIssue(number: number, by: string, change: { readonly title?: string; readonly body?: string }): void;
  closeIssue(number: number, by: string, how?: "completed" | "not_planned"): void;
  reopenIssue(number: number, by: string): void;
  deleteIssue(number: number, by: string): void;
  label(number: number, label: string, by: string): void;
  unlabel(number: number, label: string, by: string): void;
  comment(number: number, by: string, body: string): number;
  approve(
    number: number,
    by: string,
    over?: { readonly body?: string; readonly head?: string },
  ): Promise<void>;
  requestChanges(number: number, by: string, body: string): Promise<void>;
  comments(number: number, by: string, body: string): Promise<void>;
  dismiss(number: number, by: string): Promise<void>;
  inline(number: number, by: string, body: string): Promise<void>;
  check(head: string, name: string, conclusion: "success" | "failure" | "pending"): Promise<void>;
  press(head: string, button: string, by: string): void;
  push(
    branch: string,
    by: string,
    files: Readonly<Record<string, string | null>>,
    over?: { readonly force?: true },
  ): Promise<string>;
  closePull(number: number, by: string): Promise<void>;
  retarget(number: number, by: string, base: string): Promise<void>;
  protect(branch: string, rules: Rules): void;
  thread(number: number): SimThread;
  file(ref: string, path: string): Promise<string>;
}

/** Stances as webhooks spell them. */
const spelled = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "changes_requested",
  COMMENTED: "commented",
  DISMISSED: "dismissed",
} as const;

export function peopleOn(hub: Hub, repo: SimRepo): People {
  const { state, url, courier } = hub;
  const thread = (number: number): SimThread => {
    const found = repo.threads.get(number);
    if (found === undefined) throw new Error(`there is no #${number}`);
    return found;
  };
  const pullIn = (number: number) => {
    const { pull } = thread(number);
    if (pull === undefined) throw new Error(`#${number} is no pull request`);
    return pull;
  };
  const shown = async (number: number) =>
    pullOf(state, repo, thread(number), url, await mergeability(repo, thread(number)));
  const tellIssue = (number: number, action: string, by: string, more: object = {}): void => {
    thread(number).updatedAt = hub.now();
    courier.send(repo, "issues", action, by, { ...more, issue: issueOf(state, repo, thread(number), url) });
  };
  const review = async (
    number: number,
    by: string,
    is: SimReview["state"],
    body: string,
    head?: string,
  ): Promise<void> => {
    const one: SimReview = {
      id: hub.id(),
      by,
      state: is,
      head: head ?? pullIn(number).head,
      body,
      at: hub.now(),
    };
    pullIn(number).reviews.push(one);
    courier.send(repo, "pull_request_review", "submitted", by, {
      review: { ...reviewOf(state, one), state: spelled[is] },
      pull_request: await shown(number),
    });
    await mergeArmed(hub, repo);
  };
  const tellPull = async (number: number, action: string, by: string, more: object = {}): Promise<void> => {
    thread(number).updatedAt = hub.now();
    courier.send(repo, "pull_request", action, by, { ...more, number, pull_request: await shown(number) });
  };
  return {
    thread,
    person: (login, permission) => {
      if (!state.people.has(login)) state.people.set(login, { login, id: hub.id(), type: "User" });
      repo.members.set(login, permission);
    },
    openIssue: ({ by, title, body, labels = [] }) => {
      const issue = newThread(hub, repo, { title, body, by });
      tellIssue(issue.number, "opened", by);
      changeLabels(hub, repo, issue, { add: labels, remove: [], by });
      return issue.number;
    },
    editIssue: (number, by, change) => {
      const issue = thread(number);
      issue.title = change.title ?? issue.title;
      issue.body = change.body ?? issue.body;
      tellIssue(number, "edited", by, { changes: {} });
    },
    closeIssue: (number, by, how = "completed") => {
      Object.assign(thread(number), { state: "closed", reason: how });
      tellIssue(number, "closed", by);
    },
    reopenIssue: (number, by) => {
      Object.assign(thread(number), { state: "open", reason: null });
      tellIssue(number, "reopened", by);
    },
    deleteIssue: (number, by) => {
      thread(number).gone = true;
      tellIssue(number, "deleted", by);
    },
    label: (number, label, by) => changeLabels(hub, repo, thread(number), { add: [label], remove: [], by }),
    unlabel: (number, label, by) => changeLabels(hub, repo, thread(number), { add: [], remove: [label], by }),
    comment: (number, by, body) => {
      const comment = { id: hub.id(), body, by, reactions: [], createdAt: hub.now() };
      thread(number).comments.push(comment);
      courier.send(repo, "issue_comment", "created", by, {
        issue: issueOf(state, repo, thread(number), url),
        comment: commentOf(state, comment, url),
      });
      return comment.id;
    },
    approve: (number, by, over = {}) => review(number, by, "APPROVED", over.body ?? "", over.head),
    requestChanges: (number, by, body) => review(number, by, "CHANGES_REQUESTED", body),
    comments: (number, by, body) => review(number, by, "COMMENTED", body),
    dismiss: async (number, by) => {
      const last = pullIn(number).reviews.findLast((one) => one.by === by);
      if (last === undefined) throw new Error(`${by} has not reviewed #${number}`);
      last.state = "DISMISSED";
      courier.send(repo, "pull_request_review", "dismissed", by, {
        review: { ...reviewOf(state, last), state: "dismissed" },
        pull_request: await shown(number),
      });
    },
    inline: async (number, by, body) => {
      const comment = {
        id: hub.id(),
        body,
        by,
        reactions: [],
        createdAt: hub.now(),
        path: "README.md",
        line: 1,
        head: pullIn(number).head,
        review: undefined,
      };
      pullIn(number).inline.push(comment);
      courier.send(repo, "pull_request_review_comment", "created", by, {
        comment: inlineOf(state, comment, url),
        pull_request: await shown(number),
      });
    },
    check: async (head, name, conclusion) => {
      const known = repo.checkRuns.find((one) => one.head === head && one.name === name);
      const run: SimCheckRun = known ?? {
        id: hub.id(),
        head,
        name,
        appId: 1,
        status: "",
        conclusion: null,
        output: {},
        actions: [],
        externalId: "",
        createdAt: hub.now(),
      };
      if (known === undefined) repo.checkRuns.push(run);
      run.status = conclusion === "pending" ? "in_progress" : "completed";
      run.conclusion = conclusion === "pending" ? null : conclusion;
      courier.send(repo, "check_run", conclusion === "pending" ? "created" : "completed", repo.owner, {
        check_run: checkOf(state, repo, run),
      });
      await mergeArmed(hub, repo);
    },
    press: (head, button, by) => {
      const run = repo.checkRuns.findLast((one) => one.head === head && one.appId === state.app.id);
      if (run === undefined) throw new Error(`no check of ours on ${head}`);
      courier.send(repo, "check_run", "requested_action", by, {
        requested_action: { identifier: button },
        check_run: checkOf(state, repo, run),
      });
    },
    push: async (branch, by, files, over = {}) => {
      const before = new Map(repo.branches);
      const tip = before.get(branch) ?? before.get(repo.defaultBranch);
      const parent =
        over.force === true && tip !== undefined
          ? (await git(repo.dir, ["rev-parse", `${tip}^`])).trim()
          : tip;
      const commit = await commitFiles(repo.dir, branch, parent, files, `by ${by}`, by);
      await afterPush(hub, repo, before, by);
      return commit;
    },
    closePull: async (number, by) => {
      thread(number).state = "closed";
      await tellPull(number, "closed", by);
    },
    retarget: async (number, by, base) => {
      pullIn(number).baseRef = base;
      await tellPull(number, "edited", by, { changes: { base: { ref: { from: repo.defaultBranch } } } });
    },
    protect: (branch, rules) => void repo.rules.set(branch, rules),
    file: (ref, path) => git(repo.dir, ["show", `${ref}:${path}`]),
  };
}
