/** What a ticket waits for is told in the same words wherever people read it. */
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { ps } from "../../src/cli/ps.ts";
import { openWorld, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

/** Everything that says what this ticket waits for, by where it is said. */
async function toldOf(issue: number): Promise<Readonly<Record<string, string>>> {
  const { forgehand, people, repo, dir } = world;
  await world.settled();
  const said = (): readonly string[] => people.thread(issue).comments.map(({ body }) => body);
  const before = said().length;
  people.comment(issue, "bob", "/forgehand explain");
  await vi.waitUntil(() => said().length > before + 1, { timeout: 60_000 });
  const database = join(dir, "data", "forgehand.db");
  const ref = `${repo.owner}/${repo.name}#${issue}`;
  const { text, data } = await explain(ref, { database });
  const listed = await ps({ database });
  const { head } = (await forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket ?? {};
  return {
    workpad: said().find((body) => body.includes("## forgehand workpad")) ?? "",
    answer: said().at(-1) ?? "",
    "check title": repo.checkRuns.findLast((one) => one.head === head)?.output?.title ?? "no check",
    explain: text,
    "explain --json": JSON.stringify(data),
    ps: listed.text,
    "ps --json": JSON.stringify(listed.data),
  };
}

test.each([
  { state: "In Review", scenes: [], waitsFor: "the approval of this head by a person with write access" },
  {
    state: "Blocked",
    scenes: [
      {
        role: "review",
        steps: [
          { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
          { fail: { how: "unfinished", code: "budget", why: "spent" } },
        ],
      },
    ],
    waitsFor: "$3 more to finish",
  },
] as const)(
  "a ticket in $state is told of in one sentence everywhere",
  async ({ state, scenes, waitsFor }) => {
    world = await openWorld({ scenes });
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, state);
    for (const [where, text] of Object.entries(await toldOf(issue)))
      expect(text, where).toContain(
        where.startsWith("ps") || where.endsWith("json") ? waitsFor : `aits for ${waitsFor}`,
      );
  },
);

test("a ticket that cannot start because the configuration is wrong says so everywhere", async () => {
  world = await openWorld({ config: "version: 1\nlimits:\n  run_usd: many\n" });
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Ready");
  const { "check title": none, ...told } = await toldOf(issue);
  expect(none).toBe("no check");
  for (const [where, text] of Object.entries(told))
    expect(text, where).toContain("a correction of the configuration on the default branch: ");
  expect(told["workpad"]).toContain("until then what is right of it holds, and only a person can merge");
});
