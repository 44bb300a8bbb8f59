/** Cold checkouts: one head, read-only, nothing of the builder in it. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { ColdTree, Remote, Worktree } from "../../ports.ts";
import type { Sha, TicketId } from "../../state-machine/ticket.ts";
import { grownFrom } from "./commits.ts";
import { compare } from "./compare.ts";
import { unified } from "./diff.ts";
import { headAndBase, mirrorFor, trustMirror } from "./mirror.ts";
import { close, open } from "./modes.ts";
import { kindAt, placeOf, pointsHome, requireSha, verify } from "./paths.ts";
import type { Place } from "./paths.ts";
import { clear } from "./tree.ts";
import { coldPlace, together } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** Makes it anew, so that nothing an earlier reader left is in it. */
export async function checkoutCold(
  yard: Yard,
  order: { readonly ticket: TicketId; readonly remote: Remote; readonly head: Sha; readonly name: string },
): Promise<ColdTree> {
  const { remote, head } = order;
  requireSha(head);
  const mirror = await mirrorFor(yard, remote);
  const at = coldPlace(yard, remote, order);
  try {
    const made = await yard.locked(mirror, async () => {
      const { tree, from } = await headAndBase(yard, mirror, remote, head);
      // The remote may have taken its time, and who wrote in there meanwhile is an agent.
      await trustMirror(mirror);
      const make = async () => {
        await clearCold(yard, at);
        await mkdir(dirname(at.path), { recursive: true });
        await yard.records.keepCold(at, order.name);
        await yard.git({ in: { mirror } }, "worktree", "add", "--detach", at.path, head);
      };
      const read = async () => {
        const base = await grownFrom(yard, { mirror }, { head, from });
        return { base, diff: await unified(yard, mirror, `${base}...${head}`) };
      };
      const [{ base, diff }] = await together([read(), make()]);
      return { tree, base, diff };
    });
    verify(at);
    await close(at.path);
    return { path: at.path, head, branch: undefined, ...made };
  } catch (error) {
    // Nobody was given it, so nobody would drop it. What is left all the same, the next start clears.
    await yard.locked(mirror, () => clearCold(yard, at)).catch(() => undefined);
    throw error;
  }
}

/** What the head changes, as its checkout would show it. */
export async function headDiff(
  yard: Yard,
  { remote, head }: { readonly remote: Remote; readonly head: Sha },
): Promise<string> {
  requireSha(head);
  const mirror = await mirrorFor(yard, remote);
  const { from } = await yard.locked(mirror, () => headAndBase(yard, mirror, remote, head));
  const base = await grownFrom(yard, { mirror }, { head, from });
  // The remote may have taken its time, and who wrote in there meanwhile is an agent.
  await trustMirror(mirror);
  return await unified(yard, mirror, `${base}...${head}`);
}

/** Every file that differs from the checkout's head, ignored ones too. */
export async function written(yard: Yard, tree: Worktree): Promise<readonly string[]> {
  requireSha(tree.head);
  const at = placeOf(yard.root, tree.path);
  await trustMirror(at.mirror);
  const { changed, missing, extra } = await compare(
    yard,
    { ...at, admin: at.mirror },
    tree.head,
    "with ignored",
  );
  return [...(pointsHome(at) ? [] : [".git"]), ...changed, ...missing, ...extra];
}

/** Removes it; one that is gone already is fine. */
export async function dropCold(yard: Yard, tree: Worktree): Promise<void> {
  const at = placeOf(yard.root, tree.path);
  if (tree.branch !== undefined) return;
  await yard.locked(at.mirror, () => clearCold(yard, at));
}

/** Deletes a cold checkout, read-only as it is. */
export async function clearCold(yard: Yard, at: Place): Promise<void> {
  if (kindAt(at.path) === "directory") await open(yard, [at.path], "u+rwX");
  await clear(yard, at);
  await yard.records.forget(at);
}
