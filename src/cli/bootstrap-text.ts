/** What `forgehand bootstrap` answers, for people and as data. */
import { styleText } from "node:util";
import type { Detected } from "../../bootstrap/detect/detected.ts";
import { commandKinds } from "../../bootstrap/generate.ts";
import type { Plan } from "../../bootstrap/plan.ts";
import {
  deedOf,
  placeOf,
  purposes,
  sureness,
  warningsOf,
  type VerifiedCommand,
} from "../../bootstrap/says-onboarding.ts";
import type { ExitCode } from "../problems.ts";
import { plain, terminal, type Answer } from "./output.ts";

/** What came of it, in a word. */
export type Outcome =
  | "opened"
  | "updated"
  | "unchanged"
  | "nothing-to-do"
  | "set-up"
  | "declined"
  | "update-available"
  | "would-change"
  | "written";

export interface Told {
  readonly repository: string;
  readonly outcome: Outcome;
  /** The sentence that says it, and what to do next. */
  readonly says: string;
  readonly exit?: ExitCode;
  readonly plan?: Plan;
  readonly detected?: Detected;
  readonly warnings?: readonly string[];
  readonly verified?: readonly VerifiedCommand[] | undefined;
  /** As `git apply` takes it. */
  readonly patch?: string;
  readonly pull?: { readonly number: number; readonly url: string };
  readonly branch?: { readonly name: string; readonly head: string };
  readonly labels?: { readonly created: readonly string[]; readonly missing: readonly string[] };
  readonly ticket?: number | undefined;
  readonly hint?: string;
}

/** Nothing is left to propose, and `--update` would only say so. */
export const onlyConflicts = (name: string): string =>
  `${name} differs from what would be generated now, but only where people edited the same lines (the files with "conflict" above). --update leaves those as they are; settle them by hand.`;

export function answerOf(told: Told): Answer {
  const { plan, detected, warnings = [] } = told;
  const worth =
    plan === undefined || detected === undefined ? warnings : warningsOf({ plan, detected, warnings });
  return {
    schema: "bootstrap/1",
    data: {
      repository: told.repository,
      outcome: told.outcome,
      says: told.says,
      pull: told.pull ?? null,
      branch: told.branch ?? null,
      commands: detected === undefined ? null : detected.commands,
      changes: (plan?.changes ?? []).map((one) => ({ path: one.path, is: deedOf(one), why: one.why })),
      kept: plan?.kept ?? [],
      warnings: worth,
      verified: told.verified ?? null,
      labels: told.labels ?? null,
      ticket: told.ticket ?? null,
      patch: told.patch ?? null,
    },
    text: textOf(told, worth),
    ...(told.exit === undefined ? {} : { exit: told.exit }),
    ...(told.hint === undefined ? {} : { hint: told.hint }),
  };
}

function textOf(told: Told, warnings: readonly string[]): string {
  const { plan, detected, verified = [], patch } = told;
  const parts = [
    detected === undefined ? "" : section("Found", commandLines(detected)),
    section(
      "Run once",
      verified.flatMap(({ command, is, seconds, tail }) => [
        `${command}: ${is} (${seconds} s)`,
        ...(tail === "" ? [] : tail.split("\n").map((line) => `  ${line}`)),
      ]),
    ),
    plan === undefined
      ? ""
      : section(
          "Files",
          plan.changes.map((one) => `${deedOf(one).padEnd(7)} ${one.path}: ${one.why}`),
        ),
    plan === undefined
      ? ""
      : section(
          "Left as they are",
          plan.kept.map(({ path, is, why }) => `${is.padEnd(8)} ${path}: ${why}`),
        ),
    section("Worth a look", warnings),
    section("Labels created", told.labels?.created ?? []),
    patch === undefined || patch === "" ? "" : plain(patch).trimEnd(),
    told.says,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

const section = (title: string, lines: readonly string[]): string =>
  lines.length === 0
    ? ""
    : [
        styleText("bold", title, { stream: process.stdout, validateStream: !terminal.isTty }),
        ...lines.map((line) => `  ${plain(line.replaceAll("\n", " "))}`),
      ].join("\n");

const commandLines = ({ commands }: Detected): readonly string[] =>
  commandKinds.map((kind) => {
    const found = commands[kind];
    if (found === undefined) return `${purposes[kind].padEnd(6)} none found`;
    const [first] = found.evidence;
    return `${purposes[kind].padEnd(6)} ${found.command}   (${first === undefined ? "by custom" : placeOf(first)}, ${sureness[found.confidence]})`;
  });
