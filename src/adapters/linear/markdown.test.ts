import { expect, test } from "vitest";
import { quoted } from "../../says.ts";
import { linearMarkdown } from "./markdown.ts";

test("what a person wrote reads as they wrote it, and is nobody's markup", () => {
  for (const text of ["a <b> c", "&lt; and &amp;", "<details>", "x &#64; y"])
    // A backslash before a sign is how Markdown spells the sign.
    expect(linearMarkdown(quoted(text)).replace(/\\([<&])/gu, "$1")).toBe(text);
  expect(linearMarkdown(quoted("<img src=x>"))).toBe("\\<img src=x>");
});

test("code is shown without the signs that only HTML needs", () => {
  expect(linearMarkdown(`see \`${quoted("src/<T>.ts")}\` and ${quoted("<T>")}`)).toBe(
    "see `src/<T>.ts` and \\<T>",
  );
  expect(linearMarkdown("```diff\n+++ b/a.ts\n+if (a &lt; b)\n```\na &lt; b")).toBe(
    "```diff\n+++ b/a.ts\n+if (a < b)\n```\na \\< b",
  );
});

test("our own small print loses its tag, and keeps its words", () => {
  expect(linearMarkdown("<sub>failed attempts 1 · ledger line 7</sub>")).toBe(
    "failed attempts 1 · ledger line 7",
  );
  // Written by somebody else, it is text.
  expect(linearMarkdown(quoted("<sub>x</sub>"))).toBe("\\<sub>x\\</sub>");
});

test("nobody's words fold away what stands below them", () => {
  for (const line of ["+++ more", "  +++ more", "> +++ more", "- > +++ more", "1. +++"])
    expect(linearMarkdown(line)).toBe(line.replace("+++", "\\+++"));
  expect(linearMarkdown("a +++ b")).toBe("a +++ b");
  for (const [seeming, line] of [
    ["```x```", "+++ more"],
    ["> ```", "+++ more"],
    ["```\na\n```", "+++ more"],
    ["```\n~~~\n```", "+++ more"],
  ])
    expect(linearMarkdown(`${seeming}\n${line}`)).toBe(`${seeming}\n\\${line}`);
  expect(linearMarkdown("````\n```\n+++ a")).toBe("````\n```\n+++ a");
});

test("the address of a profile calls nobody", () => {
  const said = linearMarkdown(
    "ask https://linear.app/acme/profiles/ada, see https://linear.app/acme/issue/ENG-1",
  );
  expect(said).toBe(
    "ask https://linear.app/acme/\u200bprofiles/ada, see https://linear.app/acme/issue/ENG-1",
  );
});
