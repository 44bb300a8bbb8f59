/** How examples end that do not come to a good end, each with what to do about it. */
import { expect, test } from "vitest";
import { live, type Play, type Stage } from "./stage.ts";

const begun = (stage: Stage): void => {
  stage.write("a.js", "1;\n");
  stage.commit("Begin");
};

test.each<[string, (stage: Stage) => Play, string]>([
  [
    "coverage-loop never reaches its target: not met",
    () => ({
      example: "coverage-loop",
      input: { measure: "echo 'All files | 10 |'", rounds: 2 },
      parts: [{ name: "write", prompt: "Raise", steps: [{ answer: { files: [], why: "cannot" } }] }],
      code: 10,
    }),
    'loop "round" did not meet its condition in 2 iterations',
  ],
  [
    "coverage-loop finds no figure and says how to tell it",
    () => ({
      example: "coverage-loop",
      input: { measure: "echo all is well" },
      parts: [],
      mayFail: ["before"],
      code: 1,
    }),
    "say how with `figure`",
  ],
  [
    "bisect is told a good commit that is bad",
    (stage) => {
      stage.write("a.js", "2;\n");
      stage.commit("Two");
      return {
        example: "bisect",
        input: { good: "HEAD~1", test: "false" },
        parts: [],
        mayFail: ["range"],
        code: 1,
      };
    },
    "HEAD~1 was said to be good, and `false` finds it bad",
  ],
  [
    "dependency-update finds changes that are not committed",
    (stage) => {
      stage.write("a.js", "mine;\n");
      return { example: "dependency-update", input: {}, parts: [], mayFail: ["outdated"], code: 1 };
    },
    "commit or remove these changes first",
  ],
  [
    "docs-sync finds that an agent changed more than documents",
    (stage) => {
      stage.write("README.md", "See src/b.js.\n");
      stage.write("src/b.js", "1;\n");
      stage.commit("Document");
      stage.write("src/b.js", "2;\n");
      stage.commit("Change");
      const steps = [
        { write: { path: "src/b.js", text: "3;\n" } },
        { answer: { changed: false, why: "none" } },
      ];
      return {
        example: "docs-sync",
        input: { docs: ["README.md"] },
        parts: [{ name: "update", prompt: "README.md", steps }],
        mayFail: ["only-docs"],
        code: 1,
      };
    },
    "besides documents these files changed: src/b.js",
  ],
  [
    "release-notes has nothing to tell",
    (stage) => {
      stage.git("tag", "v1");
      return { example: "release-notes", input: { version: "2" }, parts: [], mayFail: ["commits"], code: 1 };
    },
    "there is no commit in v1..HEAD: nothing to tell",
  ],
])("%s", async (_what, play, words) => {
  const { said, stage } = await live((stage) => (begun(stage), play(stage)), "whole");
  expect(said).toContain(words);
  expect(stage.git("worktree", "list").split("\n")).toHaveLength(1);
});

test.each<[string, (stage: Stage) => Play, object]>([
  [
    "flake-hunter leaves a test alone that always fails",
    () => ({ example: "flake-hunter", input: { test: "false", times: 2 }, parts: [] }),
    { verdict: "broken", failed: 2, of: 2, files: [] },
  ],
  [
    "flake-hunter counts a run that hangs as failed",
    () => ({
      example: "flake-hunter",
      input: { test: "sleep 600", times: 2, sideBySide: 2, timeoutMs: 100 },
      parts: [],
    }),
    { verdict: "broken", failed: 2, of: 2 },
  ],
  [
    "panel-review of a branch that differs in nothing asks nobody",
    () => ({ example: "panel-review", input: {}, parts: [] }),
    { verdict: "nothing to review", findings: [] },
  ],
  [
    "guarded-deploy that is denied deploys nothing",
    () => ({
      example: "guarded-deploy",
      input: { test: "true", plan: "echo all", deploy: "touch .git/live", verify: "true", rollback: "true" },
      parts: [],
      people: [() => ["deny", "r1", "--note", "not on a Friday"]],
    }),
    { deployed: false, note: "not on a Friday" },
  ],
])("%s", async (_what, play, output) => {
  expect((await live((stage) => (begun(stage), play(stage)), "whole")).output).toMatchObject(output);
});
