/** Examples in which several agents work on one thing. */
import { expect, test } from "vitest";
import { bothLives } from "./stage.ts";

test("panel-review lets a chair check what readers of one lens each have found", async () => {
  const finding = { file: "pay.mjs", line: 2, blocking: true, says: "A negative amount is paid out." };
  const untrue = { file: "pay.mjs", line: 1, blocking: false, says: "It is never called." };
  const reads = (lens: string, findings: readonly object[]) => ({
    name: lens,
    prompt: [`for one thing alone: ${lens}`, "The change against main (quoted", "+  return -amount;"],
    steps: [{ answer: { findings } }],
  });
  const { output, journal } = await bothLives((stage) => {
    stage.write("pay.mjs", "export function pay(amount) {\n  return amount;\n}\n");
    stage.commit("Begin");
    stage.git("checkout", "-q", "-b", "feature");
    stage.write("pay.mjs", "export function pay(amount) {\n  return -amount;\n}\n");
    stage.commit("Pay differently");
    return {
      example: "panel-review",
      input: {},
      parts: [
        reads("correctness", [finding, untrue]),
        reads("security", [finding]),
        reads("upkeep", []),
        {
          name: "chair",
          prompt: ["You chair a review", "The reviewers' findings (quoted", "It is never called."],
          steps: [{ answer: { findings: [finding], summary: "Refuse negative amounts." } }],
        },
      ],
      cut: { leaf: "panel/findings:security", part: "security" },
    };
  });
  expect(output).toEqual({
    verdict: "change",
    summary: "Refuse negative amounts.",
    findings: [finding],
    votes: { correctness: "change", security: "change", upkeep: "approve" },
    absent: [],
  });
  expect(journal.toSorted()).toEqual(["chair", "correctness", "security", "upkeep"]);
  expect(journal.at(-1)).toBe("chair");
});

test("debate hears both sides, has them judged, and leaves the choice to a person", async () => {
  const sides = ["in signed cookies", "in the database"] as const;
  const argues = (side: string, round: number, more: readonly string[] = []) => ({
    name: `${side} ${round}`,
    prompt: [`You argue for: "${side}"`, `This is round ${round} of 2`, ...more],
    steps: [{ answer: { text: `Keep them ${side}, because ${round}.` } }],
  });
  const { output, journal } = await bothLives((stage) => {
    stage.write("a.js", "");
    stage.commit("Begin");
    return {
      example: "debate",
      input: { question: "How do we keep sessions?", sides, opponent: "codex" },
      parts: [
        argues(sides[0], 1),
        argues(sides[1], 1),
        argues(sides[0], 2, ["What was said so far (quoted", `Keep them ${sides[1]}, because 1.`]),
        argues(sides[1], 2, [`Keep them ${sides[0]}, because 1.`]),
        {
          name: "judge",
          prompt: ["Judge a debate", `Keep them ${sides[1]}, because 2.`],
          steps: [{ answer: { winner: sides[0], why: "There is no database." } }],
        },
      ],
      people: [
        () => [
          "workflow",
          "answer",
          "r1",
          "choice",
          JSON.stringify({ choice: sides[1], note: "soon there is" }),
        ],
      ],
      cut: { leaf: `debate/round-2/${sides[0]}`, part: `${sides[0]} 2` },
    };
  });
  expect(output).toMatchObject({
    chosen: sides[1],
    note: "soon there is",
    judged: sides[0],
    why: "There is no database.",
  });
  expect((output as { said: object[] }).said).toHaveLength(4);
  expect(journal).toHaveLength(5);
  expect(journal.at(-1)).toBe("judge");
});

