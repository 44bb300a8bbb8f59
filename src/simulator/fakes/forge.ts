import { Trouble } from "../../ports.ts";
import type { Approval, CheckFact, Forge, Key, PullFacts, PullRef, Refused } from "../../ports.ts";
import { noRules } from "../../state-machine/landing.ts";
import type { Standing } from "../../state-machine/landing.ts";
import { mergeNow, obstacleTo } from "./hub.ts";
import type { Hub, HubPull } from "./hub.ts";
import { threadForge } from "./threads.ts";

/** The Forge on the in-memory hub. */
export function fakeForge(hub: Hub): Forge {
  const refOf = (number?: number): string =>
    `${hub.repo.owner}/${hub.repo.name}${number === undefined ? "" : `#${number}`}`;
  const write = <Result>(
    key: Key,
    operation: string,
    number: number | undefined,
    perform: () => Result,
  ): Promise<Result> => hub.write({ key, operation, ref: refOf(number) }, perform);
  return {
    pull: async ({ number }) => {
      const pull = hub.pulls.get(number);
      return pull === undefined ? undefined : factsOf(hub, pull);
    },
    permission: async (_repo, login) =>
      login.endsWith("[bot]") ? "none" : (hub.permissions.get(login) ?? "none"),
    loginOf: async (_repo, account) => [...hub.permissions.keys()][account - 1],
    openPull: async (key, draft) => {
      const known = [...hub.pulls.values()].find(
        (pull) => pull.headBranch === draft.branch && pull.is === "open",
      );
      if (known !== undefined) return { repo: draft.repo, number: known.number };
      const head = hub.branches.get(draft.branch);
      if (head === undefined || head.sha === hub.branches.get(draft.base)?.sha) {
        throw new Trouble("github-rejected", `No commits between ${draft.base} and ${draft.branch}.`, {
          permanent: true,
        });
      }
      return write(key, "open a pull request", undefined, () => {
        const number = hub.nextNumber();
        hub.pulls.set(number, newPull(hub, number, draft, head.sha));
        return { repo: draft.repo, number };
      });
    },
    askReview: async (key, ref, change) => {
      const pull = pullOf(hub, ref);
      const ask = (perform: () => void): Promise<void> =>
        write(key, "ask for a review", pull.number, perform);
      const body = withRegion(pull.body, change.region);
      if (body !== pull.body) await ask(() => void (pull.body = body));
      if (pull.draft) await ask(() => void (pull.draft = false));
      const answered = pull.reviews.filter((review) => review.head === pull.head).map((review) => review.by);
      const settled = new Set([pull.author, ...pull.requested, ...answered]);
      const wanted = change.reviewers.filter((login) => !settled.has(login) && hub.permissions.has(login));
      if (wanted.length > 0) await ask(() => void pull.requested.push(...wanted));
    },
    commit: async (_repo, sha) => hub.merges.get(sha),
    closePull: async (key, ref) => {
      const pull = pullOf(hub, ref);
      if (pull.is === "open")
        await write(key, "close a pull request", pull.number, () => void (pull.is = "closed"));
    },
    ...threadForge(hub),
    retarget: async (key, ref, base) => {
      const pull = pullOf(hub, ref);
      if (pull.is === "open" && pull.baseBranch !== base)
        await write(
          key,
          "change the base of a pull request",
          pull.number,
          () => void (pull.baseBranch = base),
        );
    },
    ...merging(hub, write),
  };
}

type Write = <Result>(
  key: Key,
  operation: string,
  number: number | undefined,
  perform: () => Result,
) => Promise<Result>;

type Merging =
  | "arm"
  | "disarm"
  | "merge"
  | "deleteBranch"
  | "standing"
  | "enqueue"
  | "queue"
  | "base"
  | "paths";
function merging(hub: Hub, write: Write): Pick<Forge, Merging> {
  const refuse = (how: Refused["how"], why: string): Refused => ({ is: "refused", how, why });
  return {
    arm: async (key, ref, head) => {
      const pull = pullOf(hub, ref);
      if (pull.head !== head) return refuse("moved", `The head is ${pull.head}, not ${head}.`);
      if (pull.armed) return "armed";
      if (pull.is !== "open" || pull.draft)
        return refuse("unavailable", "The pull request is closed or a draft.");
      if (hub.rules.autoMerge === "off")
        return refuse("unavailable", "Auto merge is not allowed for this repository");
      if (obstacleTo(hub, pull) === undefined)
        return refuse("unavailable", "Pull request is in clean status");
      await write(key, "arm or disarm a merge", pull.number, () => void (pull.armed = true));
      return "armed";
    },
    disarm: async (key, ref) => {
      const pull = pullOf(hub, ref);
      if (pull.armed) await write(key, "arm or disarm a merge", pull.number, () => void (pull.armed = false));
    },
    merge: async (key, ref, head) => {
      const pull = pullOf(hub, ref);
      if (pull.head !== head) return refuse("moved", `The head is ${pull.head}, not ${head}.`);
      if (pull.merge !== undefined) return { is: "merged", merge: pull.merge };
      const obstacle = obstacleTo(hub, pull);
      if (obstacle !== undefined) return obstacle;
      const merge = await write(key, "merge a pull request", pull.number, () => mergeNow(hub, pull));
      return { is: "merged", merge };
    },
    standing: async ({ number }) => {
      const pull = hub.pulls.get(number);
      return pull && standingOf(hub, pull);
    },
    // This forge has no merge queue.
    enqueue: async () => refuse("unavailable", "There is no merge queue."),
    queue: async () => [],
    // This forge keeps no history of its base.
    base: async () => [],
    paths: async () => [],
    deleteBranch: async (key, repo, branch, head) => {
      if (hub.branches.get(branch)?.sha !== head || branch === repo.defaultBranch) return;
      await write(key, "delete a branch", undefined, () => void hub.branches.delete(branch));
    },
  };
}

