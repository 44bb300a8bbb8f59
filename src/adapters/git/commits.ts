/** What commits are and how they relate. That never changes, so what git has said of a mirror of ours is remembered. */
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import type { Sha } from "../../state-machine/ticket.ts";
import { kindAt, textOf } from "./paths.ts";
import type { Git, GitOrder } from "./run.ts";

/** Characters that are remembered, of all mirrors together. */
const mostChars = 4_000_000;
/** An answer longer than this is asked for anew. */
const longestAnswer = 1_000_000;

/** Answers of git that stay true as long as the mirror has its commits. */
export interface Known {
  get(mirror: string, question: string): string | undefined;
  learn(mirror: string, question: string, answer: string): void;
  /** The mirror may have lost something. */
  forget(mirror: string): void;
}
/** What is asked: git, and our memory where the repository is a mirror of ours. */
export interface Asked {
  readonly git: Git;
  readonly known?: Known;
}

/** A memory that knows nothing yet. */
export function openKnown(): Known {
  const answers = new LRUCache<string, string>({
    maxSize: mostChars,
    maxEntrySize: longestAnswer,
    sizeCalculation: (answer, question) => answer.length + question.length,
  });
  const keyOf = (mirror: string, question: string): string => `${mirror}\0${question}`;
  return {
    get: (mirror, question) => answers.get(keyOf(mirror, question)),
    learn: (mirror, question, answer) => void answers.set(keyOf(mirror, question), answer),
    forget: (mirror) => {
      for (const key of answers.keys()) if (key.startsWith(keyOf(mirror, ""))) answers.delete(key);
    },
  };
}

/** The same git; where it fails, what is known of that mirror is asked anew: something may be gone from it. */
export const forgetting =
  (git: Git, known: Known): Git =>
  async (order, ...argv) => {
    try {
      return await git(order, ...argv);
    } catch (error) {
      known.forget(order.in.mirror);
      throw error;
    }
  };

/** What is remembered, else what this answers, to be remembered. */
export async function once(
  { known }: Asked,
  where: GitOrder["in"],
  question: string,
  ask: () => Promise<string>,
): Promise<string> {
  const answer = known?.get(where.mirror, question) ?? (await ask());
  known?.learn(where.mirror, question, answer);
  return answer;
}

/** In the place of a commit that is not known. A name, whatever it is, an agent could give to one. */
export const nothing = "0".repeat(40);

