/** What a proposal is made upon, and the commit that carries it: the same for a forge and for a clone. */
import { detect } from "../../bootstrap/detect/detect.ts";
import type { Detected } from "../../bootstrap/detect/detected.ts";
import type { LabelNames } from "../../bootstrap/labels.ts";
import { configPaths, plan, type Plan } from "../../bootstrap/plan.ts";
import { readRecord, recordPath, type BootstrapRecord } from "../../bootstrap/record.ts";
import { commitMessage, type OnboardingView } from "../../bootstrap/says-onboarding.ts";
import { readTemplates } from "../../bootstrap/templates.ts";
import {
  changedTree,
  commitTree,
  loadTree,
  mergedTree,
  pathsBetween,
  patchBetween,
  treeOf,
  type Author,
  type BootstrapYard,
  type LoadedTree,
} from "../adapters/git/bootstrap-yard.ts";
import { exitCodes } from "../problems.ts";
import { readConfig } from "../config-file.ts";
import type { RepoConfig } from "../config.ts";
import { Failure } from "./output.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { BootstrapOptions } from "./bootstrap-options.ts";

/** The branch of an earlier proposal. */
export interface Standing {
  readonly tip: Sha;
  /** Newest commit that it shares with the base. */
  readonly fork: Sha;
  /** Everything on it is of our making: it is made anew instead of added to. */
  readonly isOnlyOurs: boolean;
}
export interface Proposal {
  readonly plan: Plan;
  readonly detected: Detected;
  /** Of the base. */
  readonly config: RepoConfig;
  /** It was set up before, and merged. */
  readonly isUpdate: boolean;
  readonly patch: string;
  /** All that the branch would change in the base, people's commits included. */
  readonly files: OnboardingView["files"];
  /** People's commits on the branch and the base are in conflict, which only people settle. */
  readonly isConflicted: boolean;
  /** The commit to put the branch on; undefined where the branch has it all, or there is nothing to propose. */
  readonly commit: ((author: Author) => Promise<Sha>) | undefined;
  readonly isEmpty: boolean;
  /** The branch has something that the base lacks. */
  readonly isPending: boolean;
}

/** Detects on the base; plans upon the branch where people have worked on it, else upon the base. */
export async function propose(
  yard: BootstrapYard,
  at: {
    readonly base: Sha;
    readonly branch: Standing | undefined;
    readonly defaultBranch: string;
    readonly options: Pick<BootstrapOptions, "skills" | "agent">;
  },
): Promise<Proposal> {
  const { base, branch, defaultBranch, options } = at;
  const files = await loadTree(yard, base);
  const detected = await files.settle(detect);
  const config = await files.settle((tree) => configOf(configPaths.map((path) => tree.read(path))));
  const merged = branch && (await mergedTree(yard, { base: branch.fork, one: base, other: branch.tip }));
  const isOnlyOurs = branch === undefined || branch.isOnlyOurs;
  const isConflicted = branch !== undefined && !isOnlyOurs && merged === undefined;
  const baseTree = await treeOf(yard, base);
  const ground = isOnlyOurs ? baseTree : (merged ?? (await treeOf(yard, branch.tip)));
  const templates = readTemplates();
  const labels: LabelNames = config.labels;
  const proposed = branch && (await recordIn(await loadTree(yard, branch.tip)));
  const wanted = {
    // What an open proposal was asked for holds until it is asked for anew.
    ...proposed?.answers,
    ...(options.skills === undefined ? {} : { skills: options.skills }),
    ...(options.agent === undefined ? {} : { agent: options.agent }),
  };
  const there = isOnlyOurs ? files : await loadTree(yard, ground);
  const planned = await there.settle((tree) =>
    plan(templates, { tree, detected, defaultBranch, labels, wanted }),
  );
  const [unreadable] = planned.warnings;
  // What was generated is not known, so nothing can be said of what differs from it.
  if (unreadable !== undefined) throw new Failure(exitCodes.usage, unreadable);
  const reasons = new Map(
    (isOnlyOurs
      ? planned
      : await files.settle((tree) => plan(templates, { tree, detected, defaultBranch, labels, wanted }))
    ).changes.map(({ path, why }) => [path, why]),
  );
  const isUpdate = await files.settle((tree) => tree.kind(recordPath) !== undefined);
  const after = await changedTree(yard, ground, there, planned.changes);
  const isThere = isOnlyOurs ? merged === after : planned.changes.length === 0;
  const isEmpty = after === baseTree;
  const parents = isOnlyOurs
    ? [base]
    : merged === undefined || branch.fork === base
      ? [branch.tip]
      : [branch.tip, base];
  return {
    plan: planned,
    detected,
    config,
    isUpdate,
    isConflicted,
    isEmpty,
    isPending: branch !== undefined && merged !== baseTree,
    files: (await pathsBetween(yard, baseTree, after)).map((file) => ({
      ...file,
      why: reasons.get(file.path) ?? "changed by a person on this branch",
    })),
    patch: await patchBetween(yard, ground, after),
    commit:
      isEmpty || (branch !== undefined && isThere)
        ? undefined
        : async (author) =>
            await commitTree(yard, { tree: after, parents, message: commitMessage({ isUpdate }), author }),
  };
}

async function recordIn(files: LoadedTree): Promise<BootstrapRecord | undefined> {
  const text = await files.settle((tree) => tree.read(recordPath));
  const read = text === undefined ? undefined : readRecord(text);
  return read === undefined || "why" in read ? undefined : read;
}

const configOf = (texts: readonly (string | undefined)[]): RepoConfig =>
  readConfig(texts.find((text) => text !== undefined)).config;
