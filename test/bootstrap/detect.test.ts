import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { detect } from "../../bootstrap/detect/detect.ts";
import type { Detected, Evidence, RepoFiles } from "../../bootstrap/detect/detected.ts";
import { isFit } from "../../bootstrap/detect/shell.ts";

const folder = "test/fixtures/repositories";
const repositories = readdirSync(folder).toSorted();

const filesOf = (name: string): RepoFiles => ({
  paths: readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, name).length + 1)),
  read: (path) => readFileSync(join(folder, name, path), "utf8"),
});

const evidenceIn = ({ packages, commands, toolchain, ci, warnings }: Detected): readonly Evidence[] => [
  ...[commands, ...packages.map((one) => one.commands)]
    .flatMap((found) => Object.values(found))
    .flatMap(({ evidence, alternatives }) => [...evidence, ...alternatives.flatMap((one) => one.evidence)]),
  ...packages.flatMap(({ evidence }) => evidence),
  ...toolchain.map(({ evidence }) => evidence),
  ...ci.onPullRequest,
  ...ci.onMergeGroup,
  ...warnings.flatMap(({ evidence }) => evidence),
];

test.each(repositories)("%s is read as a person would read it", async (name) => {
  const detected = detect(filesOf(name));
  await expect(`${JSON.stringify(detected, undefined, 2)}\n`).toMatchFileSnapshot(
    `../fixtures/detected/${name}.json`,
  );
});

test.each(repositories)("of %s every line that is named says what it is said to say", (name) => {
  const files = filesOf(name);
  const claims = evidenceIn(detect(files));
  expect(claims.length).toBeGreaterThan(0);
  for (const { path, line, text } of claims)
    expect(files.read(path)?.split("\n")[line - 1] ?? `no line ${line} in ${path}`).toContain(text);
});

test.each(repositories)("of %s every command is one line that a person sees whole", (name) => {
  const { packages, commands } = detect(filesOf(name));
  for (const { command } of [commands, ...packages.map((one) => one.commands)].flatMap((found) =>
    Object.values(found),
  ))
    expect(isFit(command)).toBe(true);
});

test("the order in which files are listed changes nothing", () => {
  for (const name of repositories) {
    const { paths, read } = filesOf(name);
    expect(detect({ paths: paths.toReversed(), read })).toEqual(detect({ paths, read }));
  }
});

test("a repository of fifty thousand files is read by a few of them", () => {
  const { paths, read } = filesOf("node-pnpm-turbo");
  const many = Array.from({ length: 50_000 }, (_, nth) => `apps/web/src/p${nth % 997}/f${nth}.ts`);
  const asked: string[] = [];
  const detected = detect({
    paths: [...paths, ...many],
    read: (path) => {
      asked.push(path);
      return read(path);
    },
  });
  expect(detected.commands).toEqual(detect({ paths, read }).commands);
  expect(asked.length).toBeLessThan(20);
  expect(new Set(asked).size).toBe(asked.length);
});
