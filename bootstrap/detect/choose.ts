import { foreignDoubt, partDoubt, type Candidate, type Source } from "./candidate.ts";
import type { CommandFound, Confidence, Evidence } from "./detected.ts";
import { bare, inFolder, isFit } from "./shell.ts";

const weights: Readonly<Record<Source, number>> = {
  ci: 100,
  script: 60,
  lock: 60,
  target: 50,
  tool: 40,
  custom: 30,
  readme: 20,
};
const doubtWeighs = 55;
/** So that even the custom of the ecosystem comes first. */
const partWeighs = 75;
const maxAlternatives = 5;
const maxEvidence = 6;

/** Candidates that are one command, as several sources write it. */
interface Group {
  readonly first: Candidate;
  readonly all: readonly Candidate[];
  readonly weight: number;
}

/** The best of what was found for one purpose, with what was not taken and why. */
export function choose(candidates: readonly Candidate[]): CommandFound | undefined {
  const groups = grouped(candidates.filter(({ command, folder }) => isFit(inFolder(folder, command))));
  const [best, ...others] = groups;
  if (best === undefined) return undefined;
  const parts = new Set(partsOf(best.first));
  const agreeing = others.filter(({ first }) => partsOf(first).every((part) => parts.has(part)));
  const all = [best, ...agreeing].flatMap((group) => group.all);
  return {
    // The form that installs exactly what the lockfile holds is the better of two that are one.
    command: inFolder(
      best.first.folder,
      (best.all.find(({ source }) => source === "lock") ?? best.first).command,
    ),
    evidence: evidenceIn(all),
    confidence: confidenceOf(best.first, all),
    reason: reasonOf(best.first, all),
    alternatives: others
      .filter((group) => !agreeing.includes(group))
      .slice(0, maxAlternatives)
      .map(({ first, all: written }) => ({
        command: inFolder(first.folder, first.command),
        evidence: evidenceIn(written),
        reason: first.doubt ?? beside(first.source, best.first.source),
      })),
  };
}

function grouped(candidates: readonly Candidate[]): readonly Group[] {
  const groups = new Map<string, Candidate[]>();
  for (const one of candidates) {
    const key = partsOf(one).join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()]
    .map((all) => {
      const sorted = all.toSorted((one, other) => weigh(other) - weigh(one));
      const [first = sorted[0], ...more] = sorted;
      const sources = new Set(
        more.filter(({ source }) => source !== first?.source).map(({ source }) => source),
      );
      const agreed = [...sources].reduce((sum, source) => sum + weights[source] / 2, 0);
      return first === undefined ? [] : [{ first, all: sorted, weight: weigh(first) + agreed }];
    })
    .flat()
    .map((group, _, groups) => ({ ...group, weight: group.weight + echoes(group, groups) }))
    .toSorted(
      (one, other) => other.weight - one.weight || Number(setsItself(one)) - Number(setsItself(other)),
    );
}

/** What somebody else writes of it without its arguments says as much for it. */
const echoes = ({ first }: Group, groups: readonly Group[]): number =>
  groups.some(
    (other) =>
      other.first.source !== first.source &&
      other.first.folder === first.folder &&
      first.command.startsWith(`${other.first.command} `),
  )
    ? 5
    : 0;

/** Of two that are as good, the one that sets no environment is the plainer. */
const setsItself = ({ first }: Group): boolean => bare(first.command) !== first.command;

const weigh = ({ source, doubt }: Candidate): number =>
  weights[source] -
  (doubt === undefined ? 0 : doubt === partDoubt || doubt === foreignDoubt ? partWeighs : doubtWeighs);

/** Its single commands, so that one written in two ways is one. */
const partsOf = ({ folder, command }: Candidate): readonly string[] =>
  command.split(" && ").map((part) => `${folder} ${sameCommand(part)}`);

/** Whether two commands are one, but for the environment each is given and words that change no outcome. */
const sameCommand = (command: string): string =>
  bare(command)
    .replace(/^(npm|pnpm|yarn|bun) (?:run|run-script) /u, "$1 ")
    .replace(/^npm t$/u, "npm test")
    .replace(/^yarn$/u, "yarn install")
    .replace(/^npm (?:install|i|clean-install)(?= -|$)/u, "npm ci")
    .replace(/^\.\/(?=gradlew|mvnw)/u, "")
    .replaceAll(
      / (?:--no-daemon|-B|--batch-mode|--no-progress|--no-interaction|--no-audit|--no-fund|--ci|--stacktrace|--prefer-offline|--verbose|--frozen-lockfile|--immutable|--locked|--frozen)(?= |$)/gu,
      "",
    );

function evidenceIn(candidates: readonly Candidate[]): readonly Evidence[] {
  const seen = new Map<string, Evidence>();
  for (const one of candidates.flatMap(({ evidence }) => evidence)) {
    const key = `${one.path}:${one.line}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()].slice(0, maxEvidence);
}

function confidenceOf(first: Candidate, all: readonly Candidate[]): Confidence {
  const agreed = new Set(all.filter(({ doubt }) => doubt === undefined).map(({ source }) => source)).size > 1;
  if (first.doubt !== undefined)
    return agreed || first.source === "ci" || first.source === "script" ? "likely" : "guess";
  if (agreed) return "sure";
  if (first.source === "readme") return "guess";
  return (first.source === "ci" && first.made === undefined) ||
    first.source === "script" ||
    first.source === "lock"
    ? "sure"
    : "likely";
}

const written: Readonly<Record<Source, string>> = {
  ci: "the workflows run it for changes under review",
  script: "a script says so",
  lock: "the lockfile is there",
  target: "a target says so",
  tool: "the tool's configuration is there",
  custom: "it is the ecosystem's custom",
  readme: "a document tells people to type it",
};

function reasonOf(first: Candidate, all: readonly Candidate[]): string {
  const others = [...new Set(all.map(({ source }) => source))].filter((source) => source !== first.source);
  const doubt = first.doubt === undefined ? "" : `, though ${first.doubt}`;
  const agreed = others.length === 0 ? "" : `, and ${others.map((source) => written[source]).join(", and ")}`;
  return `${first.reason}${doubt}${agreed}`;
}

const beside = (source: Source, chosen: Source): string =>
  source === chosen ? "another one comes first" : `${written[source]}, but ${written[chosen]}`;
