/** Pushes from this host, and remembers what the remote took. */
import type { Remote, Worktree } from "../../ports.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { remoteRefs } from "./ls-refs.ts";
import { fetchCommit, opened } from "./mirror.ts";
import { requireBranch } from "./paths.ts";
import type { Place } from "./paths.ts";
import { placeTrouble } from "./trouble.ts";
import { contains, resolve } from "./commits.ts";
import { networkTo } from "./yard.ts";
import type { Yard } from "./yard.ts";

/**
 * Never overwrites what somebody else pushed: the remote itself compares, so that repeating it is harmless. Whatever is
 * not plainly ours to push is looked for there first.
 */
export async function publish(
  yard: Yard,
  order: {
    readonly tree: Worktree;
    readonly remote: Remote;
    readonly branch: string;
    readonly expected: Sha | undefined;
  },
): Promise<Sha | { readonly is: "moved"; readonly to: Sha | undefined }> {
  const { remote, branch, expected } = order;
  requireBranch(branch);
  const at = await opened(yard, order.tree.path);
  const network = await networkTo(yard, remote, "write");
  const ref = `refs/heads/${branch}`;
  const look = async () => (await remoteRefs(yard, { in: at, network }, [ref])).get(ref);
  const [head] = await resolve(yard, at, ["HEAD"]);
  if (head === undefined) throw placeTrouble("git-tampered", `No commit is checked out in ${at.path}.`);
  const isOurs = yard.records.tree(at)?.made === head;
  const isGrown = await growsFrom(yard, at, expected, head);
  if (isOurs && isGrown) {
    try {
      const lease = `--force-with-lease=${ref}:${expected ?? ""}`;
      await yard.git(
        { in: at, network },
        "push",
        "--no-verify",
        "--no-follow-tags",
        lease,
        remote.url,
        `${head}:${ref}`,
      );
    } catch (error) {
      // Somebody pushed between our look and our push: that is an answer, not a failure.
      const then = await look();
      if (then !== head && then === expected) throw error;
      // An earlier try of ours was heard and its answer lost, and somebody has built upon it since.
      if (then !== head && !(await isBuiltUpon(yard, at, { remote, head, tip: then })))
        return { is: "moved", to: then };
    }
  } else {
    const now = await look();
    if (now !== head && (now !== expected || !isGrown)) return { is: "moved", to: now };
    if (now !== head) throw notOurs(at, head);
  }
  await remember(yard, at, branch, head);
  return head;
}

/** Told of a push is not the same as having it: what somebody else pushed and the worktree lacks would be lost. */
async function growsFrom(yard: Yard, at: Place, theirs: Sha | undefined, head: Sha): Promise<boolean> {
  if (theirs === undefined) return true;
  const [here] = await resolve(yard, at, [theirs]);
  return here !== undefined && contains(yard, at, { older: here, newer: head });
}

async function isBuiltUpon(
  yard: Yard,
  at: Place,
  { remote, head, tip }: { readonly remote: Remote; readonly head: Sha; readonly tip: Sha | undefined },
): Promise<boolean> {
  if (tip === undefined) return false;
  await yard.locked(at.mirror, () => fetchCommit(yard, at.mirror, remote, tip));
  return await contains(yard, at, { older: head, newer: tip });
}

/** An agent's own commits hold words and detours that nobody has read; ours hold what was. */
const notOurs = (at: Place, head: Sha) =>
  placeTrouble(
    "git-tampered",
    `${at.path} stands on ${head.slice(0, 7)}, which we did not commit, so it is not published. Let the build run again.`,
  );

async function remember(yard: Yard, at: Place, branch: string, published: Sha): Promise<void> {
  const known = yard.records.tree(at);
  if (known?.published === published && known.ground === published) return;
  await yard.records.keepTree(at, {
    ...(known ?? { is: "whole", branch, start: published, hooked: true }),
    published,
    ground: published,
  });
}
