import type { Permission } from "../../ports.ts";
import { mergeNow, obstacleTo, threadOf } from "./hub.ts";
import type { Hub, HubPull } from "./hub.ts";
import { peopleOnLines, type PeopleOnLines } from "./threads.ts";

/** What people and their tools do on a forge, and what they see there. A test plays them on a fake or a simulated one. */
export interface People extends PeopleOnLines {
  join(login: string, permission: Permission): Promise<void>;
  openIssue(by: string, issue: { readonly title: string; readonly body: string }): Promise<number>;
  label(by: string, number: number, label: string): Promise<void>;
  unlabel(by: string, number: number, label: string): Promise<void>;
  /** Says on the forge that an issue waits for another. */
  dependOn(by: string, number: number, other: number): Promise<void>;
  comment(by: string, number: number, body: string): Promise<number>;
  removeComment(by: string, id: number): Promise<void>;
  /** One commit that writes a file of that many lines; the branch grows from the default branch when it is new. */
  push(by: string, branch: string, file: { readonly path: string; readonly lines: number }): Promise<string>;
  review(
    by: string,
    pull: number,
    is: "APPROVE" | "REQUEST_CHANGES" | "COMMENT",
    body: string,
  ): Promise<number>;
  dismiss(by: string, pull: number, review: number): Promise<void>;
  /** A check run of continuous integration. */
  check(head: string, name: string, is: "pending" | "green" | "red"): Promise<void>;
  requireChecks(names: readonly string[]): Promise<void>;
  seeIssue(
    number: number,
  ): Promise<{ readonly is: "open" | "completed" | "not_planned"; readonly labels: readonly string[] }>;
  seeComments(
    number: number,
  ): Promise<readonly { readonly id: number; readonly by: string; readonly body: string }[]>;
  seeReactions(number: number): Promise<readonly string[]>;
  seePull(number: number): Promise<{
    readonly body: string;
    readonly draft: boolean;
    readonly open: boolean;
    readonly reviewers: readonly string[];
  }>;
  seeReviews(
    number: number,
  ): Promise<
    readonly { readonly id: number; readonly by: string; readonly state: string; readonly body: string }[]
  >;
  seeInline(
    number: number,
  ): Promise<readonly { readonly path: string; readonly line: number; readonly body: string }[]>;
  seeChecks(
    head: string,
  ): Promise<
    readonly { readonly name: string; readonly status: string; readonly conclusion: string | undefined }[]
  >;
  seeBranch(name: string): Promise<string | undefined>;
}

/** People on the in-memory hub. */
export function peopleOf(hub: Hub): People {
  return { ...ticketPeople(hub), ...pullPeople(hub), ...peopleOnLines(hub), ...eyes(hub) };
}

type Eyes = Pick<People, Extract<keyof People, `see${string}`>>;
type TicketPeople = Pick<
  People,
  "join" | "openIssue" | "label" | "unlabel" | "dependOn" | "comment" | "removeComment"
>;
type PullPeople = Omit<People, keyof Eyes | keyof TicketPeople | keyof PeopleOnLines>;

function ticketPeople(hub: Hub): TicketPeople {
  return {
    join: async (login, permission) => void hub.permissions.set(login, permission),
    openIssue: async (by, { title, body }) => {
      const number = hub.nextNumber();
      hub.issues.set(number, {
        number,
        title,
        body,
        author: by,
        is: "open",
        labels: [],
        updatedAt: hub.now(),
        labelled: [],
        dependsOn: [],
        textChangedAt: undefined,
        comments: [],
        reactions: [],
      });
      return number;
    },
    label: async (by, number, label) => {
      const issue = issueOf(hub, number);
      hub.labels.add(label);
      issue.labelled.push({ label, is: "set", by, at: hub.now() });
      if (!issue.labels.includes(label)) issue.labels.push(label);
      issue.updatedAt = hub.now();
    },
    dependOn: async (_by, number, other) => {
      hub.issues.get(number)?.dependsOn.push(other);
    },
    unlabel: async (by, number, label) => {
      const issue = issueOf(hub, number);
      if (issue.labels.includes(label)) issue.labelled.push({ label, is: "removed", by, at: hub.now() });
      issue.labels = issue.labels.filter((each) => each !== label);
      issue.updatedAt = hub.now();
    },
    comment: async (by, number, body) => {
      const id = hub.nextId();
      threadOf(hub, number)?.comments.push({ id, by, body, reactions: [] });
      return id;
    },
    removeComment: async (_by, id) => {
      for (const { comments } of [...hub.issues.values(), ...hub.pulls.values()]) {
        const at = comments.findIndex((comment) => comment.id === id);
        if (at >= 0) comments.splice(at, 1);
      }
    },
  };
}

