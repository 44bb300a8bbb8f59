import type { DiffFile, DiffLine } from "./diff.ts";

const testFile =
  /(?:^|\/)(?:tests?|__tests__|specs?)\/|\.(?:test|spec)\.[cm]?[jt]sx?$|(?:^|\/)test_[^/]*\.py$|_(?:test|spec)\.(?:go|py|rb|exs?)$|Tests?\.(?:java|kt|cs|swift)$/u;
const snapshotFile = /(?:^|\/)__snapshots__\/|\.snap(?:shot)?$/u;
const toolConfig =
  /(?:^|\/)(?:\.gitlab-ci\.yml|\.circleci\/.*|Jenkinsfile|azure-pipelines\.yml|\.travis\.yml|\.eslintrc[^/]*|eslint\.config\.[cm]?[jt]s|\.eslintignore|\.?oxlintrc\.json|biome\.jsonc?|\.?ruff\.toml|\.flake8|\.golangci\.ya?ml|\.rubocop\.yml|\.pre-commit-config\.yaml|(?:vitest|jest|playwright)\.config\.[cm]?[jt]s|pytest\.ini|tox\.ini|\.?codecov\.yml|\.nycrc[^/]*|\.coveragerc|sonar-project\.properties)$/u;
const skip =
  /\b(?:it|test|describe|context|suite)\.(?:skip|todo|only|fails)\b|\bx(?:it|describe|test)\s*\(|@pytest\.mark\.(?:skip|xfail)|\bpytest\.skip\(|@unittest\.skip|@(?:Disabled|Ignore)\b|\bt\.Skip(?:Now|f)?\(|#\[ignore/u;
const testCase = /\b(?:it|test)(?:\.each[^(]*)?\s*\(|^\s*def test_|^\s*func Test|@Test\b|#\[test\]/u;
const assertion =
  /\bexpect\s*[(.]|\bassert[A-Za-z_.!]*[\s(]|\bshould\b|\bt\.(?:Error|Fatal)f?\(|require\.[A-Z]/u;
const suppression =
  /eslint-disable|oxlint-disable|biome-ignore|@ts-ignore|@ts-nocheck|@ts-expect-error|#\s*noqa|#\s*type:\s*ignore|\/\/\s*nolint|rubocop:disable|istanbul ignore|[cv]8 ignore|pragma: no cover/u;
const threshold =
  /["']?\b(lines|branches|functions|statements|coverage|threshold|(?:min(?:imum)?[_-]?)coverage|fail[_-]under|coverageThreshold)\b["']?\s*[:=]\s*(\d+(?:\.\d+)?)/iu;
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
    if (count(removed, testCase) > count(added, testCase)) reasons.push(`\`${path}\`: tests were removed`);
    if (count(removed, assertion) > count(added, assertion))
      reasons.push(`\`${path}\`: assertions were removed`);
  }
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

const count = (lines: readonly DiffLine[], pattern: RegExp): number =>
  lines.filter(({ text }) => pattern.test(text)).length;

function loweredThreshold({ added, removed, is }: DiffFile): string | undefined {
  if (is === "deleted") return undefined;
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
