import type { Sha } from "./ticket.ts";

/** One commit of the base as its checks see it. */
export interface BaseCommit {
  readonly sha: Sha;
  readonly checks: readonly BaseCheck[];
}
export interface BaseCheck {
  readonly name: string;
  readonly is: "pending" | "green" | "red";
  /** What the forge runs again when asked by this number; a status of the older kind has none. */
  readonly run: number | undefined;
  readonly url: string | undefined;
}

/** What the checks of the base say of one merge. */
export type BaseVerdict =
  /** Nothing is red there so far. */
  | { readonly is: "fine" | "running" }
  /** Red, but not by this merge, or not any more. */
  | { readonly is: "innocent"; readonly why: string }
  /** Red somewhere between, and no check tells where. */
  | { readonly is: "unclear"; readonly check: string; readonly between: readonly Sha[] }
  /** The check passes on the commit before and fails on this merge. */
  | { readonly is: "guilty"; readonly check: BaseCheck; readonly before: Sha };

/**
 * Judges one merge by the commits of the base, newest first, by first parent. Only a check that passes on the commit
 * right before and fails right here convicts; one that was red before, or is green again after, does not. Pure.
 */
export function judgeMerge(merge: Sha, chain: readonly BaseCommit[]): BaseVerdict {
  const at = chain.findIndex(({ sha }) => sha === merge);
  if (at < 0) return { is: "innocent", why: "it is no longer on the base" };
  const names = new Set(chain.slice(0, at + 1).flatMap(({ checks }) => checks.map(({ name }) => name)));
  const verdicts = [...names].map((name) => judgeCheck(name, at, chain));
  const rank = (is: BaseVerdict["is"]): number => order.indexOf(is);
  return verdicts.toSorted((a, b) => rank(a.is) - rank(b.is))[0] ?? { is: "running" };
}
const order: readonly BaseVerdict["is"][] = ["guilty", "unclear", "running", "innocent", "fine"];

function judgeCheck(name: string, at: number, chain: readonly BaseCommit[]): BaseVerdict {
  const said = chain.map(({ checks }) => checks.find((check) => check.name === name));
  const own = said[at];
  if (own?.is === "pending") return { is: "running" };
  if (own?.is === "green") return { is: "fine" };
  const last = said.slice(0, at).find((check) => check?.is === "green" || check?.is === "red");
  if (last?.is === "green") return { is: "innocent", why: `${name} passes again on a later commit` };
  // Not asked of this commit: a later one that is red may be red because of it.
  if (own === undefined && last === undefined) return { is: "running" };
  const earlier = said.findIndex(
    (check, index) => index > at && (check?.is === "green" || check?.is === "red"),
  );
  if (said[earlier]?.is === "red") return { is: "innocent", why: `${name} was red before it` };
  const before = chain[at + 1];
  if (own !== undefined && earlier === at + 1 && before !== undefined)
    return { is: "guilty", check: own, before: before.sha };
  if (said.some((check, index) => index > at && check?.is === "pending")) return { is: "running" };
  const first = said.findLastIndex((check, index) => index <= at && check?.is === "red");
  const from = first < 0 ? said.findLastIndex((check, index) => index < at && check?.is === "red") : first;
  return {
    is: "unclear",
    check: name,
    between: chain.slice(from, earlier < 0 ? at + 1 : earlier).map(({ sha }) => sha),
  };
}
