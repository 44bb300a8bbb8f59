/** Runtimes that cannot work, and those who take over from them. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { ps } from "../../src/cli/ps.ts";
import type { Agent, AgentSays } from "../../src/ports-agents.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

const quota: AgentSays = {
  type: "result",
  outcome: {
    is: "failed",
    how: "blocked",
    code: "quota",
    why: "Claude Code's account has no quota left: check its plan and billing",
  },
};
/** Claude Code without quota: it says who it is, and no more. `after` lets it work up to its end. */
function withoutQuota(asked: string[], how: "at once" | "after its work" = "at once") {
  return (agent: Agent): Agent =>
    agent.name !== "claude-code"
      ? agent
      : {
          ...agent,
          work: async function* (order, signal): AsyncGenerator<AgentSays> {
            asked.push(order.role);
            if (how === "at once" || order.role === "gate") {
              yield { type: "session", id: "claude-1" };
              yield { type: "model", id: "claude-opus-5-5" };
              yield how === "at once" ? quota : gatePassed;
              return;
            }
            for await (const said of agent.work(order, signal)) yield said.type === "result" ? quota : said;
          },
        };
}
const ok = { ok: true, reason: "" };
const gatePassed: AgentSays = {
  type: "result",
  outcome: {
    is: "done",
    text: "",
    structured: { decision: "proceed", where: ok, what: ok, acceptance: ok, ambiguity: ok, gapComment: "" },
  },
};
const config = `runtime: { fallback: { every: [codex] } }
merge: { settle_seconds: 0 }
limits: { feedback_seconds: 0 }
`;
function open(): number {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
}
const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
const sessionsOf = (issue: number) => world.forgehand.store.sessionsOf(idOf(issue));

