/** Pushes from this host, and remembers what the remote took. */
import type { Remote, Worktree } from "../ports.ts";
import type { Sha } from "../state-machine/ticket.ts";
import { opened, refsIn } from "./git-mirror.ts";
import { requireBranch } from "./git-paths.ts";
import type { Place } from "./git-paths.ts";
import { networkTo } from "./git-yard.ts";
import type { Yard } from "./git-yard.ts";

/** Looks first, so that repeating it is harmless; never overwrites what somebody else pushed. */
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
  const head = (await yard.git({ in: at }, "rev-parse", "HEAD")).trim();
  const look = async () => refsIn(await yard.git({ in: at, network }, "ls-remote", remote.url, ref)).get(ref);
  const now = await look();
  if (now !== head) {
    if (now !== expected) return { is: "moved", to: now };
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
      if (then !== head) return { is: "moved", to: then };
    }
  }
  await remember(yard, at, branch, head);
  return head;
}

async function remember(yard: Yard, at: Place, branch: string, published: Sha): Promise<void> {
  const known = await yard.records.tree(at);
  if (known?.published === published) return;
  await yard.records.keepTree(at, {
    ...(known ?? { is: "whole", branch, start: published, hooked: true }),
    published,
  });
}
