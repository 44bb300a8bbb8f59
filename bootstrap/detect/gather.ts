import { partDoubt, type Candidate, type Look } from "./candidate.ts";
import type { Scope } from "./classify.ts";
import type { CommandKind } from "./detected.ts";
import type { ReadmeCommand } from "./readme.ts";
import { inTurn, isFit } from "./shell.ts";
import { isBelow } from "./tree.ts";
import type { CiCommand } from "./workflows.ts";

/** A package with all that is written for it anywhere. */
export interface Gathered {
  readonly folder: string;
  readonly look: Look;
  readonly candidates: readonly Candidate[];
}
export interface Place {
  readonly folder: string;
  readonly look: Look;
}

const maxJoined = 5;

/** Which of the packages a command is for; undefined where it is for all of them, or for none we know. */
export function ownerOf(places: readonly Place[], command: CiCommand | ReadmeCommand): Place | undefined {
  const { folder, ecosystem } = command;
  const inPlace = places.filter((place) => place.folder === folder);
  if (ecosystem === undefined) return inPlace.length === 1 ? inPlace[0] : undefined;
  const fitting = places.filter(
    ({ look }) =>
      look.ecosystem === ecosystem &&
      (ecosystem !== "java" || /gradlew?\b/u.test(command.command) === (look.manager === "gradle")),
  );
  const here = fitting.find((place) => place.folder === folder);
  if (here !== undefined) return here;
  const above = fitting.filter((place) => isBelow(folder, place.folder));
  return (
    above.toSorted((one, other) => other.folder.length - one.folder.length)[0] ??
    (fitting.length === 1 ? fitting[0] : undefined)
  );
}

/** What workflows run for one package: checks as one line, for a change has to pass all; else each for itself. */
export function fromWorkflows(commands: readonly CiCommand[], adapt: Look["adapt"]): readonly Candidate[] {
  const tests = commands.filter(({ kind }) => kind === "test");
  const test = tests.find(({ doubt, scope }) => doubt === undefined && scope === "plain");
  const setups = commands.filter(({ kind, command }) => kind === "setup" && !isSideline(command));
  const jobs = [...new Set(setups.map(({ job }) => job))];
  const ordered = [...jobs.filter((job) => job === test?.job), ...jobs.filter((job) => job !== test?.job)];
  return [
    ...ordered.map((job) => {
      const setup = inOne(
        "setup",
        setups.filter((one) => one.job === job),
      );
      const isTests = tests.length === 0 || job === test?.job;
      return (
        setup && (isTests ? setup : { ...setup, doubt: "it sets up another job than that of the tests" })
      );
    }),
    ...tests.map((one) => inOne("test", [one])),
    inOne(
      "lint",
      commands.filter(({ kind, doubt }) => kind === "lint" && doubt === undefined),
    ),
    ...commands.filter(({ kind }) => kind === "build").map((one) => inOne("build", [one])),
  ].flatMap((one) => (one === undefined ? [] : fitted(one, adapt)));
}

/** It readies the tool that installs, or the whole machine, and not the package. */
const isSideline = (command: string): boolean =>
  /(?:^|\s)(?:-g|--global)(?:\s|$)|^(?:python[\d.]* -m )?pip[\d.]* install (?:(?:-U|--upgrade)\s+)?(?:pip|setuptools|wheel|poetry|uv|pdm|pipenv|hatch|\s)+$|^bundle check|\s--only-/u.test(
    command,
  );

function inOne(kind: CommandKind, commands: readonly CiCommand[]): Candidate | undefined {
  const [first] = commands;
  if (first === undefined) return undefined;
  const seen = new Map<string, CiCommand>();
  for (const one of commands) {
    const key = `${one.folder} ${one.command}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  const unique = [...seen.values()].slice(0, maxJoined);
  const sameFolder = unique.every(({ folder }) => folder === first.folder);
  const joint = inTurn(unique.map(({ folder, command }) => ({ folder: sameFolder ? "." : folder, command })));
  const kept = isFit(joint) ? unique : [first];
  const doubt = first.doubt ?? doubtOf(kind, first.scope);
  return {
    kind,
    command: isFit(joint) ? joint : first.command,
    folder: isFit(joint) && !sameFolder ? "." : first.folder,
    source: "ci",
    evidence: kept.map(({ evidence }) => evidence),
    reason: "the workflows run it for changes under review",
    ...doubtful(doubt),
  };
}

const doubtful = (doubt: string | undefined): Pick<Candidate, "doubt"> =>
  doubt === undefined ? {} : { doubt };

const doubtOf = (kind: CommandKind, scope: Scope): string | undefined =>
  scope === "plain" || kind === "setup"
    ? undefined
    : scope === "part"
      ? partDoubt
      : kind === "test"
        ? "it looks like a longer suite"
        : undefined;

/** What documents show for one package. */
export const fromReadme = (commands: readonly ReadmeCommand[], adapt: Look["adapt"]): readonly Candidate[] =>
  commands.flatMap(({ kind, command, folder, evidence, scope }) =>
    fitted(
      {
        kind,
        command,
        folder,
        source: "readme",
        evidence: [evidence],
        reason: `${evidence.path} tells people to type it`,
        ...doubtful(doubtOf(kind, scope)),
      },
      adapt,
    ),
  );

function fitted(candidate: Candidate, adapt: Look["adapt"]): readonly Candidate[] {
  const command = adapt === undefined ? candidate.command : adapt(candidate);
  if (command === undefined) return [];
  return command === candidate.command
    ? [candidate]
    : [
        {
          ...candidate,
          command,
          made: "to fit",
          reason: `${candidate.reason}, written so that it runs here`,
        },
      ];
}
