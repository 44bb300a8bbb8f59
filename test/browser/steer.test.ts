/** Steering in a browser: more money for a ticket and for the day, and a run taken back to an earlier frame. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadWorkflow } from "../../src/adapters/workflows/file.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { thisProcess } from "../../src/adapters/owner.ts";
import { openEngine, startRun } from "../../src/engine/index.ts";
import { openSqlite } from "../../src/sql.ts";
import { openWorld, type World } from "../world.ts";
import { chromiumPath, launch, sizes, visit, type Visitor } from "./chromium.ts";

const workflow = `
import { z } from "zod";
import { Approval, Sequence, Task, workflow } from "forgehand";
export default workflow({
  name: "release",
  input: z.unknown(),
  output: z.unknown(),
  render: () => (
    <Sequence>
      <Task id="plan" output={z.string()} perform={() => "planned"} />
      <Task id="pack" output={z.string()} perform={() => "packed"} />
      <Approval id="ship" ask="Ship it?" />
    </Sequence>
  ),
  result: () => "shipped",
});
`;
/** A build that spends what it may, and then asks. */
const dear = {
  role: "build",
  steps: [
    { write: { path: "src/half.txt", text: "half\n" } },
    { usage: { inputTokens: 1000, outputTokens: 100, usd: 6 } },
    { fail: { how: "unfinished", code: "budget", why: "the run spent its $5" } },
  ],
};

describe.skipIf(chromiumPath === undefined)("steering in a browser", () => {
  let browser: Browser;
  let world: World;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    expect(visitor.complaints).toEqual([]);
    await visitor.close();
    await world.close();
  });

  test("a ticket that has spent its money is allowed more on a phone, and goes on to its review", async () => {
    world = await openWorld({ scenes: [dear] });
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "Blocked");
    world.scenes([]);
    visitor = await visit(browser, world.forgehand, {
      viewport: sizes.phone,
      hasTouch: true,
      isMobile: true,
    });
    const { page } = visitor;
    const card = page.getByRole("listitem").filter({ hasText: `acme/web#${issue}` });
    await card.getByText("Wants more money").waitFor();
    await card.getByLabel("Dollars more").fill("8");
    await card.getByRole("button", { name: "Allow" }).tap();
    await world.untilState(issue, "In Review");
    const lines = await world.forgehand.store.linesOf(`github:${world.repo.id}#${issue}`);
    expect(lines.find(({ event }) => event.type === "budget.raised")).toMatchObject({
      actor: "operator:ada",
      event: { usd: 8 },
    });
  });

  test("today's cap is raised, and what waited for money starts", async () => {
    world = await openWorld({ environment: { dayStopUsd: 1, dayWarnUsd: 1 } });
    const { store } = world.forgehand;
    const earlier = { key: "earlier", run: "earlier", ticket: `github:${world.repo.id}#99`, role: "build" };
    const named = { repo: world.repo.id, number: 99, ref: "acme/web#99", title: "", url: "", author: "bob" };
    await store.name(earlier.ticket, { ...named, branch: "earlier" }, Date.now());
    await store.openSession({ ...earlier, runtime: "codex", logPath: undefined, at: Date.now() });
    await store.changeSession("earlier", { usd: 2, outcome: "done", endedAt: Date.now() });
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "Ready");
    await world.settled();
    expect(await world.stateOf(issue)).toBe("Ready");
    visitor = await visit(browser, world.forgehand);
    const { page } = visitor;
    await visitor.go("/health");
    await page.getByLabel("Today everything may cost").fill("50");
    await page.getByRole("button", { name: "Set today's cap" }).click();
    await world.untilState(issue, "In Review");
    await page.getByText("$50.00").first().waitFor();
  });

  test("a run is taken back to an earlier frame, and says who did that and why", async () => {
    world = await openWorld();
    const file = join(world.dir, "release.tsx");
    writeFileSync(file, workflow);
    const release = await loadWorkflow(file);
    const sql = openSqlite(world.environment.database);
    const clock = systemClock();
    const engine = openEngine({
      sql,
      clock,
      random: Math.random,
      owner: thisProcess(),
      isDead: () => false,
      workflows: [release],
      workflowOf: async () => release,
      log: { info: () => undefined, error: () => undefined },
      checkDeterminism: true,
    });
    const spec = {
      run: "spring",
      workflow: "release",
      source: file,
      folder: world.dir,
      input: {},
      at: clock.now(),
    };
    await sql.commit(() => startRun(spec));
    engine.poke();
    await world.until("it asks", async () => (await engine.run("spring"))?.status === "waiting");
    visitor = await visit(browser, world.forgehand);
    const { page } = visitor;
    await visitor.go("/runs/spring");
    await page.getByText("Ship it?").first().waitFor();
    await engine.down(0);
    await visitor.go("/runs/spring?frame=1");
    await page.getByText("As it was at frame 1").waitFor();
    await page.getByText("What you can do").click();
    const form = page.locator("form", { has: page.getByRole("button", { name: "Rewind to it" }) });
    await form.getByLabel("Note").fill("pack it anew");
    await form.getByRole("button", { name: "Rewind to it" }).click();
    await page.getByText("pack it anew").first().waitFor();
    await page.getByText("operator:ada").first().waitFor();
    const frames = await world.forgehand.engine.run("spring");
    expect(frames?.status).not.toBe("finished");
    await visitor.go("/runs/spring");
    await page.getByText("1/1").first().waitFor();
    sql.close();
  });
});