const isSha = (name: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(name);

/** What these names are in the repository: a full object name, or undefined where there is no such object. */
export async function resolve(
  { git, known }: Asked,
  where: GitOrder["in"],
  names: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const found = new Map<string, string | undefined>([[nothing, undefined]]);
  for (const name of new Set(names)) {
    const answer = known === undefined ? undefined : remembered(known, where, name);
    if (answer !== undefined) found.set(name, answer.is);
  }
  const open = [...new Set(names)].filter((name) => !found.has(name));
  if (open.length > 0) {
    const input = open.map((name) => `${name}\n`).join("");
    const out = await git({ in: where, input }, "cat-file", "--batch-check=%(objectname)");
    for (const [index, line] of out.split("\n").slice(0, open.length).entries()) {
      const name = open[index] ?? "";
      const answer = isSha(line) ? line : undefined;
      found.set(name, answer);
      if (answer === undefined) continue;
      known?.learn(where.mirror, answer, answer);
      if (isSha(partsOf(name).commit)) known?.learn(where.mirror, name, answer);
    }
  }
  return names.map((name) => found.get(name));
}

/** A commit, and what is wanted of it. */
function partsOf(name: string): { readonly commit: string; readonly of: "" | "^{tree}" } {
  const suffix = "^{tree}";
  return name.endsWith(suffix)
    ? { commit: name.slice(0, -suffix.length), of: suffix }
    : { commit: name, of: "" };
}

/** What a name is by what we know and where refs stand; undefined where git has to be asked. */
function remembered(
  known: Known,
  where: GitOrder["in"],
  name: string,
): { readonly is: string | undefined } | undefined {
  const { commit, of } = partsOf(name);
  const sha = isSha(commit) ? commit : refAt(where, commit);
  if (sha === "ask git") return undefined;
  if (sha === "unborn") return { is: undefined };
  const is = known.get(where.mirror, `${sha}${of}`);
  return is === undefined ? undefined : { is };
}

type Standing = Sha | "unborn" | "ask git";

/** Where HEAD or a branch stands, as its own file says. */
function refAt(where: GitOrder["in"], name: string): Standing {
  if (name !== "HEAD") return branchAt(where.mirror, name);
  const file = join("admin" in where ? where.admin : where.mirror, name);
  const text = textOf(file) ?? "";
  if (isSha(text)) return text;
  return text.startsWith("ref: ") ? branchAt(where.mirror, text.slice("ref: ".length)) : "ask git";
}

/** Of refs that are packed, or odd in any way, git is asked. */
function branchAt(mirror: string, ref: string): Standing {
  if (!/^refs\/heads\/[\w./-]+$/.test(ref) || ref.includes("..")) return "ask git";
  const text = textOf(join(mirror, ref));
  if (text !== undefined) return isSha(text) ? text : "ask git";
  const isNowhere = [ref, "packed-refs"].every((name) => kindAt(join(mirror, name)) === "nothing");
  return isNowhere ? "unborn" : "ask git";
}

/** Whether everything in `older` is also in `newer`; both must be there. */
export async function contains(
  asked: Asked,
  where: GitOrder["in"],
  { older, newer }: { readonly older: string; readonly newer: string },
): Promise<boolean> {
  if (older === newer) return true;
  const ask = () => asked.git({ in: where }, "rev-list", "--count", "-n", "1", older, `^${newer}`);
  const out = await (isSha(older) && isSha(newer)
    ? once(asked, where, inQuestion(older, newer), ask)
    : ask());
  return out.trim() === "0";
}
const inQuestion = (older: Sha, newer: Sha): string => `${older} in ${newer}`;

/** Newest commit that is in both; undefined when they have nothing in common. */
export async function mergeBase(
  asked: Asked,
  where: GitOrder["in"],
  one: Sha,
  other: Sha,
): Promise<Sha | undefined> {
  if (one === other) return one;
  const range = `${one}...${other}`;
  // `merge-base` itself fails when there is none, and that looks like any other failure.
  const out = await once(asked, where, range, () => asked.git({ in: where }, "rev-parse", range));
  return out
    .split("\n")
    .find((line) => line.startsWith("^"))
    ?.slice(1);
}

/** The commit from which this head grew away from that one; trouble where they have nothing in common. */
export async function grownFrom(
  asked: Asked,
  where: GitOrder["in"],
  { head, from }: { readonly head: Sha; readonly from: Sha },
): Promise<Sha> {
  if (head === from) return head;
  const ask = () => asked.git({ in: where }, "merge-base", head, from);
  return (await once(asked, where, forkQuestion(head, from), ask)).trim();
}
const forkQuestion = (head: Sha, from: Sha): string => `${head} grew from ${from}`;

/** Remembers a commit that was just made: nothing of it need be asked. */
export function learnCommit(
  { known }: Asked,
  { mirror }: GitOrder["in"],
  made: { readonly commit: Sha; readonly content: Sha; readonly parents: readonly Sha[] },
): void {
  const { commit, content, parents } = made;
  known?.learn(mirror, commit, commit);
  known?.learn(mirror, `${commit}^{tree}`, content);
  for (const parent of parents) {
    known?.learn(mirror, inQuestion(parent, commit), "0");
    known?.learn(mirror, `${commit}...${parent}`, `^${parent}`);
    known?.learn(mirror, forkQuestion(commit, parent), parent);
  }
}
