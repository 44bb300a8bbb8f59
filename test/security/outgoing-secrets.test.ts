/** A credential that an agent, a log or a diff gives away stays here. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

// Put together here, so that no scanner takes this file for a leak.
const letters = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6iJ9l";
const secrets: readonly string[] = [
  `ghs_${letters}`,
  `github_pat_${letters}`,
  `sk-ant-api03-${letters}`,
  `sk-proj-${letters}`,
  `AKIA${"ABCDEFGHIJKLMNOP"}`,
  `xoxb-${letters}`,
  `-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA${letters}\n-----END RSA PRIVATE KEY-----`,
];
const keyBody = `MIIEpAIBAAKCAQEA${letters}`;
const all = secrets.join(" and ");
const leaks = (text: string): readonly string[] =>
  [...secrets.slice(0, -1), keyBody].filter((secret) => text.includes(secret));

/** All that left this host: every call that changed something, and every commit. */
async function sent(): Promise<string> {
  const log = (
    await Promise.all([...world.repo.branches.keys()].map((branch) => world.people.mergeLog(branch)))
  ).flat();
  return JSON.stringify([world.hub.state.calls, log]).replaceAll("\\\\n", "\n").replaceAll("\\n", "\n");
}

test("what agents say in summaries, findings and gaps is scrubbed wherever it is repeated", async () => {
  world = await openWorld();
  const { people } = world;
  const finding = {
    title: `see ${secrets[0]}`,
    body: all,
    grade: "polish",
    path: "src/done.txt",
    line: 1,
    kind: "x",
  };
  const gap = { ok: false, reason: all };
  const fine = { ok: true, reason: "" };
  world.scenes([
    {
      role: "gate",
      prompt: "vague",
      steps: [
        usage,
        {
          answer: {
            decision: "flag",
            where: gap,
            what: fine,
            acceptance: fine,
            ambiguity: fine,
            gapComment: all,
          },
        },
      ],
    },
    {
      role: "build",
      steps: [usage, { say: all }, { write: { path: "src/done.txt", text: "done\n" } }, { done: all }],
    },
    { role: "review", steps: [usage, { answer: { verdict: "pass", findings: [finding], summary: all } }] },
  ]);
  const vague = people.openIssue({ by: "bob", title: "vague", body: "do it" });
  people.label(vague, "agent-ready", "bob");
  const issue = people.openIssue({ by: "bob", title: `Rotate ${secrets[0]}`, body: "Write src/done.txt." });
  people.label(issue, "auto-merge", "bob");
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Done");
  await world.until("flagged", () => people.thread(vague).labels.has("needs-spec"));
  await world.settled();
  expect(leaks(await sent())).toEqual([]);
  expect(await sent()).toContain("removed]");
  const logs = join(world.dir, "data", "logs");
  for (const name of readdirSync(logs)) expect(leaks(readFileSync(join(logs, name), "utf8"))).toEqual([]);
});

test.each(secrets.map((secret) => [secret.slice(0, 12), secret]))(
  "a change that holds %s… is not published",
  async (_name, secret) => {
    world = await openWorld({
      scenes: [
        {
          role: "build",
          steps: [usage, { write: { path: "src/key.txt", text: `x\n${secret}\n` } }, { done: "wrote it" }],
        },
      ],
    });
    const { people, repo } = world;
    const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "Blocked");
    await world.settled();
    expect([...repo.branches.keys()]).toEqual(["main"]);
    expect(leaks(await sent())).toEqual([]);
    const said = people.thread(issue).comments.find(({ body }) => body.includes("I stopped"))?.body;
    expect(said).toContain("src/key.txt");
  },
);

test("a failing command and a dying agent are quoted without what they gave away", async () => {
  world = await openWorld({
    config: `commands: { test: 'cat src/key.txt; false' }\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n`,
    scenes: [
      {
        role: "build",
        steps: [usage, { write: { path: "src/key.txt", text: all } }, { done: "wrote it" }],
      },
    ],
  });
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(leaks(await sent())).toEqual([]);
});
