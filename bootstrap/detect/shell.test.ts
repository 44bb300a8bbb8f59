import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { commandsOf, inFolder, inTurn, partsOf, quoted } from "./shell.ts";

const plain = (script: string): readonly string[] => commandsOf(script).map(({ command }) => command);

test.each([
  ["npm ci\nnpm test", ["npm ci", "npm test"]],
  ["# first\n\nmake test # now", ["make test"]],
  ["pytest \\\n  --quiet \\\n  tests", ["pytest --quiet tests"]],
  ["a && b; c", ["a", "b", "c"]],
  ["echo 'a && b' && c", ["echo 'a && b'", "c"]],
  ["npm test || true", ["npm test"]],
  ["npm test 2>&1 | tee out.log", ["npm test"]],
  ["npm test | grep ok", []],
  ["npm test > out", []],
  ["npm test &", []],
  ["if x; then\nnpm test\nfi", []],
  ["cat <<EOF\nnpm test\nEOF", []],
  ["run() {\nnpm test\n}", []],
])("of %j each command is told", (script, commands) => {
  expect(plain(script)).toEqual(commands);
});

test("a script is followed into a folder, and no further than can be said", () => {
  expect(commandsOf("cd web\nnpm ci\ncd ui && npm test")).toEqual([
    { command: "npm ci", folder: "web", line: 1 },
    { command: "npm test", folder: "web/ui", line: 2 },
  ]);
  expect(commandsOf("make a\ncd $DIR\nmake test")).toEqual([{ command: "make a", folder: ".", line: 0 }]);
  expect(commandsOf("cd /srv && make test")).toEqual([]);
});

test("several commands are one line, each in its folder", () => {
  expect(inFolder("a b", "make")).toBe("cd 'a b' && make");
  expect(inTurn([{ folder: "a", command: "make" }])).toBe("cd a && make");
  expect(
    inTurn([
      { folder: ".", command: "x" },
      { folder: "a", command: "y" },
    ]),
  ).toBe("x && (cd a && y)");
});

test("the shell reads a quoted word back as it was", () => {
  const words = fc.sample(fc.string({ unit: "grapheme-ascii", maxLength: 20 }), { seed: 7, numRuns: 200 });
  const said = execFileSync("/bin/sh", ["-c", `printf '%s\\0' ${words.map(quoted).join(" ")}`], {
    encoding: "utf8",
  });
  expect(said.split("\0").slice(0, -1)).toEqual(words);
});

test("no text keeps the splitter from ending, and nothing is lost but what separates", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(partsOf(text).join("").length).toBeLessThanOrEqual(text.length);
      for (const { command } of commandsOf(text)) expect(command).not.toMatch(/\n/u);
    }),
  );
});