function pullPeople(hub: Hub): PullPeople {
  return {
    push: async (_by, branch, { path, lines }) => {
      const parent = hub.branches.get(branch) ?? hub.branches.get(hub.repo.defaultBranch);
      const sha = hub.nextSha();
      const shown = branch === hub.repo.defaultBranch ? new Map() : new Map(parent?.shown).set(path, lines);
      hub.branches.set(branch, { sha, parent: parent?.sha, shown });
      for (const pull of hub.pulls.values())
        if (pull.headBranch === branch && pull.is === "open") pull.head = sha;
      return sha;
    },
    review: async (by, number, is, body) => {
      const pull = pullOf(hub, number);
      const id = hub.nextId();
      pull.reviews.push({
        id,
        by,
        state: reviewStates[is],
        head: pull.head,
        at: hub.now(),
        body,
        inline: [],
      });
      settleArmed(hub);
      return id;
    },
    dismiss: async (_by, number, review) => {
      const found = pullOf(hub, number).reviews.find((each) => each.id === review);
      if (found !== undefined) found.state = "DISMISSED";
    },
    check: async (head, name, is) => {
      const checks = hub.checks.get(head) ?? [];
      const known = checks.find((check) => check.name === name && check.by === "ci");
      if (known === undefined) checks.push({ name, by: "ci", is, said: undefined });
      else known.is = is;
      hub.checks.set(head, checks);
      settleArmed(hub);
    },
    requireChecks: async (names) => {
      hub.rules = { ...hub.rules, requiredChecks: names };
    },
  };
}

const reviewStates = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
} as const;

function eyes(hub: Hub): Eyes {
  return {
    seeIssue: async (number) => {
      const issue = issueOf(hub, number);
      return { is: issue.is === "gone" ? "not_planned" : issue.is, labels: [...issue.labels] };
    },
    seeComments: async (number) =>
      (threadOf(hub, number)?.comments ?? []).map(({ id, by, body }) => ({ id, by, body })),
    seeReactions: async (number) =>
      (threadOf(hub, number)?.reactions ?? []).map((reaction) => reaction.content),
    seePull: async (number) => {
      const pull = pullOf(hub, number);
      return { body: pull.body, draft: pull.draft, open: pull.is === "open", reviewers: [...pull.requested] };
    },
    seeReviews: async (number) =>
      pullOf(hub, number).reviews.map(({ id, by, state, body }) => ({ id, by, state, body })),
    seeInline: async (number) => pullOf(hub, number).reviews.flatMap((review) => review.inline),
    seeChecks: async (head) =>
      (hub.checks.get(head) ?? []).map((check) => ({
        name: check.name,
        status: check.said?.status ?? (check.is === "pending" ? "in_progress" : "completed"),
        conclusion:
          check.said === undefined
            ? { pending: undefined, green: "success", red: "failure" }[check.is]
            : check.said.conclusion,
      })),
    seeBranch: async (name) => hub.branches.get(name)?.sha,
  };
}

/** An armed pull request merges by itself as soon as nothing stands in its way. */
function settleArmed(hub: Hub): void {
  for (const pull of hub.pulls.values()) {
    if (pull.armed && pull.is === "open" && obstacleTo(hub, pull) === undefined) mergeNow(hub, pull);
  }
}

function issueOf(hub: Hub, number: number) {
  const issue = hub.issues.get(number);
  if (issue === undefined) throw new Error(`The hub has no issue ${number}.`);
  return issue;
}

function pullOf(hub: Hub, number: number): HubPull {
  const pull = hub.pulls.get(number);
  if (pull === undefined) throw new Error(`The hub has no pull request ${number}.`);
  return pull;
}
