/** Checkers that are told to be quiet where they complain. */
import type { DiffFile, DiffLine } from "../diff.ts";
import type { Change } from "./change.ts";
import type { Hit } from "./hit.ts";
import { isTestPath, kindOf } from "./paths.ts";

const everywhere =
  /(?:eslint|oxlint|tslint|stylelint|deno-lint|prettier)-(?:disable|ignore)|biome-ignore|@ts-(?:ignore|nocheck)|#\s{0,3}(?:ruff\s{0,3}:\s{0,3})?noqa|#\s{0,3}type\s{0,3}:\s{0,3}ignore|#\s{0,3}(?:pylint|flake8|mypy)\s{0,3}:\s{0,3}(?:disable|skip-file|ignore|noqa)|#\s{0,3}pyright\s{0,3}:\s{0,3}(?:ignore|basic|false)|#\s{0,3}(?:nosec|nosemgrep)\b|\/\/\s{0,3}(?:nolint|NOLINT|NOSONAR|noinspection|nosec|nosemgrep)|\/\/\s{0,3}lint:(?:file-)?ignore|#!?\[(?:allow|expect)\(|@Suppress(?:Warnings|FBWarnings|Lint)?\s{0,3}\(|@SuppressWarnings\b|#pragma\s{1,3}warning\s{1,3}disable|\bSuppressMessage\(|#\s{0,3}rubocop\s{0,3}:\s{0,3}(?:disable|todo)|(?:istanbul|[cv]8|node:coverage)\s{1,3}(?:ignore|disable)|pragma\s{0,3}:\s{0,3}no\s{1,3}(?:cover|mutate)|\/\/\s{0,3}nocov|:nocov:|@codeCoverageIgnore|#\[(?:coverage\(off\)|cfg_attr\(\w{1,30},\s{0,3}coverage)|\[ExcludeFromCodeCoverage|@Generated\b(?=\s{0,3}(?:class|public|$))|@phpstan-ignore|swiftlint:disable|detekt:suppress|ktlint-disable|#\s{0,3}shellcheck\s{1,3}disable|hadolint\s{1,3}ignore|\bsorbet:\s{0,3}ignore|#\s{0,3}typed:\s{0,3}(?:false|ignore)/u;
/** In a test of types this says that the compiler complains. */
const inSources = /@ts-expect-error/u;

export function findSilenced({ files }: Change): readonly Hit[] {
  return files.flatMap((file) => {
    const kind = kindOf(file.path);
    if (file.is === "deleted" || kind === "doc" || kind === "snapshot" || kind === "golden") return [];
    const now = silencing(file, file.added);
    const first = fresh(now, silencing(file, file.removed));
    if (first === undefined) return [];
    return [{ rule: "checker-silenced", path: file.path, line: first.line, reason: "a checker is silenced" }];
  });
}

const silencing = ({ path }: DiffFile, lines: readonly DiffLine[]): readonly DiffLine[] =>
  lines.filter(({ text }) => {
    const cut = text.slice(0, 20_000);
    return everywhere.test(cut) || (inSources.test(cut) && !isTestPath(path));
  });

/** The first that was not there before, when there are more, or another checker is meant. */
function fresh(now: readonly DiffLine[], before: readonly DiffLine[]): DiffLine | undefined {
  if (now.length > before.length) {
    const had = new Set(before.map(({ text }) => text.trim()));
    return now.find(({ text }) => !had.has(text.trim())) ?? now[0];
  }
  return undefined;
}
