/** A login as a browser does it: to the forge, which is another site, and back, with cookies as it keeps them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorld, type World } from "../world.ts";
import { chromiumPath, launch } from "./chromium.ts";

const client = { id: "Iv23liforgehand", secret: "0123456789abcdef0123" };

describe.skipIf(chromiumPath === undefined)("a login in a browser", () => {
  let browser: Browser;
  let world: World;
  let publicUrl: string;
  beforeAll(async () => {
    const port = await freePort();
    // The forge is at 127.0.0.1: for a browser, another site.
    publicUrl = `http://localhost:${port}`;
    [browser, world] = await Promise.all([
      launch(),
      openWorld({ environment: { port, access: { publicUrl, client } } }),
    ]);
    const { logins } = world.hub.registration;
    Object.assign(logins, { callbackUrls: [`${publicUrl}/login/github/callback`], consent: { by: "bob" } });
    Object.assign(logins.client, client);
  });
  afterAll(async () => {
    await browser.close();
    await world.close();
  });

  test("leads to the page they wanted, and a link on another site finds them in", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${publicUrl}/find?q=date`);
    await page.getByRole("link", { name: "Log in with GitHub" }).click();
    await page.waitForURL(`${publicUrl}/find?q=date`);
    expect(await page.getByRole("link", { name: "bob" }).count()).toBe(1);
    const [session, ...more] = await context.cookies(publicUrl);
    expect(more).toEqual([]);
    expect(session).toMatchObject({ httpOnly: true, sameSite: "Strict" });

    await page.goto(`${world.hub.url}/settings/apps/new`);
    await page.setContent(`<a href="${publicUrl}/board">the board</a>`);
    await page.getByRole("link", { name: "the board" }).click();
    await page.waitForURL(`${publicUrl}/board`);
    await page.getByRole("link", { name: "bob" }).waitFor();

    await page.goto(`${publicUrl}/sessions`);
    await page.getByRole("button", { name: "End all of mine" }).click();
    await page.getByRole("link", { name: "Log in with GitHub" }).waitFor();
    await context.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
