/** Which change is to be reviewed: found, checked, and sealed in a yard of our own. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import {
  commitOf,
  defaultBase,
  fetchCommits,
  findRepository,
  forkOf,
  isShallow,
  messagesBetween,
  openChangeYard,
  sealChange,
  stagedTree,
  treesOf,
  treesOfPatch,
  worktreeTree,
  type ChangeYard,
  type Repository,
  type Trees,
} from "../adapters/git/change.ts";
import type { PullAccess, PullName } from "../adapters/github/pull-review.ts";
import { exitCodes } from "../problems.ts";
import { Failure, oneLine } from "./output.ts";

/** What the caller asks for; one way at a time. */
export type Wanted =
  | {
      readonly is: "commits";
      readonly base: string | undefined;
      readonly head: string;
      /** What a remote has of it; it stands for the base where it was ever fetched. */
      readonly remote?: string | undefined;
      /** The branch that it is pushed to. */
      readonly ref?: string;
    }
  | { readonly is: "uncommitted"; readonly what: "staged" | "worktree"; readonly base: string | undefined }
  | { readonly is: "patch"; readonly text: string; readonly from: string }
  | { readonly is: "pull"; readonly pull: PullName; readonly access: PullAccess };

/** A change as the reviewers get it. */
export interface Source {
  readonly yard: ChangeYard;
  /** `main...feature` */
  readonly name: string;
  readonly title: string;
  readonly body: string;
  /** As people know them. */
  readonly base: string;
  readonly head: string;
  readonly trees: Trees;
  /** The commits of the yard. */
  readonly sealed: Trees;
}

/** A patch longer than this is no change that anybody reviews. */
const maxPatchBytes = 20 * 1024 * 1024;
/** What commits say of themselves is a hint; a reviewer reads the code. */
const maxWords = 8_000;

export interface SourceOptions {
  readonly folder: string;
  readonly yardDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly searchPath: string;
}

/** Undefined is a change that changes nothing. Throws a `Failure` for whatever the caller can put right. */
export async function openSource(
  wanted: Wanted,
  options: SourceOptions,
): Promise<Source | { readonly empty: string }> {
  if (wanted.is === "pull") return await pullSource(wanted, options);
  const from = await findRepository(options.folder, options.env);
  if (from === undefined)
    throw new Failure(
      exitCodes.notFound,
      `${options.folder} is in no git repository. Go into one (cd PATH), or name a pull request: forgehand review --pr OWNER/REPO#N`,
    );
  const yard = await openChangeYard(options.yardDir, from, options.searchPath);
  if (wanted.is === "patch") return await patchSource(yard, from, wanted);
  return wanted.is === "commits"
    ? await commitSource(yard, from, wanted)
    : await uncommittedSource(yard, from, wanted);
}

interface Told {
  readonly name: string;
  readonly title: string;
  readonly body: string;
  readonly base: string;
  readonly head: string;
  readonly trees: Trees;
}

async function sealed(yard: ChangeYard, told: Told): Promise<Source | { readonly empty: string }> {
  if (told.trees.base === told.trees.head) return { empty: told.name };
  return { ...told, yard, sealed: await sealChange(yard, told.trees) };
}

async function named(yard: ChangeYard, from: Repository, ref: string, option: string): Promise<string> {
  const sha = await commitOf(yard, from, ref);
  if (sha !== undefined) return sha;
  const hint =
    option === "--head" && ref === "HEAD"
      ? "This repository has no commit yet; commit something first"
      : `See \`git branch --all\`, or fetch it: git fetch origin ${ref.replace(/^origin\//u, "")}`;
  throw new Failure(
    exitCodes.notFound,
    `${option}: git knows no commit called "${oneLine(ref)}" here. ${hint}`,
  );
}

async function baseName(yard: ChangeYard, from: Repository, asked: string | undefined): Promise<string> {
  const name = asked ?? (await defaultBase(yard, from));
  if (name !== undefined) return name;
  throw new Failure(
    exitCodes.usage,
    "It cannot be told what this branch starts from: there is no origin/HEAD, origin/main, origin/master, main or master. Name it: forgehand review --base REF",
  );
}

