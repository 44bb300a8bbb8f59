/** What people do in a browser, played on a real forgehand over the simulated forge. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";
import { chromiumPath, launch, sizes, visit, type Visitor } from "./chromium.ts";

describe.skipIf(chromiumPath === undefined)("in a browser", () => {
  let browser: Browser;
  let world: World;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(async () => {
    expect(visitor.complaints).toEqual([]);
    await visitor.close();
    await world.close();
  });
  const idOf = (issue: number): string => `github:${world.repo.id}#${issue}`;
  const released = (): number => {
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    return issue;
  };

  test("a ticket is watched from its label to its merge, on a page that nobody reloads", async () => {
    visitor = await visit(browser, world.forgehand);
    const { page } = visitor;
    await visitor.go("/board");
    await page.getByText("No open tickets").waitFor();
    // A reload would lose it.
    await page.evaluate(`window.isStillHere = true`);
    const issue = released();
    const row = page.getByRole("row", { name: `acme/web#${issue}` });
    await row.waitFor();
    await row.getByText("In Review").waitFor();
    await expect.poll(() => page.title()).toContain("(1)");
    await world.people.approve(await world.pullOf(issue), "ada");
    await row.waitFor({ state: "detached" });
    await page.getByText("1 over").waitFor();
    await expect.poll(() => page.title()).not.toContain("(1)");
    expect(await page.evaluate(`window.isStillHere`)).toBe(true);
    expect(await world.stateOf(issue)).toBe("Done");
  });

  test("a person approves on a phone, and it is merged in their name", async () => {
    const issue = released();
    await world.untilState(issue, "In Review");
    visitor = await visit(browser, world.forgehand, {
      viewport: sizes.phone,
      isMobile: true,
      hasTouch: true,
    });
    const { page } = visitor;
    await page.getByRole("link", { name: `acme/web#${issue}` }).tap();
    await page.getByRole("button", { name: "Approve this head" }).tap();
    await world.untilState(issue, "Done");
    await page.getByText("merged", { exact: false }).first().waitFor();
    const lines = await world.forgehand.store.linesOf(idOf(issue));
    expect(lines.find(({ event }) => event.type === "human.approved")?.actor).toBe("operator:ada");
  });

  test("keys lead everywhere: the sheet, the filter, the palette, and from row to row", async () => {
    const first = released();
    await world.untilState(first, "In Review");
    visitor = await visit(browser, world.forgehand);
    const { page } = visitor;
    await visitor.go("/board");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type("nothing like it");
    await page.getByRole("row", { name: `acme/web#${first}` }).waitFor({ state: "hidden" });
    await page.locator("#filter").fill("");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: `acme/web#${first}` }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("say done");
    await page.getByRole("option", { name: `acme/web#${first}` }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("boar");
    await page.getByRole("option", { name: "Board" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Board" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("w");
    await page.getByRole("heading", { name: "Waiting for you" }).waitFor();
  });

  test("a stream that was cut goes on where it stood", async () => {
    visitor = await visit(browser, world.forgehand);
    const { page } = visitor;
    await visitor.go("/board");
    await page.getByText("No open tickets").waitFor();
    await page.context().setOffline(true);
    const issue = released();
    await world.untilState(issue, "In Review");
    await page.context().setOffline(false);
    await page.getByRole("row", { name: `acme/web#${issue}` }).waitFor();
    // The browser tells that it was cut off, and of nothing else.
    expect(visitor.forget(/ERR_INTERNET_DISCONNECTED|Failed to fetch/u)).toBeGreaterThan(0);
  });

  test("the theme that somebody chose stays, and all is read without scripts", async () => {
    const issue = released();
    await world.untilState(issue, "In Review");
    visitor = await visit(browser, world.forgehand, { colorScheme: "light" });
    const { page } = visitor;
    const ground = (): Promise<string> =>
      page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`);
    const light = await ground();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    await page.reload();
    await page.getByRole("button", { name: "Theme: dark" }).waitFor();
    expect(await ground()).not.toBe(light);
    const plain = await visit(browser, world.forgehand, { javaScriptEnabled: false });
    await plain.page.getByRole("link", { name: `acme/web#${issue}` }).click();
    await plain.page.getByText("Timeline").waitFor();
    await plain.page.getByRole("button", { name: "Approve this head" }).click();
    await world.untilState(issue, "Done");
    await plain.close();
  });
});
