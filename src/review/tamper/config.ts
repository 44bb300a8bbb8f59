/** Checks that were told to check less. */
import type { DiffFile, DiffLine } from "../diff.ts";
import type { Change } from "./change.ts";
import { checksLess, runsCheck, weakenedBy } from "./commands.ts";
import { isCheckConfig, isCi, isManifest, isScript } from "./config-files.ts";
import {
  booleanOf,
  entryOf,
  hardens,
  isLintLimit,
  isRetry,
  isThreshold,
  isTimeout,
  itemsOf,
  laxes,
  leavesOut,
  numberOf,
  severityOf,
  takesIn,
  type Entry,
} from "./config-values.ts";
import { isLockfile } from "../protected-paths.ts";
import type { Hit, Rule } from "./hit.ts";
import { lostItems } from "./config-lists.ts";
import { languageOf } from "./paths.ts";

interface Sign {
  readonly rule: Rule;
  readonly line: number;
  readonly reason: string;
}

export function findConfig({ files }: Change): readonly Hit[] {
  return files.flatMap((file) => {
    const { path, oldPath } = file;
    const found = signs(file);
    const kinds = new Map(found.map((sign) => [sign.rule, sign]));
    const hits: Hit[] = [...kinds.values()].map((sign) => ({ path, ...sign }));
    // Who edits what decides whether all is well is looked at, whatever the edit.
    if ((isCi(path) || isCi(oldPath)) && file.is !== "added")
      return [
        {
          rule: "ci-edited",
          path,
          line: found[0]?.line ?? placeOf(file),
          reason: found[0]?.reason ?? "what runs the checks was edited",
        },
      ];
    if (file.is === "deleted" && isCheckConfig(path))
      return [{ rule: "config-weakened", path, reason: "the configuration of a check was deleted" }];
    return hits;
  });
}

const placeOf = ({ added, removed }: DiffFile): number => added[0]?.line ?? removed[0]?.line ?? 1;

function signs(file: DiffFile): readonly Sign[] {
  const { path } = file;
  const isConfig = isCheckConfig(path) || isCheckConfig(file.oldPath);
  if (isLockfile(path)) return [];
  if (!isConfig && !isManifest(path) && !isScript(path)) return thresholdsElsewhere(file);
  const more = [...tooLong(file), ...(isConfig ? moreLeftOut(file) : [])];
  if (file.is === "added") return [...commands(file), ...more];
  const [old, now] = unpaired(file);
  return [
    ...commands(file),
    ...more,
    ...pairsOf(old, now).flatMap(([before, after]) => {
      const sign = judge(before, after, isConfig && !isScript(path));
      return sign === undefined ? [] : [sign];
    }),
    ...(isConfig || isManifest(path)
      ? lostItems(file).map((sign) => ({ rule: "config-weakened" as const, ...sign }))
      : []),
  ];
}

