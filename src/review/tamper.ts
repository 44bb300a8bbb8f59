import type { DiffFile, DiffLine } from "./diff.ts";

const testFile =
  /(?:^|\/)(?:tests?|__tests__|specs?)\/|\.(?:test|spec)\.[cm]?[jt]sx?$|(?:^|\/)test_[^/]*\.py$|_(?:test|spec)\.(?:go|py|rb|exs?)$|Tests?\.(?:java|kt|cs|swift)$/u;
const snapshotFile = /(?:^|\/)__snapshots__\/|\.snap(?:shot)?$/u;
const toolConfig =
  /(?:^|\/)(?:\.gitlab-ci\.yml|\.circleci\/.*|Jenkinsfile|azure-pipelines\.yml|\.travis\.yml|\.eslintrc[^/]*|eslint\.config\.[cm]?[jt]s|\.eslintignore|\.?oxlintrc\.json|biome\.jsonc?|\.?ruff\.toml|\.flake8|\.golangci\.ya?ml|\.rubocop\.yml|\.pre-commit-config\.yaml|(?:vitest|jest|playwright)\.config\.[cm]?[jt]s|pytest\.ini|tox\.ini|\.?codecov\.yml|\.nycrc[^/]*|\.coveragerc|sonar-project\.properties)$/u;
