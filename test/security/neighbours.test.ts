import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.map((world) => world.close()));
  worlds = [];
});

test("two of the same user that work on the same ticket never end each other's agents", async () => {
  const build = (ms: number) => ({
    role: "build",
    steps: [usage, { sleep: ms }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
  });
  worlds = await Promise.all([50, 3_000].map((ms) => openWorld({ scenes: [build(ms)] })));
  const issues = worlds.map((world) => {
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    return issue;
  });
  const runs = await Promise.all(
    worlds.map(async (world, index) => {
      const issue = issues[index] ?? 0;
      await world.untilState(issue, "In Review");
      const sessions = await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);
      return sessions.map(({ run, role, outcome }) => [run, role, outcome]);
    }),
  );
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[0]?.map(([, role]) => role)).toEqual(["gate", "build", "review"]);
});
