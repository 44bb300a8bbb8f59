/** Names and texts built to break out, to fill up or to slow down. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const titles = [
  "../../../../etc/passwd",
  "--upload-pack=touch /tmp/x",
  "$(touch /tmp/forgehand-owned) `touch /tmp/forgehand-owned`; touch /tmp/forgehand-owned",
  "refs/heads/main",
  ".lock",
  "\u0000\u0007\u001B[31m red",
  "🙂🙂🙂",
  "-",
  "a".repeat(256),
  "日本語の題名",
];

test("a title is a branch name and a commit message, and never a path, an option or a command", async () => {
  world = await openWorld();
  const { people, repo, dir } = world;
  world.scenes([
    {
      role: "build",
      steps: [usage, { run: "mkdir -p src && date +%N > src/$(basename $PWD).txt" }, { done: "wrote it" }],
    },
  ]);
  const issues = titles.map((title) => people.openIssue({ by: "eve", title, body: "Write a file." }));
  for (const issue of issues) people.label(issue, "agent-ready", "bob");
  for (const issue of issues) await world.untilState(issue, "In Review");
  await world.settled();
  for (const branch of repo.branches.keys())
    expect(branch).toMatch(/^(?:main|forgehand\/\d+-[a-z0-9-]{1,40})$/);
  expect(existsSync("/tmp/forgehand-owned")).toBe(false);
  expect(readdirSync(join(dir, "data")).toSorted()).toEqual(
    expect.arrayContaining(["forgehand.db", "logs", "workspaces"]),
  );
  for (const name of readdirSync(join(dir, "data", "workspaces", "trees"), {
    recursive: true,
    encoding: "utf8",
  }).slice(0, 50))
    expect(name).not.toContain("..");
}, 240_000);

test("a title with an order to skip checks reaches no commit message", async () => {
  world = await openWorld();
  const { people } = world;
  const issue = people.openIssue({ by: "eve", title: "Say done [skip ci]", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const branch = people.thread(await world.pullOf(issue)).pull?.headRef ?? "";
  for (const message of await people.mergeLog(branch)) expect(message).not.toMatch(/skip ci/i);
});

test("findings at paths outside the change and lines off the diff are said in the body, and no path leaves it", async () => {
  const paths = [
    "../../etc/passwd",
    "/etc/passwd",
    "src/done.txt\n# x",
    "a`b<img>",
    "src/done.txt",
    "C:\\x",
    ".git/config",
  ];
  world = await openWorld({
    scenes: [
      {
        role: "review",
        steps: [
          usage,
          {
            answer: {
              verdict: "pass",
              summary: "fine",
              findings: [...paths.map((path) => [path, 1] as const), ["src/done.txt", 999] as const].map(
                ([path, line]) => ({
                  title: line === 1 ? "look here" : "look far below",
                  body: "please",
                  grade: "polish",
                  path,
                  line,
                  kind: "x",
                }),
              ),
            },
          },
        ],
      },
    ],
  });
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  const { inline = [], reviews = [] } = people.thread(await world.pullOf(issue)).pull ?? {};
  expect(inline.map(({ path, line }) => [path, line])).toEqual([["src/done.txt", 1]]);
  expect(reviews.length).toBe(1);
  expect(reviews[0]?.body).toContain("look far below");
  expect(reviews[0]?.body).not.toMatch(/<img|^# x/mu);
});

test("a megabyte of issue is cut for agents, shown to nobody in full, and held in one piece by the hash", async () => {
  world = await openWorld();
  const { people } = world;
  const body = `Write src/done.txt.\n${"<!-".repeat(120_000)}${"\u200B".repeat(120_000)}${"@ada ".repeat(100_000)}`;
  const issue = people.openIssue({ by: "eve", title: "Say done", body });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "In Review");
  await world.settled();
  for (const { body: said } of people.thread(issue).comments) expect(said.length).toBeLessThan(66_000);
  people.editIssue(issue, "eve", { body: `${body}.` });
  await world.untilState(issue, "Blocked");
});

test("an attribute or a byte that hides a change from the diff does not hide it from us", async () => {
  world = await openWorld({
    scenes: [
      {
        role: "build",
        prompt: "by attribute",
        steps: [
          usage,
          { write: { path: ".gitattributes", text: "* -diff\n" } },
          { write: { path: "src/hidden.ts", text: "export const x = 1;\n" } },
          { done: "wrote it" },
        ],
      },
      {
        role: "build",
        prompt: "by byte",
        steps: [
          usage,
          { write: { path: "src/hidden.ts", text: "\u0000export const x = 1;\n" } },
          { done: "wrote it" },
        ],
      },
    ],
  });
  const { people } = world;
  for (const how of ["by attribute", "by byte"]) {
    const issue = people.openIssue({ by: "bob", title: how, body: "Write a file." });
    people.label(issue, "auto-merge", "bob");
    people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "In Review");
    await world.settled();
    expect(people.thread(issue).labels.has("auto-merge"), how).toBe(false);
  }
});
