import type { Permission } from "../../ports.ts";
import type { Hub } from "./context.ts";
import { issueOf } from "./format.ts";
import { commitFiles, git } from "./git.ts";
import { changeIssue, commentOn, deleteComment, editComment, tellIssue } from "./issues.ts";
import { peopleOnPulls, type PeopleOnPulls } from "./people-on-pulls.ts";
import { repoOf } from "./places.ts";
import { afterPush } from "./pushes.ts";
import type { SimComment, SimRepo, SimThread } from "./state.ts";
import { changeLabels, newThread } from "./threads.ts";

/** What people do on the forge, so that a test reads as a play. All of it is told by webhook, as GitHub would. */
export interface People extends PeopleOnPulls {
  person(login: string, permission: Permission): void;
  openIssue(spec: {
    readonly by: string;
    readonly title: string;
    readonly body: string;
    readonly labels?: readonly string[];
  }): number;
  editIssue(number: number, by: string, change: { readonly title?: string; readonly body?: string }): void;
  closeIssue(number: number, by: string, how?: "completed" | "not_planned" | "duplicate"): void;
  reopenIssue(number: number, by: string): void;
  deleteIssue(number: number, by: string): void;
  /** Moves it to another repository, where it gets a new number. */
  transferIssue(number: number, by: string, to: SimRepo): number;
  /** Says that an issue waits for another of this repository, or no longer does. */
  blockedBy(number: number, others: readonly number[]): void;
  label(number: number, label: string, by: string): void;
  unlabel(number: number, label: string, by: string): void;
  /** Labels of an issue or pull request. */
  labels(number: number): readonly string[];
  comment(number: number, by: string, body: string): number;
  editComment(id: number, by: string, body: string): void;
  deleteComment(id: number, by: string): void;
  /** Commits these files on a branch, made from the default one when it is new; `null` deletes a file. */
  push(
    branch: string,
    by: string,
    files: Readonly<Record<string, string | null>>,
    over?: { readonly force?: true },
  ): Promise<string>;
  deleteBranch(branch: string, by: string): Promise<void>;
  thread(number: number): SimThread;
  file(ref: string, path: string): Promise<string>;
}

export function peopleOn(hub: Hub, repo: SimRepo): People {
  const thread = (number: number): SimThread => {
    const found = repo.threads.get(number);
    if (found === undefined) throw new Error(`there is no #${number}`);
    return found;
  };
  const pull = (number: number) => {
    const found = thread(number);
    if (found.pull === undefined) throw new Error(`#${number} is no pull request`);
    // It has a pull, as was just seen; narrowing does not reach the object itself.
    return found as SimThread & { pull: NonNullable<SimThread["pull"]> };
  };
  return {
    ...peopleOnPulls(hub, repo, pull),
    ...peopleOnIssues(hub, repo, thread),
    thread,
    person: (login, permission) => {
      if (!hub.state.people.has(login)) hub.state.people.set(login, { login, id: hub.id(), type: "User" });
      repo.members.set(login, permission);
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
    deleteBranch: async (branch, by) => {
      const before = new Map(repo.branches);
      await git(repo.dir, ["update-ref", "-d", `refs/heads/${branch}`]);
      await afterPush(hub, repo, before, by);
    },
    file: (ref, path) => git(repo.dir, ["show", `${ref}:${path}`]),
  };
}

type OnIssues = Omit<People, keyof PeopleOnPulls | "thread" | "person" | "push" | "deleteBranch" | "file">;

function peopleOnIssues(hub: Hub, repo: SimRepo, thread: (number: number) => SimThread): OnIssues {
  const said = (id: number): readonly [SimThread, SimComment] => {
    for (const one of repo.threads.values()) {
      const comment = one.comments.find((each) => each.id === id);
      if (comment !== undefined) return [one, comment];
    }
    throw new Error(`there is no comment ${id}`);
  };
  const change = (number: number, by: string, what: Parameters<typeof changeIssue>[3]): void =>
    changeIssue(hub, repo, thread(number), what, by);
  return {
    openIssue: ({ by, title, body, labels = [] }) => {
      const issue = newThread(hub, repo, { title, body, by });
      tellIssue(hub, repo, issue, "opened", by);
      changeLabels(hub, repo, issue, { add: labels, remove: [], by });
      return issue.number;
    },
    editIssue: (number, by, what) => change(number, by, what),
    closeIssue: (number, by, reason = "completed") => change(number, by, { state: "closed", reason }),
    reopenIssue: (number, by) => change(number, by, { state: "open" }),
    deleteIssue: (number, by) => {
      thread(number).gone = true;
      tellIssue(hub, repo, thread(number), "deleted", by);
    },
    transferIssue: (number, by, to) => {
      const issue = thread(number);
      const moved = newThread(hub, to, { title: issue.title, body: issue.body, by: issue.by });
      issue.gone = true;
      issue.movedTo = `${to.owner}/${to.name}#${moved.number}`;
      const changes = {
        new_issue: issueOf(hub.state, to, moved, hub.url),
        new_repository: repoOf(hub.state, to),
      };
      tellIssue(hub, repo, issue, "transferred", by, { changes });
      tellIssue(hub, to, moved, "opened", by);
      return moved.number;
    },
    blockedBy: (number, others) => {
      thread(number).blockedBy = others;
    },
    label: (number, label, by) => changeLabels(hub, repo, thread(number), { add: [label], remove: [], by }),
    unlabel: (number, label, by) => changeLabels(hub, repo, thread(number), { add: [], remove: [label], by }),
    labels: (number) => [...thread(number).labels],
    comment: (number, by, body) => commentOn(hub, repo, thread(number), by, body).id,
    editComment: (id, by, body) => {
      const [on, comment] = said(id);
      editComment(hub, repo, on, { comment, body, by });
    },
    deleteComment: (id, by) => {
      const [on, comment] = said(id);
      deleteComment(hub, repo, on, comment, by);
    },
  };
}
