/** What one person may cost everybody else: no more than a named limit. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Web } from "../../src/web/app.ts";
import { hashed, maxFormBytes } from "../../src/web/door.ts";
import { mostOfOne } from "../../src/web/rooms/stream.ts";
import { asking, comeIn, openStage, root, type Stage } from "./stage.ts";

let stage: Stage;
let web: Web;
const ask = asking(() => web);
beforeAll(async () => {
  stage = await openStage();
  web = stage.open();
});
afterAll(() => stage.close());

describe("a form", () => {
  /** One that says how long it is, and one that goes on. */
  const bodies = (text: string): readonly RequestInit[] => [
    { body: text, headers: { "content-length": String(text.length) } },
    { body: new Blob([text]).stream(), duplex: "half" } as RequestInit,
  ];
  const statuses = async (path: string, text: string, headers: Record<string, string>): Promise<number[]> => {
    const found: number[] = [];
    for (const { headers: more, ...init } of bodies(text)) {
      const type = { "content-type": "application/x-www-form-urlencoded" };
      const all = { ...type, ...headers, ...(more as Record<string, string>) };
      found.push((await ask(path, { ...init, method: "POST", headers: all })).status);
    }
    return found;
  };

  test.each(["/halt-all", "/tickets/github%3A77%231/tell", "/runs/x/answer", "/leave"])(
    "to %s that is longer than any of ours is not read, with whatever it comes",
    async (path) => {
      const { cookie, csrf } = await comeIn(stage, ask);
      const text = `csrf=${csrf}&text=${"x".repeat(maxFormBytes)}`;
      const inside = { cookie, origin: root };
      expect(await statuses(path, text, inside)).toEqual([413, 413]);
      expect(await statuses(path, text, { ...inside, "x-csrf-token": csrf })).toEqual([413, 413]);
      expect(await statuses(path, text, {})).toEqual([413, 413]);
    },
  );

  test("as long as a ticket's text may be in any script is read", async () => {
    const { cookie, csrf } = await comeIn(stage, ask);
    const text = new URLSearchParams({ csrf, text: "語".repeat(60_000) }).toString();
    const path = "/tickets/github%3A77%231/nothing";
    expect(await statuses(path, text, { cookie, origin: root })).toEqual([404, 404]);
  });
});

test("one person has so many live pages, and others theirs; one that is closed makes room", async () => {
  const { cookie } = await comeIn(stage, ask);
  await stage.store.keepApiToken(hashed("fh_other"), {
    name: "other",
    scope: "read",
    repos: undefined,
    madeBy: "x",
    madeAt: 0,
    expiresAt: undefined,
  });
  // Whoever is behind is told at once, so that each looks whether it is still listened to.
  const open = () => ask("/events?since=0", { headers: { cookie, accept: "text/event-stream" } });
  const streams = await Promise.all(Array.from({ length: mostOfOne }, open));
  expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await open()).status).toBe(503);
  const other = await ask("/events?since=0", { headers: { authorization: "Bearer fh_other" } });
  expect(other.status).toBe(200);
  await Promise.all([other, ...streams].map((one) => one.body?.cancel()));
  await stage.store.set("something", "happened", "x", stage.clock.now);
  await expect
    .poll(
      async () => {
        const again = await open();
        await again.body?.cancel();
        return again.status;
      },
      { timeout: 10_000 },
    )
    .toBe(200);
});
