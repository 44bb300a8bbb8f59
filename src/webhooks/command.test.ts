import { describe, expect, test } from "vitest";
import { readButton, readCommand } from "./command.ts";

describe("a command stands at the start of the first line", () => {
  test.each([
    ["/forgehand run", { name: "run" }],
    ["/forgehand retry", { name: "retry" }],
    ["/Forgehand STOP please", { name: "stop" }],
    ["  /forgehand\tstatus\r\nmore text", { name: "status" }],
    ["/forgehand why", { name: "explain" }],
    ["/forgehand", { name: "help" }],
    ["/forgehand approve", { name: "approve", sha: undefined }],
    ["/forgehand approve ABCDEF1", { name: "approve", sha: "abcdef1" }],
    ["/forgehand budget $7.50", { name: "budget", usd: 7.5 }],
    ["/forgehand tell use `tabs`, <b>please</b>", { name: "tell", order: "use `tabs`, <b>please</b>" }],
    ["/forgehand Tell\nuse tabs\n\nand tests", { name: "tell", order: "use tabs\n\nand tests" }],
    ["/forgehand tell use tabs\r\nand tests", { name: "tell", order: "use tabs\r\nand tests" }],
  ])("%j is obeyed", (body, command) => {
    expect(readCommand(body)).toEqual(command);
  });

  test.each([
    "> /forgehand approve",
    "`/forgehand approve`",
    "```\n/forgehand approve\n```",
    "    /forgehand approve",
    "\t/forgehand approve",
    "<!-- x -->/forgehand approve",
    "<!--\n/forgehand approve\n-->",
    "Please /forgehand approve",
    "- /forgehand approve",
    "looks good\n/forgehand approve",
    "\n/forgehand approve",
    "\u200B/forgehand approve",
    "/forgehandapprove",
    "/forgehands approve",
    "",
  ])("%j is merely shown", (body) => {
    expect(readCommand(body)).toBeUndefined();
  });
});

describe("what cannot be obeyed is refused with the way out", () => {
  test.each([
    ["/forgehand retyr", "did you mean `/forgehand retry`?"],
    ["/forgehand aprove", "did you mean `/forgehand approve`?"],
    ["/forgehand frobnicate", "I know `run`"],
    ["/forgehand constructor", "I know `run`"],
    ["/forgehand approve HEAD", "7 to 40 hex digits"],
    ["/forgehand approve abcdef1 abcdef2", "7 to 40 hex digits"],
    ["/forgehand approve <!-- abcdef1 -->", "invisible or markup"],
    ["/forgehand approve \u202Eabcdef1", "invisible or markup"],
    ["/forgehand budget lots", "takes dollars"],
    ["/forgehand budget 5000", "at most 1000"],
    ["/forgehand run codex", "runtime/<name>"],
    ["/forgehand tell", "in the same comment"],
    ["/forgehand tell \n \n", "in the same comment"],
    [`/forgehand tell ${"x".repeat(8_001)}`, "at most 8000 characters"],
    ["/forgehand tells it", "did you mean `/forgehand tell`?"],
  ])("%j", (body, why) => {
    const command = readCommand(body);
    expect(command?.name).toBe("refused");
    expect(command).toHaveProperty("why", expect.stringContaining(why));
  });

  test("an unknown word is shown back without markup or mentions", () => {
    expect(readCommand("/forgehand @octocat[x](y)*_")).toMatchObject({ name: "refused", word: "octocatxy_" });
  });
});

test("a button says what its identifier names, and nothing else", () => {
  expect(readButton("retry")).toEqual({ name: "retry" });
  expect(readButton("budget")).toBeUndefined();
  expect(readButton("tell")).toBeUndefined();
  expect(readButton("why")).toBeUndefined();
  expect(readButton("rm -rf")).toBeUndefined();
});
