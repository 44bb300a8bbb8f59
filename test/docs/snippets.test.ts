/** What the documentation shows is compiled, run, and gives what is shown. */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksIn, commandsIn, isAsShown, type Shown } from "./markdown.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const program = join(root, "dist/cli/forgehand.js");
const isCode = ({ language }: Shown): boolean => language === "ts" || language === "tsx";
const fileOf = ({ mark }: Shown): string | undefined =>
  /^file: (?<name>[\w.-]+)$/u.exec(mark ?? "")?.groups?.["name"];
/** What a block may be: code and transcripts are run, `sh` is for people, the others are data. */
const languages = ["ts", "tsx", "console", "sh", "json"];

const pages = ["workflows.md", "library.md"].map((name) => ({
  name,
  blocks: blocksIn(join(root, "docs", name)),
}));
const made: string[] = [];
function folder(beside: string): string {
  const path = mkdtempSync(beside);
  made.push(path);
  return path;
}
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly all: string;
}
const run = async (
  file: string,
  argv: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<Ended> =>
  await new Promise((resolve) => {
    execFile(file, argv, { cwd, env }, (error, out, err) => {
      const code = typeof error?.code === "number" ? error.code : error === null ? 0 : 1;
      resolve({ code, out: out.trim(), all: `${out}${err}` });
    });
  });

/** A shell with `forgehand` and `node` in its path, and nothing of the tester's own settings. */
function shellIn(home: string): NodeJS.ProcessEnv {
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "forgehand"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(join(bin, "forgehand"), 0o755);
  symlinkSync(process.execPath, join(bin, "node"));
  const person = { NAME: "Somebody", EMAIL: "somebody@example.com" };
  return {
    PATH: [bin, process.env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    NODE_OPTIONS: "--experimental-strip-types",
    NODE_NO_WARNINGS: "1",
    GIT_AUTHOR_NAME: person.NAME,
    GIT_AUTHOR_EMAIL: person.EMAIL,
    GIT_COMMITTER_NAME: person.NAME,
    GIT_COMMITTER_EMAIL: person.EMAIL,
  };
}

beforeAll(() => {
  if (!existsSync(program)) throw new Error("dist is missing: run `npm run build` first");
});

test("every code block is a file that a transcript below it uses, and every other block says what it is", () => {
  const unrun = pages.flatMap(({ name, blocks }) =>
    blocks.flatMap((block, index) => {
      const place = `${name}:${block.line}`;
      if (!languages.includes(block.language)) return [`${place}: a block in "${block.language}"`];
      if (!isCode(block)) return [];
      const file = fileOf(block);
      if (file === undefined) return [`${place}: code that is no file`];
      const later = blocks.slice(index).filter(({ language }) => language === "console");
      const isUsed = later.some(({ text }) => commandsIn(text).some(({ line }) => line.includes(file)));
      return isUsed ? [] : [`${place}: ${file} is never run`];
    }),
  );
  expect(unrun).toEqual([]);
  expect(pages.map(({ blocks }) => blocks.some(({ language }) => language === "console"))).toEqual([
    true,
    true,
  ]);
});

test("every code block compiles under the settings of this repository", async () => {
  // Inside the repository, so that `forgehand` is found as its users find it.
  const place = folder(join(root, ".snippets-"));
  for (const { name, blocks } of pages) {
    mkdirSync(join(place, name));
    for (const block of blocks.filter(isCode))
      writeFileSync(join(place, name, fileOf(block) ?? ""), block.text);
  }
  writeFileSync(
    join(place, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      compilerOptions: { jsxImportSource: "forgehand" },
      include: ["*/*.ts", "*/*.tsx"],
    }),
  );
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  const { code, all } = await run(process.execPath, [tsc, "-p", place], place, process.env);
  expect(all).toBe("");
  expect(code).toBe(0);
});

describe.each(pages)("$name", ({ name, blocks }) => {
  // A run's folder should be in no repository but its own; a program is to find `forgehand` installed.
  const place = folder(join(name === "library.md" ? join(root, ".snippets-") : join(tmpdir(), "snippets-")));
  const env = shellIn(folder(join(tmpdir(), "snippets-home-")));
  const steps = blocks.map((block) => ({
    block,
    title: `line ${block.line}: ${block.mark ?? block.language}`,
  }));
  const acted = steps.filter(({ block }) => block.language === "console" || fileOf(block) !== undefined);
  test.each(acted)("$title", async ({ block }) => {
    const file = fileOf(block);
    if (file !== undefined) {
      mkdirSync(dirname(join(place, file)), { recursive: true });
      writeFileSync(join(place, file), block.text);
      return;
    }
    for (const { line, exit, out: shown } of commandsIn(block.text)) {
      const { code, out, all } = await run("/bin/sh", ["-c", line], place, env);
      expect(code, `${line}\n${all}`).toBe(exit);
      if (!isAsShown(shown, out)) expect(out, line).toBe(shown);
    }
  });
});
