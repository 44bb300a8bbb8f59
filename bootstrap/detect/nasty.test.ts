import fc from "fast-check";
import { expect, test } from "vitest";
import { detect } from "./detect.ts";
import type { Detected, Evidence } from "./detected.ts";
import { isFit } from "./shell.ts";

const read = (files: Readonly<Record<string, string>>): Detected =>
  detect({
    paths: Object.keys(files),
    read: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
  });
const codes = (detected: Detected): readonly string[] => detected.warnings.map(({ code }) => code);
const manifest = (fields: object): string => JSON.stringify(fields, undefined, 2);
const workflow = (steps: string, job = ""): string =>
  `on: pull_request\njobs:\n  test:\n    runs-on: ubuntu-latest\n${job}    steps:\n${steps}`;
const ci = (steps: string, job = ""): Record<string, string> => ({
  ".github/workflows/ci.yml": workflow(steps, job),
});

test("an empty repository has nothing, and says so", () => {
  expect(read({})).toMatchObject({ packages: [], commands: {}, testFolders: [] });
  expect(codes(read({}))).toEqual(["nothing-found"]);
});

test("line ends of Windows and a byte order mark change no line and no command", () => {
  const plain = manifest({ name: "a", scripts: { test: "node --test" } });
  const windows = `\uFEFF${plain.replaceAll("\n", "\r\n")}`;
  expect(read({ "package.json": windows })).toEqual(read({ "package.json": plain }));
  const makefile = "lint:\n\ttrue\ntest:\n\ttrue\n";
  expect(read({ Makefile: makefile.replaceAll("\n", "\r\n") })).toEqual(read({ Makefile: makefile }));
});

test.each([
  ["package.json", "{ not json"],
  ["package.json", "[]"],
  ["pyproject.toml", "[project\nname ="],
  ["Cargo.toml", "= 1"],
  [".github/workflows/ci.yml", "on: [push\njobs: {"],
])("a broken %s is told and left out", (path, text) => {
  expect(codes(read({ [path]: text }))).toContain("unreadable-file");
});

test("a manifest that is no text, or too large, is told and left out", () => {
  expect(codes(read({ "package.json": "{}\0" }))).toContain("unreadable-file");
  expect(codes(read({ "go.mod": `module a\n${"x".repeat(600_000)}` }))).toContain("unreadable-file");
  const gone = detect({ paths: ["Cargo.toml"], read: () => undefined });
  expect(codes(gone)).toContain("unreadable-file");
});

test("aliases that multiply are refused, plain ones are followed", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [index, name] of [..."bcdefghi"].entries())
    bomb.push(`${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[index]}`).join(", ")}]`);
  const refused = read({ ".github/workflows/ci.yml": `${bomb.join("\n")}\non: push\njobs: {}\n` });
  expect(codes(refused)).toContain("unreadable-file");
  const plain = read({
    ".github/workflows/ci.yml":
      "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps: &steps\n      - run: make test\n  two:\n    runs-on: ubuntu-latest\n    steps: *steps\n",
  });
  expect(plain.commands.test?.command).toBe("make test");
});

test.each([
  ['echo "Error: no test specified" && exit 1', "placeholder-script"],
  ["exit 0", "placeholder-script"],
  ["echo TODO", "placeholder-script"],
  ["npm test", "circular-script"],
  ["npm run a", "circular-script"],
  ["nodemon test.js", "watch-mode"],
])("the script %j is no test", (body, code) => {
  const detected = read({ "package.json": manifest({ scripts: { test: body, a: "npm run test" } }) });
  expect(detected.commands.test).toBeUndefined();
  expect(codes(detected)).toEqual(expect.arrayContaining([code, "no-test-command"]));
});

test.each([
  ["vitest", "CI=1 npm test"],
  ["react-scripts test", "CI=1 npm test"],
  ["vitest run", "npm test"],
  ["jest --watch --coverage", "npx jest --coverage"],
  ["vitest watch", "npx vitest run"],
  ["ng test", "npm test -- --watch=false"],
])("the script %j is run so that it ends", (body, command) => {
  expect(read({ "package.json": manifest({ scripts: { test: body } }) }).commands.test?.command).toBe(
    command,
  );
});

test("a script that ends comes before one that is made to end", () => {
  const scripts = { test: "jest --watch", "test:ci": "jest --ci" };
  expect(read({ "package.json": manifest({ scripts }) }).commands.test?.command).toBe("npm run test:ci");
});

test.each([
  ["      - run: npm test\n        env:\n          KEY: ${{ secrets.KEY }}\n", ""],
  ["      - run: npm test\n", "    env:\n      KEY: ${{ secrets['KEY'] }}\n"],
  ["      - run: KEY=${{ secrets.KEY }} npm test\n", ""],
])("a step that is given a secret is passed over (%#)", (steps, job) => {
  const detected = read(ci(steps, job));
  expect(detected.commands.test).toBeUndefined();
  expect(codes(detected)).toContain("needs-secret");
});

test.each([
  "      - run: npm publish\n",
  "      - run: make test-and-deploy && ./deploy.sh\n",
  "      - run: curl https://example.com/x | sh\n",
  "      - run: sudo make test\n",
  "      - run: for i in 1 2; do make test; done\n",
  "      - run: make ${{ inputs.target }}\n",
  "      - run: make $TARGET test\n",
  "      - if: github.ref == 'refs/heads/main'\n        run: make test\n",
  "      - shell: pwsh\n        run: make test\n",
  "      - working-directory: ../elsewhere\n        run: make test\n",
])("%j is no test of a change", (steps) => {
  expect(read(ci(steps)).commands.test).toBeUndefined();
});

test("what runs for tags alone, or elsewhere than Linux, comes last or not at all", () => {
  const tags = "on:\n  push:\n    tags: [v1]\njobs:\n  a:\n    steps:\n      - run: make test\n";
  expect(read({ ".github/workflows/a.yml": tags }).commands).toEqual({});
  const windows = workflow("      - run: make check-windows test\n").replace("ubuntu", "windows");
  const both = read({ ".github/workflows/a.yml": windows, Makefile: "test:\n\ttrue\n" });
  expect(both.commands.test?.command).toBe("make test");
});

test("a command nobody can see whole is refused", () => {
  const hidden = read(ci('      - run: "make test \\u202Etxt"\n'));
  expect(hidden.commands.test).toBeUndefined();
  expect(codes(hidden)).toContain("refused-command");
  const long = read(ci(`      - run: make test ${"A=1 ".repeat(200)}\n`));
  expect(long.commands.test).toBeUndefined();
});

test("names of folders are read back by the shell as they are, and those that cannot be are left out", () => {
  const json = manifest({ scripts: { test: "node --test" } });
  expect(read({ "a $(id)/package.json": json }).commands.test?.command).toBe("cd 'a $(id)' && npm test");
  expect(read({ "it's/package.json": json }).commands.test?.command).toBe(
    String.raw`cd 'it'\''s' && npm test`,
  );
  expect(read({ "-rf/package.json": json }).commands.test?.command).toBe("cd ./-rf && npm test");
  expect(read({ "a\nb/package.json": json, "../c/package.json": json }).packages).toEqual([]);
});

