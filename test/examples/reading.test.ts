/** Examples that look and tell. */
import { expect, test } from "vitest";
import { bothLives } from "./stage.ts";

test("fan-out-fan-in reads each file once and draws one answer", async () => {
  const finds = (file: string, line: number) => ({
    name: `read ${file}`,
    prompt: `Read the whole file "${file}"`,
    steps: [{ answer: { findings: [{ line, says: `${file} writes without fsync` }] } }],
  });
  const { output, journal } = await bothLives((stage) => {
    for (const name of ["a", "b", "c", "d"]) stage.write(`src/${name}.js`, `// ${name}\n`);
    stage.write("src/it's odd.js", "");
    stage.commit("Begin");
    return {
      example: "fan-out-fan-in",
      input: {
        question: "Where do we write without fsync?",
        list: "git ls-files src",
        atMost: 4,
        sideBySide: 2,
      },
      parts: [
        finds("src/a.js", 1),
        finds("src/b.js", 2),
        {
          name: "read src/c.js",
          prompt: 'Read the whole file "src/c.js"',
          steps: [{ answer: { findings: [] } }],
        },
        finds("src/d.js", 4),
        {
          name: "answer",
          prompt: ["Several readers answered", "Their findings (quoted", "src/a.js writes without fsync"],
          steps: [{ answer: { answer: "In three files.", sources: [{ file: "src/a.js", line: 1 }] } }],
        },
      ],
      cut: { leaf: "read:src/c.js", part: "read src/c.js" },
    };
  });
  expect(output).toEqual({
    answer: "In three files.",
    sources: [{ file: "src/a.js", line: 1 }],
    read: 4,
    leftOut: true,
  });
  expect(journal.toSorted()).toEqual([
    "answer",
    "read src/a.js",
    "read src/b.js",
    "read src/c.js",
    "read src/d.js",
  ]);
  expect(journal.at(-1)).toBe("answer");
});
