/** What commits are and how they relate: what git need not be asked, since they are here already or we made them. */
import { join } from "node:path";
import { LRUCache } from "lru-cache";
import type { Sha } from "../../state-machine/ticket.ts";
import { kindAt, textOf } from "./paths.ts";
import type { Git, GitOrder } from "./run.ts";

/** Facts that are remembered, of all mirrors together; each takes some two hundred bytes. */
const mostFacts = 20_000;

/**
 * Which objects a mirror has, and what we know of commits because we made them. Nothing else that git says is kept: an
 * agent can put another file in an object's place for a moment, and what is read then must mislead one reader at most.
 */
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
  const facts = new LRUCache<string, string>({ max: mostFacts });
  const keyOf = (mirror: string, question: string): string => `${mirror}\0${question}`;
  return {
    get: (mirror, question) => facts.get(keyOf(mirror, question)),
    learn: (mirror, question, answer) => void facts.set(keyOf(mirror, question), answer),
    forget: (mirror) => {
      for (const key of facts.keys()) if (key.startsWith(keyOf(mirror, ""))) facts.delete(key);
    },
  };
}

/** The same git; where it fails, everything is asked anew of that mirror: something may be gone from it. */
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
      if (answer !== undefined) known?.learn(where.mirror, answer, answer);
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
  if (asked.known?.get(where.mirror, inQuestion(older, newer)) !== undefined) return true;
  const out = await asked.git({ in: where }, "rev-list", "--count", "-n", "1", older, `^${newer}`);
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
  if (asked.known?.get(where.mirror, inQuestion(other, one)) !== undefined) return other;
  // `merge-base` itself fails when there is none, and that looks like any other failure.
  const out = await asked.git({ in: where }, "rev-parse", `${one}...${other}`);
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
  if (asked.known?.get(where.mirror, inQuestion(from, head)) !== undefined) return from;
  return (await asked.git({ in: where }, "merge-base", head, from)).trim();
}

/** Remembers a commit that was just made: nothing of it need be asked. */
export function learnCommit(
  { known }: Asked,
  { mirror }: GitOrder["in"],
  made: { readonly commit: Sha; readonly content: Sha; readonly parents: readonly Sha[] },
): void {
  const { commit, content, parents } = made;
  known?.learn(mirror, commit, commit);
  known?.learn(mirror, `${commit}^{tree}`, content);
  for (const parent of parents) known?.learn(mirror, inQuestion(parent, commit), "yes");
}
