import type { Candidate } from "./candidate.ts";
import { choose } from "./choose.ts";
import type {
  CommandFound,
  CommandKind,
  CommandsFound,
  Confidence,
  DetectionWarning,
  PackageFound,
} from "./detected.ts";
import type { Gathered } from "./gather.ts";
import { isAside } from "./packages.ts";
import { inTurn, isFit } from "./shell.ts";

/** More packages than this make a line that nobody reads. */
const maxCombined = 4;
const commandKinds = ["setup", "test", "lint", "build"] as const satisfies readonly CommandKind[];

/** What every candidate of a purpose comes to. */
export function commandsFrom(candidates: readonly Candidate[]): CommandsFound {
  const found: Partial<Record<CommandKind, CommandFound>> = {};
  for (const kind of commandKinds) {
    const chosen = choose(candidates.filter((one) => one.kind === kind));
    if (chosen !== undefined) found[kind] = chosen;
  }
  return found;
}

export interface WholeIn {
  readonly main: readonly Gathered[];
  readonly packages: readonly PackageFound[];
  /** What runs tasks at the root, whatever it is they run. */
  readonly shared: readonly Candidate[];
}

/** The commands of the whole repository: of its one package, of its own runner of tasks, else of each package in turn. */
export function wholeCommands({ main, packages, shared }: WholeIn): {
  readonly commands: CommandsFound;
  readonly warnings: readonly DetectionWarning[];
} {
  const [only] = main;
  if (only === undefined) return { commands: commandsFrom(shared), warnings: [] };
  if (main.length === 1) return { commands: commandsFrom([...only.candidates, ...shared]), warnings: [] };
  const owned = main.flatMap(
    ({ folder, look }) =>
      packages.find((one) => one.folder === folder && one.ecosystem === look.ecosystem) ?? [],
  );
  const judged = owned.filter(({ commands }) => commands.test !== undefined || commands.lint !== undefined);
  const commands: Partial<Record<CommandKind, CommandFound>> = {};
  const warnings: DetectionWarning[] = [];
  const own = commandsFrom(shared);
  for (const kind of commandKinds) {
    const parts = (kind === "setup" ? judged : owned).flatMap((one) =>
      one.commands[kind] === undefined ? [] : [{ folder: one.folder, found: one.commands[kind] }],
    );
    const found =
      own[kind] ?? (parts.length > maxCombined ? undefined : combined(parts.map((part) => part.found)));
    if (found !== undefined) commands[kind] = withParts(found, own[kind] === undefined ? [] : parts);
    else if (parts.length > 0)
      warnings.push({
        code: "several-packages",
        message: `${parts.length} packages have a command for ${kind} (${parts
          .slice(0, 8)
          .map(({ folder }) => folder)
          .join(
            ", ",
          )}${parts.length > 8 ? ", …" : ""}), too many for one line: write one that runs what should be run for every change.`,
        evidence: parts.flatMap((part) => part.found.evidence.slice(0, 1)).slice(0, 8),
      });
  }
  return { commands, warnings };
}

/**
 * Those a change is judged by. Where the root has tests, a package below counts if the workflows test it too, or if no
 * workflow says anything and it is of another kind.
 */
export function mainOf(gathered: readonly Gathered[]): readonly Gathered[] {
  const central = gathered.filter(({ folder }) => !isAside(folder));
  const all = central.length > 0 ? central : gathered;
  const tested = (one: Gathered): boolean => one.candidates.some(({ kind }) => kind === "test");
  const inWorkflows = (one: Gathered): boolean =>
    one.candidates.some(({ kind, source }) => kind === "test" && source === "ci");
  const atRoot = all.filter(({ folder }) => folder === ".");
  const root = atRoot.filter(tested);
  if (root.length === 0) return all;
  const silent = !all.some(inWorkflows);
  return all.filter(
    (one) =>
      one.folder === "." ||
      inWorkflows(one) ||
      (silent && root.every(({ look }) => look.ecosystem !== one.look.ecosystem)),
  );
}

const rank: readonly Confidence[] = ["guess", "likely", "sure"];

/** Each in turn, in its own folder; no surer than the least of them, and than that nobody wrote it as one line. */
function combined(parts: readonly CommandFound[]): CommandFound | undefined {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first;
  const command = inTurn(
    parts.map((part) => ({
      folder: ".",
      command: part.command.startsWith("cd ") ? `(${part.command})` : part.command,
    })),
  );
  if (!isFit(command)) return undefined;
  const least = Math.min(1, ...parts.map(({ confidence }) => rank.indexOf(confidence)));
  return {
    command,
    evidence: parts.flatMap(({ evidence }) => evidence.slice(0, 2)),
    confidence: rank[least] ?? "guess",
    reason: `${parts.length} packages have one each, and nothing in the repository runs them together`,
    alternatives: [],
  };
}

/** Beside what runs all, what runs each. */
function withParts(found: CommandFound, parts: readonly { readonly found: CommandFound }[]): CommandFound {
  if (parts.length === 0) return found;
  const seen = new Set([found.command, ...found.alternatives.map(({ command }) => command)]);
  const more = parts
    .filter((part) => !seen.has(part.found.command))
    .slice(0, maxCombined)
    .map((part) => ({
      command: part.found.command,
      evidence: part.found.evidence,
      reason: "it is for one package alone",
    }));
  return { ...found, alternatives: [...found.alternatives, ...more] };
}