async function commitSource(
  yard: ChangeYard,
  from: Repository,
  wanted: Extract<Wanted, { is: "commits" }>,
): Promise<Source | { readonly empty: string }> {
  const head = await named(yard, from, wanted.head, "--head");
  const { remote } = wanted;
  const isKnown = remote !== undefined && (await commitOf(yard, from, remote)) !== undefined;
  const against = await baseName(yard, from, isKnown ? remote : wanted.base);
  const tip = await named(yard, from, against, "--base");
  const base = await forkOf(yard, from, tip, head);
  if (base === undefined) {
    const shallow = await isShallow(yard, from);
    throw new Failure(
      exitCodes.usage,
      `${oneLine(against)} and ${oneLine(wanted.head)} have no commit in common here.${shallow ? " This clone is shallow: git fetch --unshallow (in GitHub Actions: fetch-depth: 0), then try again" : " Name another base: forgehand review --base REF"}`,
    );
  }
  const words = (await messagesBetween(yard, from, { base, head })).trim().slice(0, maxWords);
  const [title = ""] = words.split("\n");
  return await sealed(yard, {
    name: `${isKnown ? remote.slice(0, 7) : against}...${wanted.ref ?? wanted.head}`,
    title: title === "" ? unsaid : title,
    body: `What its commits say of it:\n${words}`,
    base,
    head,
    trees: await treesOf(yard, { base, head }),
  });
}

const unsaid = "Nothing says what this change is for. Judge it by itself.";

async function uncommittedSource(
  yard: ChangeYard,
  from: Repository,
  { what, base: asked }: Extract<Wanted, { is: "uncommitted" }>,
): Promise<Source | { readonly empty: string }> {
  const tip = await named(yard, from, asked ?? "HEAD", asked === undefined ? "--head" : "--base");
  const now = await named(yard, from, "HEAD", "--head");
  const base = asked === undefined ? tip : ((await forkOf(yard, from, tip, now)) ?? tip);
  const before = await treesOf(yard, { base, head: base });
  const tree = what === "staged" ? await stagedTree(yard, from) : await worktreeTree(yard, from);
  return await sealed(yard, {
    name: what === "staged" ? "what is staged" : "what is not committed",
    title: unsaid,
    body: "It is not committed yet.",
    base,
    head: what,
    trees: { base: before.base, head: tree },
  });
}

async function patchSource(
  yard: ChangeYard,
  from: Repository,
  { text, from: name }: Extract<Wanted, { is: "patch" }>,
): Promise<Source | { readonly empty: string }> {
  const about = name === "-" ? "the diff on standard input" : oneLine(basename(name));
  if (text.trim() === "") return { empty: about };
  if (Buffer.byteLength(text) > maxPatchBytes)
    throw new Failure(
      exitCodes.usage,
      `--diff: ${about} is larger than ${maxPatchBytes / 1024 / 1024} MiB. Leave generated and vendored files out: git diff BASE -- . ':!dist'`,
    );
  if (!/^(?:diff --git |--- )/mu.test(text))
    throw new Failure(
      exitCodes.usage,
      `--diff: ${about} is no unified diff: no line begins with "diff --git" or "---". Make one with: git diff BASE...HEAD > change.diff`,
    );
  const head = await named(yard, from, "HEAD", "--head");
  const { head: ground } = await treesOf(yard, { base: head, head });
  const trees = await treesOfPatch(yard, ground, text);
  if ("why" in trees)
    throw new Failure(
      exitCodes.usage,
      `--diff: ${about} fits neither onto HEAD nor is it part of it already: ${oneLine(trees.why)}. Check out what it was made for, or make it anew: git diff BASE...HEAD`,
    );
  return await sealed(yard, {
    name: about,
    title: unsaid,
    body: "It came as a diff.",
    base: head,
    head: "diff",
    trees,
  });
}

async function pullSource(
  { pull, access }: Extract<Wanted, { is: "pull" }>,
  { yardDir, searchPath }: SourceOptions,
): Promise<Source | { readonly empty: string }> {
  const change = await access.change();
  const yard = await openChangeYard(yardDir, undefined, searchPath);
  await fetchCommits(yard, await access.remote(), { base: change.fork, head: change.head });
  return await sealed(yard, {
    name: `${pull.owner}/${pull.repo}#${pull.number}`,
    title: change.title,
    body: change.body,
    base: change.fork,
    head: change.head,
    trees: await treesOf(yard, { base: change.fork, head: change.head }),
  });
}

/** A diff from a file or, as `-`, from standard input. */
export function readPatch(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it is unreadable";
    throw new Failure(
      exitCodes.notFound,
      `--diff: ${path === "-" ? "standard input" : oneLine(path)} cannot be read (${why}). Give the path of a diff, or - for standard input: git diff main | forgehand review --diff -`,
      { cause },
    );
  }
}
