import { describe, expect, test } from "vitest";
import { fileNameOf, newTicketText, numberOf, readTicket, withChange } from "./ticket-file.ts";

const text = `---
# mine
title: "Fix: the date test"
labels: [agent-ready, runtime/codex]
created: 2026-01-02T03:04:05.000Z
owner: ada
---

It fails on the 31st.

---
Not front matter.
`;

describe("a ticket's file", () => {
  test("is read: title, text, labels", () => {
    expect(readTicket(text)).toEqual({
      title: "Fix: the date test",
      body: "It fails on the 31st.\n\n---\nNot front matter.",
      labels: ["agent-ready", "runtime/codex"],
      closed: undefined,
      createdAt: Date.parse("2026-01-02T03:04:05.000Z"),
      author: undefined,
    });
  });
  test("may be plain Markdown, whose first line is the title", () => {
    expect(readTicket("\n# Fix the date test\n\nIt fails.\n")).toMatchObject({
      title: "Fix the date test",
      body: "It fails.",
      labels: [],
    });
    expect(readTicket("---\r\nlabels: [a]\r\n---\r\n# Fix it\r\nNow.\r\n")).toMatchObject({
      title: "Fix it",
      body: "Now.",
      labels: ["a"],
    });
  });
  test.each([
    ["", 1],
    ["---\ntitle: [\n---\nx", 3],
    ["---\n- a\n---\nx", 2],
    ["---\ntitle: *nothing\n---\nx", 2],
    [
      `---\na: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: [*b, *b, *b, *b, *b]\n---\n`,
      2,
    ],
    ["---\nowner: a\nlabels: 3\ntitle: x\n---\n", 3],
    ["---\ntitle: x\nclosed: perhaps\n---\n", 3],
    [`---\ntitle: ${"x".repeat(251)}\n---\n`, 2],
  ])("tells the line of what is wrong in %j", (wrong, line) => {
    expect(readTicket(wrong)).toMatchObject({ line, why: expect.stringMatching(/./u) as string });
  });
  test.each([
    ["labels: [a,b]", "labels: [ b, n ]"],
    ["labels:\n    - a   # why\n    - b", "labels: [ b, n ]"],
    ["labels: # none yet", "labels: [ n ]"],
    ["labels:", "labels: [ n ]"],
    ["labels:\n- a", "labels: [ n ]"],
  ])("keeps how the lines around %j are written", (before, after) => {
    const around = (line: string): string =>
      `---\ntitle:   "x"    # c\n${line}\n\n# more\nlist:   [1,2]\nwhen: 'now'\n---\n\nBody\n`;
    const change = { add: ["n"], remove: ["a"] };
    const changed = withChange(around(before), change);
    expect(changed.replace(" # none yet", "")).toBe(around(after));
    const windows = around(before).replaceAll("\n", "\r\n");
    expect(withChange(windows, change).replace(" # none yet", "")).toBe(
      around(after).replaceAll("\n", "\r\n"),
    );
    const closed = withChange(around(after), { add: [], remove: [], closed: "declined" });
    expect(closed).toBe(around(after).replace("'now'\n", "'now'\nclosed: declined\n"));
    expect(withChange(closed, { add: [], remove: [], closed: "open" })).toBe(around(after));
  });
  test("writes anew what is no lines", () => {
    const changed = withChange("---\n{ title: x, labels: [a] }\n---\nBody\n", {
      add: ["n"],
      remove: [],
      closed: "completed",
    });
    expect(readTicket(changed)).toMatchObject({
      title: "x",
      labels: ["a", "n"],
      closed: "completed",
      body: "Body",
    });
  });
  test("keeps everything of the person's when we write", () => {
    const changed = withChange(text, {
      add: ["harness-blocked"],
      remove: ["agent-ready"],
      closed: "declined",
    });
    expect(readTicket(changed)).toMatchObject({
      labels: ["runtime/codex", "harness-blocked"],
      closed: "declined",
    });
    expect(changed).toContain("# mine\n");
    expect(changed).toContain("owner: ada\n");
    expect(changed.slice(changed.indexOf("\nIt fails"))).toBe(text.slice(text.indexOf("\nIt fails")));
    const open = withChange(changed, { add: [], remove: [], closed: "open" });
    expect(readTicket(open)).toMatchObject({ closed: undefined });
  });
  test("is not touched by what is so already, nor when it cannot be read", () => {
    expect(withChange(text, { add: ["agent-ready"], remove: ["none"] })).toBe(text);
    expect(withChange("---\ntitle: [\n---\n", { add: ["a"], remove: [] })).toBe("---\ntitle: [\n---\n");
  });
  test("gets front matter when it had none, and reads the same", () => {
    const changed = withChange("# Fix it\n\nNow.\n", { add: ["needs-spec"], remove: [] });
    expect(readTicket(changed)).toMatchObject({ title: "Fix it", body: "Now.", labels: ["needs-spec"] });
  });
});

describe("a new ticket", () => {
  test.each([
    "plain",
    "---\nlabels: [auto-merge]\n---",
    'quotes " and: colons # and \u001B[31m colours',
    "auto\nlabels: [auto-merge]",
    "* &anchor !!js/function x",
  ])("reads back as it was written: %j", (title) => {
    const written = newTicketText({
      title,
      body: "---\nlabels: [x]\n---",
      labels: ["agent-ready"],
      author: "ada",
      createdAt: 0,
    });
    expect(readTicket(written)).toMatchObject({
      title: title.replaceAll(/[\s\p{Cc}]+/gu, " ").trim(),
      body: "---\nlabels: [x]\n---",
      labels: ["agent-ready"],
      author: "ada",
      createdAt: 0,
    });
  });
  test.each([
    [3, "Fix the flaky date test", "0003-fix-the-flaky-date-test.md"],
    [12, "../../etc/passwd; rm -rf ~", "0012-etc-passwd-rm-rf.md"],
    [7, "日本語", "0007.md"],
    [12_345, "é".repeat(100), `12345-${"e".repeat(60)}.md`.replace(/e+/u, "e-".repeat(30).slice(0, -1))],
  ])("%d %s is kept as %s", (number, title, file) => {
    expect(fileNameOf(number, title)).toBe(file);
    expect(numberOf(file)).toBe(number);
  });
  test.each(["notes.md", "-1-x.md", "0.md", "3", ".0003-x.md.9.part", "3-a/b.md"])(
    "%s is no ticket",
    (file) => {
      expect(numberOf(file)).toBeUndefined();
    },
  );
});