test("without quota the next runtime builds, an independent one reviews, and later tickets skip the first at once", async () => {
  const asked: string[] = [];
  world = await openWorld({ config, third: "gemini-3-pro", recast: withoutQuota(asked) });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(
    (await sessionsOf(issue)).map(({ role, runtime, family, outcome }) => [role, runtime, family, outcome]),
  ).toEqual([
    ["gate", "claude-code", "anthropic", "quota"],
    ["gate", "codex", "openai", "done"],
    ["build", "codex", "openai", "done"],
    ["review", "gemini", "google", "done"],
  ]);
  expect(asked).toEqual(["gate"]);
  const database = join(world.dir, "data", "forgehand.db");
  const told = (await explain(idOf(issue), { database })).text;
  expect(told).toContain("claude-code could not work on the gate (quota)");
  expect(told).toContain("codex took over");
  const listed = await ps({ database });
  expect(listed.text).toContain("claude-code is left out until");
  expect(listed.data).toMatchObject({
    runtimesDown: [
      {
        runtime: "claude-code",
        code: "quota",
        why: expect.stringContaining("no quota left"),
        since: expect.stringMatching(/^\d{4}-.*Z$/u),
        until: expect.stringMatching(/^\d{4}-.*Z$/u),
      },
    ],
  });

  await world.people.approve(await world.pullOf(issue), "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  await world.forgehand.stop(0);
  await world.start();
  world.scenes([
    { role: "build", steps: [usage, { write: { path: "src/second.txt", text: "two\n" } }, { done: "two" }] },
  ]);
  const second = open();
  await world.untilState(second, "In Review");
  expect(asked).toEqual(["gate"]);
  expect((await sessionsOf(second)).map(({ runtime }) => runtime)).toEqual(["codex", "codex", "gemini"]);
});

test("what two families made in one run is judged by neither, but by another", async () => {
  const resumed: (string | undefined)[] = [];
  const overHears = (agent: Agent): Agent => ({
    ...agent,
    work: (order, signal) => {
      if (agent.name === "codex" && order.role === "build") resumed.push(order.resume);
      return agent.work(order, signal);
    },
  });
  world = await openWorld({
    config,
    third: "gemini-3-pro",
    recast: (agent) => overHears(withoutQuota([], "after its work")(agent)),
    scenes: [
      {
        role: "build",
        prompt: "Another agent began this work",
        steps: [usage, { write: { path: "src/more.txt", text: "more\n" } }, { done: "finished it" }],
      },
    ],
  });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  const builds = (await sessionsOf(issue)).filter(({ role }) => role === "build");
  expect(builds.map(({ runtime, outcome }) => [runtime, outcome])).toEqual([
    ["claude-code", "quota"],
    ["codex", "done"],
  ]);
  expect(resumed).toEqual([undefined]);
  const reviewers = (await sessionsOf(issue)).filter(({ role }) => role === "review");
  expect(reviewers.map(({ family }) => family)).toEqual(["google"]);
});

test("where no third could judge it nobody takes over half a build: who began goes on after a retry", async () => {
  const quotaIs = { left: false };
  const until = (agent: Agent): Agent => ({
    ...agent,
    work: async function* (order, signal): AsyncGenerator<AgentSays> {
      const isOut = agent.name === "claude-code" && order.role === "build" && !quotaIs.left;
      for await (const said of agent.work(order, signal))
        yield isOut && said.type === "result" ? quota : said;
    },
  });
  world = await openWorld({ config, recast: until });
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  const said = world.people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n");
  expect(said).toContain("codex may not take over: the builder ran on anthropic and openai");
  expect(said).toContain("no quota left");
  quotaIs.left = true;
  world.people.comment(issue, "bob", "/forgehand retry");
  await world.untilState(issue, "In Review");
  await world.settled();
  const sessions = await sessionsOf(issue);
  const whoIn = (wanted: string) =>
    sessions.flatMap(({ role, runtime, outcome }) => (role === wanted ? [[runtime, outcome]] : []));
  expect(whoIn("build")).toEqual([
    ["claude-code", "quota"],
    ["claude-code", "done"],
  ]);
  expect(whoIn("review")).toEqual([["codex", "done"]]);
});

/** Claude Code, which opens a session to build, says nothing in it and is stopped for that; `heard` is every such turn. */
const silentBuilder =
  (heard: (string | undefined)[]) =>
  (agent: Agent): Agent => ({
    ...agent,
    work: async function* (order, signal): AsyncGenerator<AgentSays> {
      if (agent.name !== "claude-code" || order.role !== "build") return yield* agent.work(order, signal);
      heard.push(order.resume);
      yield { type: "session", id: "claude-silent" };
      yield { type: "model", id: "claude-opus-5-5" };
      yield {
        type: "result",
        outcome: {
          is: "failed",
          how: "retry",
          code: "stalled",
          why: "Claude Code said nothing for too long",
        },
      };
    },
  });

test("a builder that stays silent is told, begun once more and then replaced in its worktree; the ledger and explain say so", async () => {
  const heard: (string | undefined)[] = [];
  world = await openWorld({ config, recast: silentBuilder(heard) });
  const issue = open();
  await world.untilState(issue, "In Review");
  await world.settled();
  expect(heard).toEqual([undefined, "claude-silent", "claude-silent"]);
  const builds = (await sessionsOf(issue)).filter(({ role }) => role === "build");
  expect(builds.map(({ runtime, outcome }) => [runtime, outcome])).toEqual([
    ["claude-code", "stalled"],
    ["codex", "done"],
  ]);
  const prods = (await world.forgehand.store.linesOf(idOf(issue))).flatMap(({ event }) =>
    event.type === "agent.prodded" ? [[event.how, event.why] as const] : [],
  );
  expect(prods.map(([how]) => how)).toEqual(["nudged", "stopped", "resumed", "replaced"]);
  // Who never said a word has no part in the change, and may judge it.
  const reviews = (await sessionsOf(issue)).filter(({ role }) => role === "review");
  expect(reviews.map(({ runtime }) => runtime)).toEqual(["claude-code"]);
  expect(prods.at(-1)?.[1]).toMatch(/^claude-code got nowhere, .*; codex takes over$/);
  const stored = await world.forgehand.store.load(idOf(issue));
  expect(stored?.ticket.counters).toMatchObject({ attempts: 0 });
  const database = join(world.dir, "data", "forgehand.db");
  expect((await explain(idOf(issue), { database })).text).toContain(
    "claude-code could not work on the build (stalled)",
  );
});

test("where nobody stands in, a runtime without quota blocks its ticket with the reason", async () => {
  world = await openWorld({ recast: withoutQuota([]) });
  const issue = open();
  await world.untilState(issue, "Blocked");
  await world.settled();
  expect(
    world.people
      .thread(issue)
      .comments.map(({ body }) => body)
      .join(),
  ).toContain("no quota left");
  expect((await sessionsOf(issue)).map(({ runtime }) => runtime)).toEqual(["claude-code"]);
});
