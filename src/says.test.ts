import fc from "fast-check";
import { expect, test } from "vitest";
import {
  block,
  helpAnswer,
  mergeMessage,
  pullTitle,
  quoted,
  ruledOut,
  waitSentence,
  type TicketView,
} from "./says.ts";
import { commandNames } from "./webhooks/command.ts";

/** What the forge shows once it has decoded entities, which is where it looks for mentions and references. */
const shown = (text: string): string =>
  text
    .replace(/&#(\d+);?/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(
      /&(?:commat|num|lt|vert);/g,
      (name) => ({ "&commat;": "@", "&num;": "#", "&lt;": "<" })[name] ?? "|",
    )
    .replace(/&amp;/g, "&");
const calls = ["@ada", "@acme/team", "&commat;ada", "&#64;ada", "&#x40;ada", "mail @ada-b.", "\\@ada"];
const closes = [
  "fixes #7",
  "Closes: #7",
  "RESOLVED acme/web#7",
  "close https://github.com/acme/web/issues/7",
  "fix GH-7",
  "fixes *#7*",
  "fixed\n#7",
];
const closing = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b[\s:*_`]{1,10}\S*(?:#|\/|GH-)\d/i;

test.each(calls)("%s calls nobody", (text) => {
  for (const said of [quoted(text), block(text)]) expect(shown(said)).not.toMatch(/@[\w-]/);
});

test.each(closes)("%j closes nothing", (text) => {
  for (const said of [
    quoted(text),
    block(text),
    mergeMessage(view(""), text).body.split("\n\nCloses #")[0] ?? "",
  ])
    expect(said).not.toMatch(closing);
  expect(pullTitle(view(text))).not.toMatch(closing);
});

test("whatever is quoted stays on its line and in its cell, and hides nothing", () => {
  const hostile = fc.array(
    fc.oneof(
      fc.constantFrom("|", "\\", "\r", "\n", "\u2028", "<!--", "-->", "@", "ada", "`", "&"),
      fc.string(),
    ),
  );
  fc.assert(
    fc.property(hostile, (parts) => {
      const said = quoted(parts.join(""));
      expect(said).not.toMatch(/[<\r\n\u0085\u2028\u2029]/u);
      expect(said).not.toMatch(/(?<!\\)(?:\\\\)*\|/u);
      expect(said).not.toMatch(/@[\w-]/u);
      for (const line of block(parts.join("")).split(/\r\n|[\r\n]/u)) expect(line).toMatch(/^> [^<]*$/u);
    }),
  );
});

test("a commit message gives the forge no orders and forges no trailer", () => {
  const summary = [
    "did it [skip ci] [ci skip] [no ci] [skip actions] [actions skip] ***NO_CI*** [skip[skip ci] ci]",
    "Co-authored-by: Ada <ada@example.com>",
    "Signed-off-by: Ada <ada@example.com>",
    "Forgehand-Reviewed-By: nobody",
    "skip-checks: true",
    "<!-- hidden",
  ].join("\n");
  const { title, body } = mergeMessage(view("x [skip ci] @ada"), summary);
  expect(`${title}\n${body}`).not.toMatch(/\[(?:skip|no|ci|actions)[ -]/i);
  expect(body).not.toMatch(/^(?:Co-authored-by|Signed-off-by|skip-checks)\s*:/im);
  expect(body.match(/^Forgehand-Reviewed-By:/gm)).toEqual(["Forgehand-Reviewed-By:"]);
  expect(body).not.toContain("hidden");
  expect(title).not.toMatch(/@\w/);
});

const view = (title: string): TicketView =>
  ({
    title,
    name: "#3",
    closing: "Closes #3",
    ref: "acme/web#3",
    builder: "codex (gpt)",
    reviewer: "claude-code (opus)",
  }) as TicketView;

test.each(commandNames)("the help names /forgehand %s", (name) => {
  expect(helpAnswer).toContain(`\`/forgehand ${name}`);
});

test.each([
  ["the merge", "the merge."],
  ["Unknown key `limit`. Did you mean `limits`?", "Did you mean `limits`? Next:"],
  ["the file is too long.", "the file is too long. Next:"],
  ["it says “why?”", "it says “why?”. Next:"],
])("%s ends its sentence once", (waitsFor, ends) => {
  expect(waitSentence({ waitsFor, since: 0, nextStep: "it starts", youCan: [] })).toContain(ends);
});

test.each(["Changes must be made through the merge queue", "At least 1 review is required."])(
  "what a rule refuses is told with what ends it: %s",
  (why) => {
    expect(ruledOut(why)).toMatch(/[^.]\. While a rule .* relax that rule for the App, or merge/u);
  },
);