function standingOf(hub: Hub, pull: HubPull): Standing {
  const stances = approvalsOf(hub, pull);
  const approvals = stances.filter(({ is }) => is === "approved").length;
  const asks = hub.rules.approvals > 0;
  return {
    rules: {
      ...noRules,
      branch: pull.baseBranch,
      approvals: hub.rules.approvals,
      checks: hub.rules.requiredChecks,
      autoMerge: hub.rules.autoMerge === "allowed",
    },
    open: pull.is === "open",
    merged: pull.merge,
    head: pull.head,
    approvals,
    decision: !asks
      ? undefined
      : stances.some(({ is }) => is === "objected")
        ? "objected"
        : approvals < hub.rules.approvals
          ? "required"
          : "approved",
    unresolved: 0,
    behind: false,
    queued: undefined,
  };
}
function pullOf(hub: Hub, { number }: PullRef): HubPull {
  const pull = hub.pulls.get(number);
  if (pull === undefined)
    throw new Trouble("github-gone", `There is no pull request ${number}.`, { permanent: true });
  return pull;
}

function newPull(hub: Hub, number: number, draft: Parameters<Forge["openPull"]>[1], head: string): HubPull {
  return {
    number,
    title: draft.title,
    body: withRegion("", draft.region),
    author: hub.bot,
    headBranch: draft.branch,
    baseBranch: draft.base,
    head,
    is: "open",
    merge: undefined,
    draft: draft.draft,
    armed: false,
    conflict: false,
    requested: [],
    reviews: [],
    remarks: [],
    comments: [],
    reactions: [],
  };
}

function factsOf(hub: Hub, pull: HubPull): PullFacts {
  const checkList = checksOf(hub, pull.head);
  const obstacle = obstacleTo(hub, pull);
  return {
    number: pull.number,
    url: `https://github.test/${hub.repo.owner}/${hub.repo.name}/pull/${pull.number}`,
    open: pull.is === "open",
    merged: pull.merge,
    mergedBy: pull.mergedBy,
    draft: pull.draft,
    head: pull.head,
    headBranch: pull.headBranch,
    base: hub.branches.get(pull.baseBranch)?.sha ?? "",
    baseBranch: pull.baseBranch,
    body: pull.body,
    author: pull.author,
    mergeable: pull.conflict ? "conflict" : obstacle === undefined ? "yes" : "blocked",
    armed: pull.armed,
    gateIsRequired: hub.rules.requiredChecks.includes("forgehand / gate"),
    checks: summaryOf(checkList),
    checkList,
    approvals: approvalsOf(hub, pull),
  };
}

const unreported = { is: "pending", required: true, isUnreported: true, url: undefined } as const;
function checksOf(hub: Hub, head: string): readonly CheckFact[] {
  const required = hub.rules.requiredChecks.filter((name) => name !== "forgehand / gate");
  const found = (hub.checks.get(head) ?? [])
    .filter((check) => check.by !== hub.bot)
    .map(({ name, is, by }) => ({
      name,
      is,
      required: required.includes(name),
      url: undefined,
      conclusion: { pending: undefined, green: "success", red: "failure" }[is],
      app: by,
    }));
  const missing = required.filter((name) => !found.some((check) => check.name === name));
  return [...found, ...missing.map((name) => ({ name, ...unreported }))];
}

function summaryOf(all: readonly CheckFact[]): PullFacts["checks"] {
  const required = all.filter((check) => check.required);
  const checks = required.length === 0 ? all : required;
  if (checks.length === 0) return "none";
  if (checks.some((check) => check.is === "red")) return "red";
  return checks.every((check) => check.is === "green") ? "green" : "pending";
}

function approvalsOf(hub: Hub, pull: HubPull): readonly Approval[] {
  const latest = new Map<string, Approval>();
  const words = { APPROVED: "approved", CHANGES_REQUESTED: "objected", DISMISSED: "dismissed" } as const;
  for (const { by, state, head, at, body } of pull.reviews) {
    if (state === "COMMENTED" || by === hub.bot || by.endsWith("[bot]")) continue;
    latest.set(by, { by, is: words[state], head, at, body });
  }
  return [...latest.values()];
}

/** The fenced region of a body, as every Forge keeps it. */
function withRegion(body: string, region: string): string {
  const [begin, end] = ["<!-- forgehand:begin -->", "<!-- forgehand:end -->"];
  const fenced = `${begin}\n${region.trim()}\n${end}`;
  const [from, to] = [body.indexOf(begin), body.indexOf(end)];
  if (from >= 0 && to > from) return body.slice(0, from) + fenced + body.slice(to + end.length);
  return body.trim() === "" ? fenced : `${body.trim()}\n\n${fenced}`;
}
