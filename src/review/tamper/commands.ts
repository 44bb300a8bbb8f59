/** Commands that run checks, and what takes their force. */

/** What runs tests, linters or type checks. */
const tool =
  /(?<![\w./-])(?:go\s{1,3}(?:test|vet)|cargo\s{1,3}(?:\+\w{1,20}\s{1,3})?(?:test|clippy|nextest|fmt|check|tarpaulin|llvm-cov|deny|audit)|(?:npm|pnpm|yarn|bun)\s{1,3}(?:run\s{1,3}|-s\s{1,3}){0,2}(?:test|t|lint|check|typecheck)\b|npx\s{1,3}\w{1,30}|jest|vitest|mocha|ava|tap|playwright\s{1,3}test|cypress\s{1,3}run|node\s{1,3}--test|pytest|py\.test|tox|nox|python3?\s{1,3}-m\s{1,3}(?:pytest|unittest|mypy|coverage)|ruff|flake8|pylint|mypy|pyright|black|bandit|coverage\s{1,3}report|eslint|oxlint|biome|prettier|tsc|vue-tsc|stylelint|knip|golangci-lint|staticcheck|gosec|govulncheck|mvnw?|\.?\/?gradlew?|dotnet\s{1,3}(?:test|format|build)|rspec|rubocop|rake|rails\s{1,3}test|brakeman|sorbet|srb|phpunit|phpstan|ctest|swift\s{1,3}test|mix\s{1,3}(?:test|credo|dialyzer)|nyc|c8|stryker|semgrep|shellcheck|hadolint|ctest|make\s{1,3}(?:test|lint|check))(?![\w-])/u;
