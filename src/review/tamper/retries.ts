/** Tests that may take longer, or are tried until they pass. */
import type { Change, Program, SideLine } from "./change.ts";
import { masked, readable } from "./code.ts";
import type { Hit } from "./hit.ts";
import { changedOf } from "./tests.ts";

const retried =
  /\bretryTimes\(|\bthis\.retries\(|[{,]\s{0,3}(?:retry|retries)\s{0,3}:\s{0,3}[1-9]|@(?:pytest\.mark\.)?flaky\b|@(?:Retry\w{0,20}|RetryingTest|RepeatedIfExceptionsTest|FlakyTest)\b|\[Retry\(|\bretryAnalyzer\b|\bretry\s{0,3}:\s{0,3}\d|\brerun_failures\b|\bmark\.flaky\b|\bnextest\b.{0,40}retries|\bRetryFact\b|\bretries\s{0,3}=\s{0,3}[1-9]/u;
const timed = /\b(?:set)?timeout\w{0,10}\b|\bdeadline\b|\bTimeout\b/iu;

export function findRetries({ tests }: Change): readonly Hit[] {
  return tests.flatMap((program) => {
    if (program.file.is === "deleted" || program.file.is === "added") return [];
    const tried = (side: "old" | "now"): readonly SideLine[] =>
      changedOf(program, side).filter(({ code }) => retried.test(code));
    const now = tried("now");
    const first = now.length > tried("old").length ? now[0] : undefined;
    const longer = first === undefined ? longerIn(program) : undefined;
    const path = program.file.path;
    if (first !== undefined)
      return [
        {
          rule: "retries-raised" as const,
          path,
          line: first.at,
          reason: "a failing test is tried more often",
        },
      ];
    if (longer !== undefined)
      return [
        { rule: "retries-raised" as const, path, line: longer.at, reason: "a test may take much longer" },
      ];
    return [];
  });
}

/** The same line with a time that is at least twice as long. */
function longerIn(program: Program): SideLine | undefined {
  return program.parts
    .flatMap(({ old, now }) => {
      const before = old.filter(({ isChanged, code }) => isChanged && timed.test(code));
      return now.filter(
        (line) =>
          line.isChanged &&
          timed.test(line.code) &&
          before.some(
            ({ code }) => masked(code) === masked(line.code) && lastNumber(line.code) >= 2 * lastNumber(code),
          ),
      );
    })
    .at(0);
}

const lastNumber = (code: string): number =>
  Number((code.match(/\d[\d_]{0,20}(?:\.\d{1,20})?/gu)?.at(-1) ?? "NaN").replaceAll("_", ""));

/** Lines that are too long to be judged, where a test could hide what it does. */
export function findUnreadable({ tests, sources }: Change): readonly Hit[] {
  return [...tests, ...sources].flatMap((program) => {
    if (!program.isTest) return [];
    const line = changedOf(program, "now").find(({ text }) => text.length > readable);
    if (line === undefined) return [];
    return [
      {
        rule: "line-unreadable" as const,
        path: program.file.path,
        line: line.at,
        reason: `a line of ${line.text.length} characters cannot be judged`,
      },
    ];
  });
}
