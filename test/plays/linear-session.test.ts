/** An issue is delegated in Linear, and everything that follows is told and asked in its agent session. */
import { afterEach, expect, test } from "vitest";
import { statusOf } from "../../src/simulator/linear/session-status.ts";
import type { SimSession } from "../../src/simulator/linear/world.ts";
import { openLinearWorld, type LinearWorld } from "../linear-world.ts";
import { fine, proceed, usage } from "../world.ts";

let play: LinearWorld;
afterEach(() => play.close());

const said = (session: SimSession, type?: string): readonly string[] =>
  play.linear.world.tables.AgentActivity.filter(
    ({ agentSession, content }) =>
      agentSession.id === session.id &&
      content.type !== "prompt" &&
      (type === undefined || content.type === type),
  ).map(({ content }) => String(content["body"] ?? content["action"]));
const hears = (session: SimSession, type: string, words: string): Promise<void> =>
  play.until(`${type}: ${words}`, () => said(session, type).some((body) => body.includes(words)));

const gap = { ok: false, reason: "which file?" };
const vague = [
  { role: "gate", prompt: ["vague", "Write src/done.txt"], steps: [usage, { answer: proceed }] },
  {
    role: "gate",
    prompt: "vague",
    steps: [
      usage,
      { answer: { ...proceed, decision: "flag", where: gap, what: fine, gapComment: "Name the file." } },
    ],
  },
];

test(
  "a delegated issue is greeted, asked about, answered in the thread, and told merged",
  { timeout: 180_000 },
  async () => {
    play = await openLinearWorld({ scenes: vague });
    const { bob, ann, tri, eng, us, people } = play;
    const issue = bob.open(eng, "A vague wish", { assignee: bob.user, description: "Do it." });
    const session = bob.delegate(issue, us);
    await hears(session, "thought", "I have it");
    await hears(session, "elicitation", "**Where**: which file?");
    expect(statusOf(session, Date.now())).toBe("awaitingInput");
    // Somebody without an account on the forge answers nothing.
    ann.reply(session, "Write evil.txt");
    await hears(session, "elicitation", "has no GitHub account here");
    expect(issue.description).toBe("Do it.");
    tri.reply(session, "Write src/done.txt");
    await play.untilCard(issue, "In Review");
    expect(issue.description).toMatch(
      /^Do it\.\n\n### Answer of Tri \([\da-f]{8}\)\n\nWrite src\/done\.txt/u,
    );
    expect(issue).toMatchObject({ assignee: { name: "Bob" }, delegate: { name: "Forgehand" } });
    await hears(session, "elicitation", "approval of this head by a person");
    const pull = await play.pullOfCard(issue);
    expect(session.externalLinks).toMatchObject([{ label: `Pull request #${pull}` }]);
    await people.approve(pull, "bob");
    await play.untilCard(issue, "Done");
    await hears(session, "response", "Merged at");
    expect(session.plan).toEqual(
      ["Spec gate", "Build", "Adversarial review", "Human approval", "Merge"].map((content) => ({
        content,
        status: "completed",
      })),
    );
    expect(statusOf(session, Date.now())).toBe("complete");
  },
);

test("stop halts for anybody, and the session tells what is left", { timeout: 120_000 }, async () => {
  play = await openLinearWorld({
    scenes: [{ role: "build", steps: [usage, { sleep: 60_000 }, { done: "late" }] }],
  });
  const { bob, ann, eng, us } = play;
  const issue = bob.open(eng, "Say done", { description: "Write src/done.txt." });
  const session = bob.delegate(issue, us);
  await play.untilCard(issue, "In Progress");
  ann.stop(session);
  await play.untilCard(issue, "Blocked");
  await hears(session, "response", "**Stopped.**");
  expect(said(session, "response").at(-1)).toContain("Blocked, before that In Progress");
  expect(statusOf(session, Date.now())).toBe("complete");
});