const failureIgnored =
  /\|\|\s{0,3}(?:true|:|exit\s{1,3}0|echo\b|\/bin\/true|cd\s{1,3}\.)|;\s{0,3}(?:true|exit\s{1,3}0)\s{0,3}["',]?\s{0,3}$|\bset\s{1,3}\+e\b|^\s{0,20}-\s?(?:@)?(?=go |npm |cargo |pytest|mvn|make |dotnet |bundle )|\bcontinue-on-error\s{0,3}:\s{0,3}true|\ballow_failure\s{0,3}:\s{0,3}true|\bcontinueOnError\s{0,3}:\s{0,3}true|--exit-zero\b|--exit-code[= ]0|--no-fail\b|--force-exit-success|--issues-exit-code[= ]0|\bsoft_fail\b|--quiet-exit/u;
const fewer =
  /--passWithNoTests|--pass-with-no-tests|--test(?:Path|Name)IgnorePatterns?|--testPathIgnorePatterns|--testPathPatterns?|--testNamePattern|--ignore(?:=|-glob|\s)|--ignore-pattern|--deselect|-k\s{1,3}["'\\]{0,3}not\b|-m\s{1,3}["'\\]{0,3}not\b|--exclude\b|--exclude-path|--skip\b|-skip[= ]|(?<=test.{0,80})\s-short\b|(?<=test.{0,80})\s-run[= ]|--no-run\b|--lib\b|--onlyChanged|--changedSince|--only-changed|--lf\b|--last-failed|--co\b|--collect-only|--dry-run|--listTests|--list-tests|--no-verify|--no-error-on-unmatched|-D(?:skipTests|skipITs|maven\.test\.(?:skip|failure\.ignore)|skip\w{0,30}|test\.skip)\b|-DtestFailureIgnore|-x\s{1,3}(?:test|check|lint\w{0,20})\b|-Dtest=|--filter[= ]|--tag\s{1,3}~|--exclude-(?:tags?|dir|pattern)|--grep\s.{0,60}--invert|-i\s{1,3}--invert|--invert\b|--cap-lints|-A\s{1,3}(?:warnings|clippy)|--noEmitOnError\s{1,3}false|--skipLibCheck|--max-warnings[= ](?!0\b)|--disable[= ]|--disable-error-code|--follow-imports[= ]skip|--ignore-missing-imports|-p\s{1,3}no:|--no-strict\w{0,20}|--noconftest|--no-lint|--no-coverage|--no-cov\b|--coverage[= ]false|-warnaserror-|\/nowarn|--no-restore-errors/u;
const renewed =
  /(?:--update-?[Ss]napshots?|--updateSnapshot|--snapshot-update|--inline-snapshot=(?:fix|create)|\b(?:UPDATE_SNAPSHOTS?|UPDATE_GOLDEN|INSTA_UPDATE|UPDATE_EXPECT|SNAPSHOT_UPDATE|BLESS)=|(?:jest|vitest|playwright test|ava)\b.{0,80}\s-u\b|\s-update\b|insta\s{1,3}(?:accept|test\s.{0,40}--accept))/u;
const retried =
  /--retr(?:y|ies)(?:-times)?[= ]\d|--reruns[= ]\d|--retryTimes|--flaky|-Dsurefire\.rerunFailingTestsCount|--rerun-fails|--nb-retries|--max-retries[= ]\d|--test-timeout[= ]\d|\bretry\s{1,3}-?-?\w{0,12}\s{0,3}\d/u;
const strict =
  /(?<=\s)(?:-race|--strict|--max-warnings[= ]0|-D\s{0,3}warnings|-Dwarnings|-Werror|--cov\S{0,40}|--coverage|--all-targets|--all-features|--workspace|--check|--ci|--fail-\S{1,30}|--warnaserror|-warnaserror|--frozen\S{0,20}|--locked|-W\s{1,3}error|--error-on-warnings|--deny-warnings|--noEmit|--bail|--runInBand|--forbid-only|--randomize|-shuffle\S{0,5}|-vet=all)(?=\s|$|["'])|\bset\s{1,3}-\w{0,4}e|\bpipefail\b/gu;

export const runsCheck = (line: string): boolean => tool.test(line);

/** What takes force from a command that was not there before; undefined when nothing does. */
export function weakenedBy(now: string, before: string): string | undefined {
  const ways: readonly (readonly [RegExp, string])[] = [
    [failureIgnored, "the failure of a check is ignored"],
    [fewer, "a check looks at less than before"],
    [renewed, "a check records its expectations anew"],
    [retried, "a failing check is tried again"],
  ];
  return ways.find(
    ([pattern]) => pattern.test(now) && pattern.exec(before)?.[0] !== pattern.exec(now)?.[0],
  )?.[1];
}

/** Why one command checks less than another did; undefined when it does not. */
export function checksLess(now: string, before: string): string | undefined {
  const weakened = weakenedBy(now, before);
  if (weakened !== undefined) return weakened;
  const had = before.match(strict) ?? [];
  if (had.some((flag) => !now.includes(flag.trim()))) return "a check lost a strict option";
  const ran = allTools(before);
  const runs = new Set(allTools(now));
  if (ran.some((one) => !runs.has(one))) return "a check is not run any more";
  if (now.trim() === before.trim() || ran.length === 0) return undefined;
  const lost = words(before).filter((word) => !words(now).includes(word));
  if (
    lost.some(
      (word) =>
        !word.startsWith("-") && /[\w./*]/u.test(word) && !/^v?\d/u.test(word) && !/^\w+=/u.test(word),
    )
  )
    return "a check looks at less than before";
  return isNarrowed(now, before) ? "a check looks at less than before" : undefined;
}

const allTools = (command: string): readonly string[] =>
  (command.match(new RegExp(tool.source, "gu")) ?? []).map((one) => one.replace(/\s+/gu, " "));
const words = (command: string): readonly string[] =>
  command.split(/[\s"',]+/u).filter((word) => word !== "");

/** A runner that looked everywhere is told where. */
function isNarrowed(now: string, before: string): boolean {
  const pieces = now.split(/&&|;|\|\|/u).filter((piece) => tool.test(piece));
  const had = new Set(words(before));
  return pieces.some((piece) => {
    const all = words(piece.replace(/^\s{0,20}["']?[\w:-]{1,60}["']?\s{0,3}:/u, ""));
    return (
      all.some(
        (word, index) =>
          !had.has(word) &&
          !word.startsWith("-") &&
          /[./*]/u.test(word) &&
          !(all[index - 1] ?? "-").startsWith("-") &&
          !word.startsWith("./...") &&
          index > 0,
      ) && all.some((word) => had.has(word) && tool.test(word))
    );
  });
}