test("supervisor plans, has workers land their work, and cannot call it done while the check is red", async () => {
  const works = (name: string, order: string, steps: readonly object[]) => ({
    name,
    prompt: ["You are one of several workers", order],
    steps: [...steps, { answer: { result: `${name} is done` } }],
  });
  const { output, journal, stage } = await bothLives((stage) => {
    stage.write(
      "check.mjs",
      'import { readFileSync } from "node:fs";\nfor (const file of ["a", "b"]) if (readFileSync(file, "utf8") !== "hello\\n") throw new Error(file + " does not greet");\n',
    );
    stage.write("a", "\n");
    stage.write("b", "\n");
    stage.commit("Begin");
    return {
      example: "supervisor",
      input: { goal: "Every file greets", check: `${stage.note("check")}; node check.mjs`, atOnce: 2 },
      parts: [
        {
          name: "plan again",
          prompt: ["Plan round 2 of 3", "What was still missing (quoted", "b does not greet"],
          steps: [{ answer: { tasks: [{ name: "b again", order: "Spell it right in b" }] } }],
        },
        {
          name: "plan",
          prompt: ["The goal for this repository: Every file greets", "Plan round 1 of 3"],
          steps: [
            {
              answer: {
                tasks: [
                  { name: "a", order: "Write hello to a" },
                  { name: "b", order: "Write hello to b" },
                ],
              },
            },
          ],
        },
        works("work on a", "Write hello to a", [{ write: { path: "a", text: "hello\n" } }]),
        works("work on b", "Write hello to b", [{ write: { path: "b", text: "helo\n" } }]),
        works("work on b again", "Spell it right in b", [{ write: { path: "b", text: "hello\n" } }]),
        { name: "judge", prompt: "Is this goal reached", steps: [{ answer: { done: true, feedback: "" } }] },
      ],
      cut: { leaf: "team/work/2", part: "work on b" },
    };
  });
  expect(output).toEqual({
    rounds: 2,
    last: [{ task: "b again", result: "work on b again is done" }],
    judgement: "",
  });
  expect(journal.toSorted()).toEqual(
    [
      "plan",
      "work on a",
      "work on b",
      "check",
      "judge",
      "plan again",
      "work on b again",
      "check",
      "judge",
    ].toSorted(),
  );
  expect(stage.read("a") + stage.read("b")).toBe("hello\nhello\n");
  expect(stage.git("log", "--format=%s").split("\n").toSorted()).toEqual(["Begin", "a", "b", "b again"]);
  expect(stage.git("status", "--porcelain")).toBe("");
  expect(stage.git("worktree", "list").split("\n")).toHaveLength(1);
});

test("migration merges the batches that stay green, and does the others again", async () => {
  const migrates = (file: string, text: string, more: readonly string[] = []) => ({
    name: `migrate ${file}${more.length > 0 ? " again" : ""}`,
    prompt: [`no others: ["${file}"]`, "What to do: newApi takes its place", ...more],
    steps: [
      { write: { path: file, text } },
      { answer: { note: text === "newApi(2);\n" ? "Mind the 2." : "" } },
    ],
  });
  const { output, journal, stage } = await bothLives((stage) => {
    for (const name of ["one", "two", "three"]) stage.write(`${name}.js`, "oldApi();\n");
    stage.write(
      "check.mjs",
      'import { readFileSync } from "node:fs";\nif (readFileSync("two.js", "utf8").includes("(1)")) throw new Error("two takes a 2");\n',
    );
    stage.commit("Begin");
    return {
      example: "migration",
      input: {
        find: "git grep -l oldApi -- '*.js'",
        how: "newApi takes its place",
        test: "node check.mjs",
        batch: 1,
        sideBySide: 2,
      },
      parts: [
        migrates("one.js", "newApi(1);\n"),
        migrates("three.js", "newApi(3);\n"),
        migrates("two.js", "newApi(2);\n", ["two takes a 2"]),
        migrates("two.js", "newApi(1);\n"),
      ],
      cut: { leaf: "migrate:0.1", part: "migrate three.js" },
    };
  });
  expect(output).toMatchObject({ found: 3, left: [], merged: 3, notes: ["Mind the 2."] });
  expect((output as { evicted: string[] }).evicted).toEqual([expect.stringContaining("two takes a 2")]);
  expect(journal.toSorted()).toEqual([
    "migrate one.js",
    "migrate three.js",
    "migrate two.js",
    "migrate two.js again",
  ]);
  expect(stage.read("two.js")).toBe("newApi(2);\n");
  expect(stage.git("status", "--porcelain")).toBe("");
  expect(stage.git("worktree", "list").split("\n")).toHaveLength(1);
});
