/** Keys and values of configuration, whatever it is written in, line by line. */
import type { DiffLine } from "../diff.ts";

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
  readonly text: string;
}

const pair =
  /^\s{0,200}(?:-\s{1,3})?["']?([\w@./*:!-]{1,120}?)["']?\s{0,20}(?::|=>|\+?=|,(?=\s{0,3}["'\d]))\s{0,20}(.{0,4000}?)[,;]?\s{0,20}$/u;
const element = /^\s{0,200}<([\w.-]{1,80})(?:\s[^>]{0,200})?>\s{0,20}([^<]{0,400})(?:<\/|$)/u;
const call = /^\s{0,200}([\w.]{1,80})\s{0,3}\(?\s{0,3}(["'\d:].{0,400}?|true|false)\)?\s{0,3};?$/u;

export function entryOf({ text, line }: DiffLine): Entry | undefined {
  if (/^\s{0,200}(?:\/\/|#|<!--|\*|\/\*)/u.test(text)) return undefined;
  const cut = text.slice(0, 4_000).replace(/\s{1,20}(?:\/\/|#)\s.{0,400}$/u, "");
  for (const form of [element, pair, call]) {
    const match = form.exec(cut);
    if (match?.[1] !== undefined) return { key: match[1], value: (match[2] ?? "").trim(), line, text };
  }
  return undefined;
}

/** How hard a rule bites; undefined for what is no severity. */
export function severityOf(value: string): number | undefined {
  const word = /^[[{(\s]{0,6}(?:level\s{0,3}[=:]\s{0,3})?["']?(\w{1,20})["']?/u
    .exec(value)?.[1]
    ?.toLowerCase();
  switch (word) {
    case "off":
    case "allow":
    case "none":
    case "silent":
    case "ignore":
    case "disable":
    case "disabled":
    case "never":
    case "0":
      return 0;
    case "warn":
    case "warning":
    case "suggestion":
    case "info":
    case "1":
      return 1;
    case "error":
    case "deny":
    case "forbid":
    case "2":
    case "on":
      return 2;
    default:
      return undefined;
  }
}

export function booleanOf(value: string): boolean | undefined {
  const word = /^["']?(true|false|yes|no|enable|disable)["']?\b/iu.exec(value)?.[1]?.toLowerCase();
  return word === undefined ? undefined : word === "true" || word === "yes" || word === "enable";
}

export function numberOf(value: string): number | undefined {
  const found =
    /^[("'\s<>=~+]{0,6}(-?\d{1,12}(?:[\d_]{0,12})(?:\.\d{1,12})?)(?=["'\s,;)%.}]|[a-zA-Z]{0,12}|$)/u.exec(
      value,
    )?.[1];
  return found === undefined ? undefined : Number(found.replaceAll("_", ""));
}

export const itemsOf = (value: string): readonly string[] =>
  value.split(/[\s,;|[\](){}"'`]+/u).filter((one) => /[\w*]/u.test(one));

/** True as hard, or false as lax. */
export const hardens =
  /^(?:strict\w{0,40}|no[A-Z_-]\w{0,60}|no_\w{1,60}|exactOptionalPropertyTypes|useUnknownInCatchVariables|alwaysStrict|check\w{0,40}|disallow_\w{1,60}|warn_\w{1,60}|xfail_strict|fail\w{0,40}|failOn\w{1,40}|failsOn\w{1,40}|enforce\w{0,40}|require\w{0,40}|Enabled|enabled|TreatWarningsAsErrors|Nullable|EnforceCodeStyleInBuild|EnableNETAnalyzers|RunAnalyzers\w{0,30}|isolatedModules|forbidOnly|allWarningsAsErrors|warningsAsErrors|haltOnFailure|isolate|branch|all|deny\w{0,20}|reportUnused\w{0,40}|isFailOnViolation|enforcing|haltOnError|linkXRef|parallel_strict|useJUnitPlatform|consoleOutputStrict|strict-\w{1,30}|filter_sensitive)$/u;
export const laxes =
  /^(?:skip\w{0,40}|ignoreFailures|ignore_failures|isIgnoreFailures|testFailureIgnore|passWithNoTests|allow\w{0,60}|ignore_missing_imports|ignore_errors|continue-on-error|continueOnError|suppress\w{0,60}|dangerouslyIgnoreUnhandledErrors|maven\.test\.\w{1,30}|isEnabledFalse|follow_untyped_imports|quiet|disabled|noEmitOnErrorOff|bypass\w{0,30})$/u;
export const leavesOut =
  /(?:ignor|exclu|omit|disabl|skip|suppress|nowarn|noWarn|allowlist|whitelist|deselect|norecursedirs|WarningsNotAsErrors|quarantine|baseline|modulePathIgnore|add_filter|unmockedModule|sonar\.cpd|filter_sensitive|per-file)/iu;
export const takesIn =
  /^(?:enable|enables|select|extend-select|include|includes|testMatch|testRegex|testDir|roots|projects|rules|extends|plugins|testpaths|python_files|python_functions|python_classes|spec|files|include-packages|linters|cops|require|modules|checks|hooks|sources?|packages|presets|repos|overrides|test|suites?|targets)$/iu;
export const isThreshold =
  /^(?:lines?|branch(?:es)?|functions?|statements?|coverage|(?:global_)?thresholds?|minimum|min(?:imum)?[-_]?(?:line[-_]?|branch[-_]?)?coverage\w{0,20}|fail[-_]under|target|break|low|high|mutation\w{0,20}|cov-fail-under|\w{0,20}COVER\w{0,20}|line[-_]?coverage|branch[-_]?coverage|coverageThreshold|minimumCoverage\w{0,20}|minCoverage|coveredratio|ThresholdStat|Threshold|refuse_coverage_drop|per_file|score)$/iu;
export const isRetry =
  /^(?:retr(?:y|ies)|retryTimes|reruns|rerun\w{0,30}|maxRetries|max_retries|maxFailures|flaky\w{0,20}|retry_count|rerunFailingTestsCount|jest\.retryTimes|retries_\w{1,20})$/iu;
export const isTimeout = /(?:timeout|timeoutMs|slow_?test_?threshold|maxTimeout)$/iu;
export const isLintLimit =
  /^(?:max[-_]?(?:warnings|complexity|lines\S{0,30}|params|depth|statements|nested\S{0,30}|classes|len|issues\S{0,30}|same-issues|errors|allowed\S{0,20})|cyclomatic\S{0,30}|Max|complexity|cognitive\S{0,30}|min-complexity|maximum\w{0,30}|maxAllowedViolations|allowedViolations|maxWarnings)$/u;