/** Files that only say what is left out. */
function moreLeftOut({ path, added, removed }: DiffFile): readonly Sign[] {
  const says = ({ text }: DiffLine): boolean =>
    /[\w*]/u.test(text) && !/^\s{0,200}(?:#|\/\/|<!--)/u.test(text);
  const first = added.filter(says);
  if (
    !/(?:ignore|suppress|exclu|baseline|_todo|allowlist)[^/]*$/iu.test(path) ||
    first.length <= removed.filter(says).length
  )
    return [];
  return [{ rule: "config-weakened", line: first[0]?.line ?? 1, reason: "more is left out of a check" }];
}

/** Entries that are not on both sides alike. */
function unpaired({ added, removed }: DiffFile): readonly [Entry[], Entry[]] {
  const old = removed.flatMap((line) => entryOf(line) ?? []);
  const now = added.flatMap((line) => entryOf(line) ?? []);
  const whole = ({ key, value }: Entry): string => `${key}\0${value}`;
  const [before, after] = [new Set(old.map(whole)), new Set(now.map(whole))];
  return [old.filter((one) => !after.has(whole(one))), now.filter((one) => !before.has(whole(one)))];
}

type Pairing = readonly [Entry | undefined, Entry | undefined];

function pairsOf(old: readonly Entry[], now: readonly Entry[]): readonly Pairing[] {
  const open = Map.groupBy(now, ({ key }) => key);
  const pairs = old.map((before): Pairing => [before, open.get(before.key)?.shift()]);
  return [...pairs, ...[...open.values()].flat().map((after): Pairing => [undefined, after])];
}

function judge(before: Entry | undefined, after: Entry | undefined, isConfig: boolean): Sign | undefined {
  const entry = after ?? before;
  if (entry === undefined) return undefined;
  const { key, line } = entry;
  const name = key.slice(key.lastIndexOf(".") + 1);
  const weakened = (reason: string): Sign => ({ rule: "config-weakened", line, reason });
  const [was, is] = [before, after].map((one) => (one === undefined ? undefined : numberOf(one.value)));
  if (isThreshold.test(name) && was !== undefined && (is === undefined || is < was))
    return {
      rule: "threshold-lowered",
      line,
      reason: `the threshold \`${name.slice(0, 40)}\` was lowered or removed`,
    };
  if (isRetry.test(name) && is !== undefined && is > (was ?? 0))
    return { rule: "retries-raised", line, reason: "a failing test is tried more often" };
  if (isTimeout.test(name) && was !== undefined && is !== undefined && is >= 2 * was && isConfig)
    return { rule: "retries-raised", line, reason: "tests may take much longer" };
  if (isLintLimit.test(name) && was !== undefined && is !== undefined && is > was)
    return weakened("a limit of a linter was raised");
  const [flag, flagWas] = [after, before].map((one) =>
    one === undefined ? undefined : booleanOf(one.value),
  );
  if (hardens.test(name) && (flag === false || (flagWas === true && after === undefined)))
    return weakened("a check was made less strict");
  if (laxes.test(name) && flag === true) return weakened("a check was made less strict");
  return judgeMore(before, after, name, weakened, isConfig);
}

function judgeMore(
  before: Entry | undefined,
  after: Entry | undefined,
  name: string,
  weakened: (reason: string) => Sign,
  isConfig: boolean,
): Sign | undefined {
  const [items, had] = [after, before].map((one) => itemsOf(one?.value ?? ""));
  if (
    leavesOut.test(name) &&
    (items ?? []).some((one) => !(had ?? []).includes(one)) &&
    booleanOf(after?.value ?? "") === undefined
  )
    return weakened("more is left out of a check");
  const [bites, bit] = [after, before].map((one) => (one === undefined ? undefined : severityOf(one.value)));
  if (!isConfig)
    return bites !== undefined && bit !== undefined && bites < bit
      ? weakened("a rule was switched off or only warns")
      : undefined;
  const isRule =
    /[-/:@]|^[a-z]+[A-Z]|^[A-Z]{1,5}\d|_|^(?:eqeqeq|curly|camelcase|radix|yoda|pedantic|nursery|all|warnings|unused|severity)$/u.test(
      name,
    ) || before !== undefined;
  if (bites !== undefined && isRule && bites < (bit ?? 2) && !(bit === undefined && bites === 1))
    return weakened("a rule was switched off or only warns");
  if (bit !== undefined && bit > 0 && after === undefined) return weakened("a rule was taken out");
  if (takesIn.test(name) && (had ?? []).some((one) => !(items ?? []).includes(one)))
    return weakened("a check takes in less than before");
  return undefined;
}

/** Longer, no line of configuration is judged; that it is there is told. */
const longest = 4_000;

const cut = (lines: readonly DiffLine[]): readonly DiffLine[] =>
  lines.slice(0, mostCommands).map(({ text, line }) => ({ text: text.slice(0, longest), line }));

function tooLong({ added }: DiffFile): readonly Sign[] {
  const long = added.find(({ text }) => text.length > longest);
  if (long === undefined) return [];
  const reason = `a line of ${long.text.length} characters cannot be judged`;
  return [{ rule: "line-unreadable", line: long.line, reason }];
}

/** No file of commands is read further. */
const mostCommands = 1_000;

/** Lines that run checks, wherever they stand. */
function commands({ path, ...lines }: DiffFile): readonly Sign[] {
  const [added, removed] = [cut(lines.added), cut(lines.removed)];
  const isRun = ({ text }: { readonly text: string }): boolean =>
    !dependency.test(text) && (runsCheck(text) || (isManifest(path) && checkScript.test(text)));
  const before = removed.filter(isRun);
  const open = [...added];
  const found: Sign[] = [];
  for (const { text, line } of before) {
    // One is enough to take a person, and no list of them is read to its end.
    if (found.length > 0) break;
    const name = scriptName(text);
    const same = open.filter((one) => isRun(one) || /^\s{0,200}(?:run|script|-|"\w)/u.test(one.text));
    const after =
      same.find((one) => name !== undefined && scriptName(one.text) === name) ??
      (name === undefined
        ? (same.find((one) => runsCheck(one.text) && checksLess(one.text, text) === undefined) ??
          same.find((one) => runsCheck(one.text)))
        : undefined);
    if (after !== undefined) open.splice(open.indexOf(after), 1);
    const reason = after === undefined ? "a check is not run any more" : checksLess(after.text, text);
    if (reason !== undefined) found.push({ rule: "script-weakened", line: after?.line ?? line, reason });
  }
  const earlier = removed
    .map(({ text }) => text)
    .join("\n")
    .slice(0, 20_000);
  for (const { text, line } of open) {
    const isCheck =
      isRun({ text }) ||
      /\bcontinue-on-error|\ballow_failure|\baddopts\b|\bset\s{1,3}\+e|\bSNAPSHOT|\bretr/iu.test(text);
    const reason = isCheck ? weakenedBy(text, earlier) : undefined;
    if (reason === undefined) continue;
    found.push({ rule: "script-weakened", line, reason });
    break;
  }
  return found;
}

/** A tool that is only named, with its version. */
const dependency =
  /^\s{0,40}["']?@?[\w./@-]{1,100}["']?\s{0,5}[:=]\s{0,5}["'](?:[~^<>=v]{0,3}\s?\d|workspace:|npm:|latest|\*)/u;
const checkScript =
  /^\s{0,20}"(?:(?:pre|post)?(?:test|lint|check|typecheck|type-check|types|verify|validate|coverage|e2e|ci)|format:check|prepush|precommit|prepublishOnly)[\w:-]{0,40}"\s{0,3}:/u;
const scriptName = (text: string): string | undefined => /^\s{0,20}"([\w:-]{1,60})"\s{0,3}:/u.exec(text)?.[1];

const configuring = /(?:config|setup|conftest|noxfile|gradle|rakefile|tasks?|helper)[^/]*$/iu;

/** Thresholds are also kept where nothing else is that a check reads. */
function thresholdsElsewhere(file: DiffFile): readonly Sign[] {
  if (file.is !== "modified" || (languageOf(file.path) !== undefined && !configuring.test(file.path)))
    return [];
  const [old, now] = unpaired(file);
  return pairsOf(old, now).flatMap(([before, after]) => {
    const sign = judge(before, after, false);
    return sign?.rule === "threshold-lowered" || sign?.rule === "retries-raised" ? [sign] : [];
  });
}
