/** Tests that test a double of their own unit, and sources that know when they are tested. */
import { changed, type Change, type Program, type SideLine } from "./change.ts";
import type { Hit } from "./hit.ts";
import { isCheckConfig, isManifest } from "./config-files.ts";
import { plain, subjectOf } from "./paths.ts";
import { changedOf } from "./tests.ts";
import { unitsOf } from "./units.ts";

export function findDoubles(change: Change): readonly Hit[] {
  return change.tests.flatMap((program) => {
    const { file } = program;
    if (file.is === "added" || file.is === "deleted") return [];
    const before = new Set(changedOf(program, "old").flatMap((line) => doubled(program, line) ?? []));
    const asserted = program.parts
      .flatMap((part) => [...unitsOf(part.old, program.language), ...unitsOf(part.now, program.language)])
      .map(({ code }) => code)
      .join("\n");
    const line = changedOf(program, "now").find((one) => {
      const name = doubled(program, one);
      return name !== undefined && !before.has(name) && isUnit(name, file.path, asserted);
    });
    if (line === undefined) return [];
    return [
      {
        rule: "unit-mocked",
        path: file.path,
        line: line.at,
        reason: "what is under test was replaced by a double",
      },
    ];
  });
}

function doubled({ language }: Program, { code }: SideLine): string | undefined {
  return language.double
    .exec(code)
    ?.slice(1)
    .find((one) => one !== undefined);
}

/** The file's own subject by its name, or a function whose result is asserted. */
function isUnit(name: string, path: string, asserted: string): boolean {
  const isModule = /[/.]/u.test(name) && name.includes("/");
  if (isModule || /^[A-Z]/u.test(name)) return subjectOf(isModule ? name : `${name}.x`) === subjectOf(path);
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (plain(last) === subjectOf(path)) return true;
  return new RegExp(`\\b${last.replace(/\W/gu, "")}\\(`, "u").test(asserted);
}

const knows =
  /\bNODE_ENV\b.{0,40}["'`]test["'`]|["'`]test["'`].{0,20}\bNODE_ENV\b|\bVITEST(?:_\w{1,20})?\b|\bJEST_WORKER_ID\b|\bimport\.meta\.vitest\b|["']pytest["']\s{1,3}in\s{1,3}sys\.modules|\bPYTEST_CURRENT_TEST\b|["']unittest["']\s{1,3}in\s{1,3}sys\.modules|\bcfg!\(\s{0,3}test\s{0,3}\)|#\[cfg\(not\(test\)\)\]|\btesting\.Testing\(\)|flag\.Lookup\(\s{0,3}"test\.|strings\.HasSuffix\(\s{0,3}os\.Args\[0\]\s{0,3},\s{0,3}"\.test"|Class\.forName\(\s{0,3}"org\.(?:junit|testng)|\bRails\.env\.test\?|\bdefined\?\(\s{0,3}(?:RSpec|Minitest)|ENV\[["'](?:RAILS|RACK)_ENV["']\]\s{0,3}==\s{0,3}["']test["']|\bAppDomain\b.{0,120}(?:xunit|nunit)|typeof\s{1,3}(?:jest|describe|it|vi)\b|\bglobalThis\.(?:jest|vi|describe)\b|getStackTrace\(\).{0,200}junit|inspect\.stack\(\).{0,200}test|new\s{1,3}Error\(\)\.stack.{0,200}test/u;

/** A source that answers otherwise when it is tested. */
export function findKnowing({ sources }: Change): readonly Hit[] {
  return sources.flatMap((program) => {
    const { path } = program.file;
    if (isCheckConfig(path) || isManifest(path) || /(?:config|setup|logger|logging)[^/]{0,40}$/iu.test(path))
      return [];
    const known = (side: "old" | "now"): readonly SideLine[] =>
      program.parts.flatMap((part) => changed(part[side]).filter(({ code }) => knows.test(code)));
    const now = known("now");
    const first = now[0];
    if (first === undefined || now.length <= known("old").length) return [];
    return [
      {
        rule: "source-knows-tests",
        path,
        line: first.at,
        reason: "the program behaves otherwise when it is tested",
      },
    ];
  });
}

const bent =
  /\bpytest_(?:runtest_makereport|collection_modifyitems|runtest_protocol|pyfunc_call|sessionfinish|ignore_collect|report_teststatus|runtest_call|itemcollected|deselected)\b|\breport\.outcome\s{0,3}=|\b(?:rep|report)\.passed\s{0,3}=|\bexitstatus\s{0,3}=|\bprocess\.exitCode\s{0,3}=\s{0,3}0|\bprocess\.exit\s{0,3}=|\b(?:globalThis|global|window)\.(?:expect|assert|it|test|describe)\s{0,3}=|\bexpect\s{0,3}=\s{0,3}(?:\(|function|new\b|vi\.fn|jest\.fn)|\bassert(?:\.\w{1,30})?\s{0,3}=\s{0,3}(?:\(|function|lambda|async)|\bbuiltins\.\w{1,30}\s{0,3}=|\bunittest\.TestCase\.\w{1,40}\s{0,3}=|process\.(?:removeAllListeners|on\(\s{0,3}["'](?:uncaughtException|unhandledRejection))|\bat_exit\b|\bTestMain\b.{0,80}\{\s{0,3}\}/u;
const exitsZero =
  /\b(?:os\._exit|sys\.exit|os\.Exit|process\.exit|System\.exit|std::process::exit|exit!|Environment\.Exit)\(\s{0,3}0\s{0,3}\)/u;
const equality =
  /\bdef\s{1,3}__(?:eq|ne|contains|bool)__\b|\bfn\s{1,3}(?:eq|ne)\(|\bboolean\s{1,3}equals\(|\bbool\s{1,3}Equals\(|\bdef\s{1,3}==/u;
const yes = /^\s{0,200}(?:return\s{1,3})?(?:true|True|false|False)\s{0,3};?\s{0,3}$/u;

/** What judges the tests says that all is well whatever they say. */
export function findBent({ tests, sources }: Change): readonly Hit[] {
  return [...tests, ...sources].flatMap((program) => {
    if (program.file.is === "deleted") return [];
    const before = program.parts.flatMap(({ old }) => changed(old).map(({ code }) => code)).join("\n");
    for (const part of program.parts) {
      const line = part.now.find(
        (one, index) =>
          one.isChanged &&
          isBent(program, one, part.now.slice(index + 1, index + 4)) &&
          !before.includes(one.code.trim()),
      );
      if (line !== undefined)
        return [
          {
            rule: "harness-bent" as const,
            path: program.file.path,
            line: line.at,
            reason: "the outcome of tests is decided in their place",
          },
        ];
    }
    return [];
  });
}

function isBent({ isTest, file }: Program, { code }: SideLine, next: readonly SideLine[]): boolean {
  if (equality.test(code))
    return (
      /\{\s{0,3}(?:return\s{1,3})?true;?\s{0,3}\}/u.test(code) ||
      next.slice(0, 2).some((line) => yes.test(line.code))
    );
  // A program that drives tests by itself may end well.
  return isTest && (bent.test(code) || (file.is !== "added" && exitsZero.test(code)));
}