const skip =
  /\b(?:it|test|describe|context|suite)(?:\.\w{1,20}){0,3}\.(?:skip|todo|only|fails|skipIf|runIf)\b|\b[xf](?:it|describe|test|context)\s{0,3}\(|\bthis\.skip\(|@(?:pytest\.mark\.|unittest\.)?(?:skip|xfail)|\bpytest\.(?:skip|xfail)\(|\bskipTest\(|@(?:Disabled|Ignore)\b|\b[tb]\.Skip(?:Now|f)?\(|#\[ignore/u;
const testCase =
  /\b(?:it|test)(?:\.each[^(\n]{0,200})?\s{0,3}\(|^\s{0,40}(?:async )?def test_|^\s{0,40}func Test|@Test\b|#\[(?:tokio::)?test\]/u;
const assertion =
  /\bexpect\s{0,3}[(.]|\bassert[A-Za-z_.!]{0,40}[\s(]|\bshould\b|\bt\.(?:Error|Fatal)f?\(|\b(?:require|assert)\.[A-Z]/u;
/** Says nothing: it holds whatever the code does. */
const vacuous =
  /\bexpect\(\s{0,3}(?:true|1)\s{0,3}\)|\bassert(?:True|_true|\.ok|That|!)?[\s(]{1,3}(?:[Tt]rue|1)\s{0,3}\)?;?\s*$/u;
/** Says only that something is there. */
const weak =
  /\.toBe(?:Defined|Truthy)\(|\.not\.toBe(?:Undefined|Null)\(|\.not\.toThrow|\bassert(?:NotNull|IsNotNone)\(|\bis not None\s*$|\.is_(?:some|ok)\(\)/u;
const commented = /^\s{0,200}(?:\/\/|#(?!!?\[)|\*|\/\*|--\s)/u;
const suppression =
  /eslint-disable|oxlint-disable|biome-ignore|@ts-ignore|@ts-nocheck|@ts-expect-error|#\s{0,3}noqa|#\s{0,3}type:\s{0,3}ignore|py(?:lint|right): ?(?:disable|ignore)|\/\/\s{0,3}(?:nolint|NOLINT)|#!?\[allow\(|@Suppress(?:Warnings)?\(|#pragma warning disable|rubocop:disable|istanbul ignore|[cv]8 ignore|pragma: no cover/u;
const threshold =
  /["']?\b(lines|branches|functions|statements|coverage|threshold|(?:min(?:imum)?[_-]?)coverage|fail[_-]under|coverageThreshold)\b["']?\s{0,20}[:=]\s{0,20}(\d+(?:\.\d+)?)/iu;
/** In a program these words are names like any other. */
const program = /\.(?:[cm]?[jt]sx?|py|go|rs|java|kts?|cs|rb|swift|php|c|cc|cpp|h)$/u;
const configuring = /(?:config|setup|conftest|noxfile|gradle|rakefile|tasks?)[^/]*$/iu;
const testScript = /^\s*"(?:test|lint|check|typecheck|pretest|posttest)[\w:-]*"\s*:/u;

/** More than this in one change is not a correction of a snapshot. */
const manySnapshots = { files: 5, lines: 200 };

/** Signs in a diff that its checks were weakened instead of satisfied; each needs a person. */
export function tamperReasons(files: readonly DiffFile[]): readonly string[] {
  return [...files.flatMap(reasonsOf), ...snapshots(files)];
}

function reasonsOf(file: DiffFile): readonly string[] {
  const { path, oldPath, is, added, removed } = file;
  const reasons: string[] = [];
  const isTest = testFile.test(oldPath) && !snapshotFile.test(path);
  if (isTest && is === "deleted") return [`\`${oldPath}\`: a test file was deleted`];
  if (isTest && is === "renamed" && !testFile.test(path))
    reasons.push(`\`${oldPath}\`: a test file was moved to where tests are not looked for`);
  if (isTest || testFile.test(path)) {
    if (count(added, skip) > count(removed, skip))
      reasons.push(`\`${path}\`: tests are skipped or singled out`);
    if (count(live(removed), testCase) > count(live(added), testCase))
      reasons.push(`\`${path}\`: tests were removed`);
    if (strength(removed) > strength(added)) reasons.push(`\`${path}\`: assertions were removed or weakened`);
  } else if (path.endsWith(".rs")) reasons.push(...inSource(file));
  if (count(added, suppression) > count(removed, suppression))
    reasons.push(`\`${path}\`: a checker is silenced`);
  if (toolConfig.test(path) || toolConfig.test(oldPath))
    reasons.push(`\`${path}\`: the configuration of checks was edited`);
  if (/(?:^|\/)package\.json$/u.test(path) && count(removed, testScript) > 0)
    reasons.push(`\`${path}\`: a test or lint script was changed`);
  const lowered = loweredThreshold(file);
  if (lowered !== undefined) reasons.push(`\`${path}\`: the threshold \`${lowered}\` was lowered or removed`);
  return reasons;
}

/** Rust keeps tests in the file they are about. */
function inSource({ path, added, removed }: DiffFile): readonly string[] {
  const [now, before] = [live(added), live(removed)];
  const isSkipped = count(now, /#\[ignore/u) > count(before, /#\[ignore/u);
  const isRemoved = count(before, /#\[(?:tokio::)?test\]/u) > count(now, /#\[(?:tokio::)?test\]/u);
  return [
    ...(isSkipped ? [`\`${path}\`: tests are skipped or singled out`] : []),
    ...(isRemoved ? [`\`${path}\`: tests were removed`] : []),
  ];
}

/** Lines that run. */
const live = (lines: readonly DiffLine[]): readonly DiffLine[] =>
  lines.filter(({ text }) => !commented.test(text));

/** How much the assertions among these lines hold, roughly: the same number of weaker ones is less. */
const strength = (lines: readonly DiffLine[]): number =>
  live(lines)
    .filter(({ text }) => assertion.test(text) && !vacuous.test(text))
    .reduce((sum, { text }) => sum + (weak.test(text) ? 1 : 2), 0);

const count = (lines: readonly DiffLine[], pattern: RegExp): number =>
  lines.filter(({ text }) => pattern.test(text)).length;

function loweredThreshold({ path, added, removed, is }: DiffFile): string | undefined {
  if (is === "deleted" || (program.test(path) && !configuring.test(path))) return undefined;
  const now = thresholds(added);
  for (const [name, before] of thresholds(removed)) {
    const after = now.get(name);
    if (after === undefined || after < before) return name;
  }
  return undefined;
}

function thresholds(lines: readonly DiffLine[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { text } of lines) {
    const match = threshold.exec(text);
    if (match?.[1] !== undefined) found.set(match[1], Number(match[2]));
  }
  return found;
}

function snapshots(files: readonly DiffFile[]): readonly string[] {
  const changed = files.filter(({ path, is }) => snapshotFile.test(path) && is !== "added");
  const lines = changed.reduce((sum, { added, removed }) => sum + added.length + removed.length, 0);
  return changed.length > manySnapshots.files || lines > manySnapshots.lines
    ? [`${changed.length} snapshot files were rewritten at once (${lines} lines)`]
    : [];
}
