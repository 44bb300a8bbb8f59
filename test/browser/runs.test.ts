/** Runs and logs as people use them in a browser: frames by keys, a log that is followed, and a flood of it. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { packMember } from "../../src/adapters/logs/gzip-members.ts";
import { openWorld, type World } from "../world.ts";
import { chromiumPath, launch, visit, type Visitor } from "./chromium.ts";

describe.skipIf(chromiumPath === undefined)("runs in a browser", () => {
  let browser: Browser;
  let world: World;
  let visitor: Visitor;
  let ticket: string;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    world = await openWorld();
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    await world.untilState(issue, "In Review");
    ticket = `github:${world.repo.id}#${issue}`;
    visitor = await visit(browser, world.forgehand);
  });
  afterEach(async () => {
    expect(visitor.complaints).toEqual([]);
    await visitor.close();
    await world.close();
  });

  test("arrows walk through the frames of a run, and the address follows", async () => {
    const { page } = visitor;
    await visitor.go(`/runs/${encodeURIComponent(`${ticket}/2`)}`);
    await page.getByRole("heading", { name: "Frames" }).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.getByText("As it was at frame").waitFor();
    const at = Number(new URL(page.url()).searchParams.get("frame"));
    await page.keyboard.press("ArrowLeft");
    await page.getByText(`As it was at frame ${at - 1} of`).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.getByText(`As it was at frame ${at} of`).waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get("frame")).toBe(String(at));
  });

  test("a log is followed; it waits for whoever reads further up, and a flood leaves the page small", async () => {
    const { page } = visitor;
    const { store } = world.forgehand;
    const logPath = join(world.dir, "live", "live.jsonl.gz");
    mkdirSync(join(world.dir, "live"), { recursive: true });
    const say = (...texts: readonly string[]): void =>
      appendFileSync(
        logPath,
        packMember(texts.map((text) => `${JSON.stringify({ at: 1, type: "text", text })}\n`).join("")),
      );
    say(...Array.from({ length: 100 }, (_none, at) => `line ${at}`));
    const session = { key: "live", run: `${ticket}/2`, ticket, role: "build", runtime: "codex" };
    await store.openSession({ ...session, logPath, at: 1 });
    const id = (await store.sessionsOf(ticket)).at(-1)?.id;
    await visitor.go(`/sessions/${id}/log`);
    const list = page.locator("[data-log-lines]");
    await list.getByText("line 99", { exact: true }).waitFor();
    say("<b>live</b> \u001b[31mword");
    await list.getByText("<b>live</b> word").waitFor();
    await page.evaluate(`document.querySelector("[data-log-lines]").scrollTop = 0`);
    await page.getByText("Paused.").waitFor();
    say("behind");
    await page.getByRole("button", { name: "Follow (1 new)" }).click();
    await list.getByText("behind", { exact: true }).waitFor();
    const noise = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(300))).toString("base64");
    for (let sent = 0; sent < 10 * 1024 * 1024; sent += 160 * 400) say(...Array.from({ length: 160 }, noise));
    say("the last word");
    await list.getByText("the last word", { exact: true }).waitFor();
    expect(await list.locator("li").count()).toBeLessThanOrEqual(2_000);
    await page.getByText("went by too fast to show").waitFor();
    await store.changeSession("live", { outcome: "done", endedAt: 2 });
    await page.getByText("The session is over.").waitFor();
  });
});
