/** Changes as they were, from what the mirror still has: nothing is fetched, made or moved for a look. */
import type { Remote } from "../../ports.ts";
import type { ChangeAsk, Changes, ChangeSeen } from "../../ports-changes.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { unified } from "./diff.ts";
import { trustMirror } from "./mirror.ts";
import { contain, kindAt, requireSha } from "./paths.ts";
import { mergeBase, resolve } from "./commits.ts";
import { mirrorPath } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** The Changes of the mirrors in this yard. */
export const changesIn = (yard: Yard): Changes => ({
  between: (remote, ask) => between(yard, remote, ask),
});

async function between(yard: Yard, remote: Remote, ask: ChangeAsk): Promise<ChangeSeen> {
  const { head, maxChars } = ask;
  requireSha(head);
  const mirror = mirrorPath(yard, remote);
  contain(yard.root, mirror);
  if (kindAt(mirror) === "nothing") return { is: "gone", commit: head };
  await trustMirror(mirror);
  const [there] = await resolve(yard, { mirror }, [head]);
  if (there === undefined) return { is: "gone", commit: head };
  const base = "head" in ask.with ? ask.with.head : await forkOf(yard, mirror, head, ask.with.forkOf);
  if (base === undefined) return { is: "gone", commit: remote.repo.defaultBranch };
  requireSha(base);
  if ((await resolve(yard, { mirror }, [base]))[0] === undefined) return { is: "gone", commit: base };
  const text = await unified(yard, mirror, `${base}..${head}`);
  return { is: "diff", base, ...cutAt(text, maxChars) };
}

/** Where a head left the first of these that is here, else the default branch as the remote last told it. */
async function forkOf(
  yard: Yard,
  mirror: string,
  head: Sha,
  names: readonly string[],
): Promise<Sha | undefined> {
  const tip = yard.records.defaultTip(mirror);
  const found = await resolve(yard, { mirror }, [...names, ...(tip === undefined ? [] : [tip])]);
  for (const commit of found) {
    const fork = commit === undefined ? undefined : await mergeBase(yard, { mirror }, head, commit);
    if (fork !== undefined && fork !== head) return fork;
  }
  return undefined;
}

/** Whole lines of the diff, no longer than this. */
function cutAt(text: string, maxChars: number): { readonly text: string; readonly isCut: boolean } {
  if (text.length <= maxChars) return { text, isCut: false };
  return { text: text.slice(0, text.lastIndexOf("\n", maxChars) + 1), isCut: true };
}
