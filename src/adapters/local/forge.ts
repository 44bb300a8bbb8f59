/** The repository itself as the forge: a branch, a pull request that is a record, and a merge made here. */
import { noRules } from "../../state-machine/landing.ts";
import type { Forge, PullDraft, PullFacts, PullRef, Refused } from "../../ports.ts";
import { Trouble } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { mergeLocally, type MergeParts } from "./merge.ts";
import { ownBranches } from "./refs.ts";
import type { PullRecord } from "./records.ts";
import { filesIn } from "./ticket-folder.ts";
import type { LocalDesk } from "./tracker.ts";

export type LocalForgeParts = LocalDesk & MergeParts;

const [regionBegin, regionEnd] = ["<!-- forgehand:begin -->", "<!-- forgehand:end -->"];

const refuse = (how: Refused["how"], why: string): Refused => ({ is: "refused", how, why });

export function localForge(parts: LocalForgeParts): Forge {
  const { records, refs, repo } = parts;
  return {
    pull: ({ number }) => factsOf(parts, number),
    // What people say on lines is said on a forge that others see.
    threads: async () => [],
    permission: async (_repo, login) =>
      login.toLowerCase() === parts.operator.toLowerCase() ? "admin" : "none",
    loginOf: async () => undefined,
    openPull: (_key, draft) => openPull(parts, draft),
    askReview: async (_key, ref, change) => {
      const pull = pullOf(parts, ref);
      const body = withRegion(pull.body, change.region);
      if (body !== pull.body || pull.draft) records.keep({ ...pull, body, draft: false });
    },
    closePull: async (_key, ref) => {
      const pull = pullOf(parts, ref);
      if (pull.open) records.keep({ ...pull, open: false });
    },
    retarget: async (_key, ref, base) => {
      const pull = pullOf(parts, ref);
      if (pull.open && pull.base !== base) records.keep({ ...pull, base });
    },
    arm: async () => refuse("unavailable", "Here forgehand itself merges."),
    disarm: async () => undefined,
    standing: async ({ number }) => {
      const facts = await factsOf(parts, number);
      if (facts === undefined) return undefined;
      return {
        rules: { ...noRules, methods: ["squash", "merge"], branch: facts.baseBranch },
        open: facts.open,
        merged: facts.merged,
        head: facts.head,
        approvals: 0,
        decision: undefined,
        unresolved: 0,
        behind: false,
        queued: undefined,
      };
    },
    enqueue: async () => refuse("unavailable", "There is no merge queue."),
    queue: async () => [],
    commit: (_repo, sha) => refs.commit(sha),
    merge: (_key, { number }, head, message) => mergeLocally(parts, number, head, message),
    // No checks run here that could turn red.
    base: async () => [],
    paths: async ({ number }) => {
      const pull = records.pull(number);
      const base = pull && (await refs.tip(pull.base));
      if (pull === undefined || base === undefined) return [];
      const said = await refs.git(
        undefined,
        "diff",
        "--name-only",
        "-z",
        "--no-ext-diff",
        `${base}...${pull.head}`,
      );
      return said.split("\0").filter((path) => path !== "");
    },
    deleteBranch: async (_key, _repo, branch, head) => {
      const isOurs = branch.startsWith(ownBranches) && branch !== repo.defaultBranch;
      // Who looks at it in a checkout of their own would stand on nothing.
      if (!isOurs || (await refs.tip(branch)) !== head || (await refs.checkoutOf(branch)) !== undefined)
        return;
      await refs.git(undefined, "update-ref", "-d", `refs/heads/${branch}`, head);
    },
  };
}

function pullOf({ records }: LocalForgeParts, { number }: PullRef): PullRecord {
  const pull = records.pull(number);
  if (pull === undefined)
    throw new Trouble("local-gone", `There is no pull request ${number}.`, { permanent: true });
  return pull;
}

async function openPull(parts: LocalForgeParts, draft: PullDraft): Promise<PullRef> {
  const { records, refs, repo } = parts;
  const known = records.all().find((one) => one.is === "pull" && one.open && one.branch === draft.branch);
  if (known !== undefined) return { repo, number: known.number };
  const [head, base] = [await refs.tip(draft.branch), await refs.tip(draft.base)];
  if (head === undefined || base === undefined || (await refs.contains(base, head)))
    throw new Trouble("local-rejected", `No commits between ${draft.base} and ${draft.branch}.`, {
      permanent: true,
    });
  const number = records.claim([...filesIn(parts.folders).keys()]);
  records.keep({
    is: "pull",
    number,
    branch: draft.branch,
    base: draft.base,
    title: draft.title,
    body: withRegion("", draft.region),
    draft: draft.draft,
    open: true,
    head,
    reviews: [],
    comments: [],
    reactions: [],
  });
  return { repo, number };
}

async function factsOf(parts: LocalForgeParts, number: number): Promise<PullFacts | undefined> {
  const { records, refs, bot } = parts;
  const pull = records.pull(number) && (await refreshed(parts, number));
  if (pull === undefined) return undefined;
  const base = await refs.tip(pull.base);
  return {
    number,
    url: "",
    open: pull.open,
    merged: pull.merged,
    ...(pull.merged === undefined ? {} : { mergedBy: pull.mergedBy ?? bot }),
    draft: pull.draft,
    head: pull.head,
    headBranch: pull.branch,
    base: base ?? "",
    baseBranch: pull.base,
    body: pull.body,
    author: bot,
    mergeable: await mergeable(parts, pull, base),
    armed: false,
    gateIsRequired: false,
    checks: "none",
    checkList: [],
    approvals: [],
  };
}

async function mergeable(
  { refs }: LocalForgeParts,
  pull: PullRecord,
  base: Sha | undefined,
): Promise<PullFacts["mergeable"]> {
  if (!pull.open || base === undefined) return "unknown";
  return "files" in (await refs.merged(base, pull.head)) ? "conflict" : "yes";
}

/** The record after what people did with git alone: another commit on the branch, a merge of their own, a branch deleted. */
async function refreshed(
  { records, refs, operator }: LocalForgeParts,
  number: number,
): Promise<PullRecord | undefined> {
  const pull = records.pull(number);
  if (pull === undefined || !pull.open) return pull;
  const [head, base] = [await refs.tip(pull.branch), await refs.tip(pull.base)];
  const begun = pull.merging;
  // Read without a pause before it is kept, so that nobody writes in between.
  const keep = (change: Partial<PullRecord>): PullRecord => {
    const now = { ...(records.pull(number) ?? pull), ...change };
    records.keep(now);
    return now;
  };
  if (
    base !== undefined &&
    begun !== undefined &&
    begun.head === head &&
    (await refs.contains(base, begun.commit))
  )
    return keep({ merged: begun.commit, open: false, head: begun.head });
  const at = head ?? pull.head;
  if (base !== undefined && (await refs.contains(base, at)))
    return keep({ merged: base, mergedBy: operator, open: false, head: at });
  if (head === undefined) return keep({ open: false });
  return head === pull.head ? pull : keep({ head });
}

function withRegion(body: string, region: string): string {
  const fenced = `${regionBegin}\n${region.trim()}\n${regionEnd}`;
  const [from, to] = [body.indexOf(regionBegin), body.indexOf(regionEnd)];
  if (from >= 0 && to > from) return body.slice(0, from) + fenced + body.slice(to + regionEnd.length);
  return body.trim() === "" ? fenced : `${body.trim()}\n\n${fenced}`;
}