test("names that objects have of themselves are names like any other", () => {
  const text =
    '{ "scripts": { "constructor": "x", "__proto__": "y", "toString": "z" }, "packageManager": "constructor@1.0.0" }';
  const detected = read({ "package.json": text, "mise.toml": "[tasks.constructor]\nrun = 'x'\n" });
  expect(detected.commands.test).toBeUndefined();
  expect(detected.packages[0]?.manager).toBe("npm");
});

test("of very many commands of workflows the first are weighed", () => {
  const steps = Array.from({ length: 100 }, (_, nth) => `      - run: make test-${nth} X=${nth}\n`).join("");
  const files = Object.fromEntries(
    Array.from({ length: 6 }, (_, nth) => [`.github/workflows/w${nth}.yml`, workflow(steps)]),
  );
  const detected = read({ ...files, Makefile: "test:\n\ttrue\n" });
  expect(detected.commands.test?.command).toBe("make test");
  expect(detected.commands.test?.alternatives.length).toBe(5);
});

const names = [
  "package.json",
  "pnpm-workspace.yaml",
  "turbo.json",
  "pyproject.toml",
  "setup.cfg",
  "requirements.txt",
  "go.mod",
  "go.work",
  "Cargo.toml",
  "pom.xml",
  "build.gradle",
  "settings.gradle",
  "Gemfile",
  "Rakefile",
  "mix.exs",
  "composer.json",
  "deno.jsonc",
  "Makefile",
  "justfile",
  "Taskfile.yml",
  "mise.toml",
  "README.md",
  ".tool-versions",
  "rust-toolchain",
  ".github/workflows/ci.yml",
] as const;

const words = fc.constantFrom(
  "test",
  "lint",
  '"scripts": {',
  "}",
  "[tool.pytest]",
  "run: npm test",
  "jobs:",
  "steps:",
  "on: push",
  "  ",
  "\n",
  "\r\n",
  "```sh",
  "```",
  "include(",
  "use (",
  ")",
  "=",
  ":",
  "&a",
  "*a",
  "'",
  '"',
  "\u202E",
  "\\",
  "#",
  "${{ matrix.a }}",
  "<module>x</module>",
  "gem 'rspec'",
  "[workspace]",
  "members = ['*']",
  "- ",
  "make test",
  "&&",
  "cd ..",
  "\t",
);
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.array(words, { maxLength: 40 }).map((all) => all.join(" ")),
  fc.array(words, { maxLength: 40 }).map((all) => all.join("")),
);

test("whatever files hold, it answers, and each line it names says what it is said to say", () => {
  const files = fc.dictionary(
    fc.constantFrom(...names.flatMap((name) => (name.startsWith(".github") ? [name] : [name, `a/${name}`]))),
    texts,
    { maxKeys: 8 },
  );
  fc.assert(
    fc.property(files, (given) => {
      const detected = read(given);
      const found = [detected.commands, ...detected.packages.map(({ commands }) => commands)].flatMap((one) =>
        Object.values(one),
      );
      const claims: readonly Evidence[] = [
        ...found.flatMap(({ evidence, alternatives }) => [
          ...evidence,
          ...alternatives.flatMap((one) => one.evidence),
        ]),
        ...detected.packages.flatMap(({ evidence }) => evidence),
        ...detected.toolchain.map(({ evidence }) => evidence),
        ...detected.warnings.flatMap(({ evidence }) => evidence),
      ];
      for (const { path, line, text } of claims)
        expect((given[path] ?? "").replace(/^\uFEFF/u, "").split(/\r\n|\n|\r/u)[line - 1]).toContain(text);
      for (const { command } of found) expect(isFit(command)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each(names)("a %s built to take long does not", (name) => {
  for (const piece of [
    "a ",
    "(",
    "[",
    "{",
    '"',
    "/*",
    ", ",
    "  \n",
    "\t-",
    "``",
    "a:",
    "${{",
    "cd a && ",
    "a=b ",
    "**/",
    "'x' ",
    "{a: ",
  ])
    expect(read({ [name]: piece.repeat(Math.floor(20_000 / piece.length)) }).commands).toBeDefined();
});
