/** A link that lets somebody in, and the page that says why one did not. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Web } from "../../src/web/app.ts";
import { hashed } from "../../src/web/door.ts";
import { asking, openStage, type Stage } from "./stage.ts";

let stage: Stage;
let web: Web;
const ask = asking(() => web);
beforeAll(async () => {
  stage = await openStage();
  web = stage.open();
});
afterAll(() => stage.close());

test("a link that something only looks at stays good for who follows it", async () => {
  await stage.store.giveWebToken(hashed("looked-at"), "operator:ada", stage.clock.now + 1_000);
  const looked = await ask("/enter?token=looked-at", { method: "HEAD" });
  expect([looked.status, looked.headers.get("set-cookie")]).toEqual([204, null]);
  expect((await ask("/enter?token=looked-at")).headers.get("location")).toBe("/");
});

test.each(["__proto__", "constructor", "toString", "x"])(
  "no reason of ours is told as none: %s",
  async (why) => {
    const usual = await (await ask("/login")).text();
    expect(await (await ask(`/login?why=${why}`)).text()).toBe(usual);
  },
);
