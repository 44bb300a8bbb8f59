/** `forgehand notify`: what it sends, what it shows, and what it never shows. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkNotify } from "../../src/cli/doctor-notify.ts";
import { notifyList, notifyTest } from "../../src/cli/notify.ts";
import { channelOf, item, openServices, urlsOn, type Services } from "../notify/services.ts";
import { fillDatabase, type Filled } from "./filled.ts";

let services: Services;
let filled: Filled;
beforeEach(async () => {
  services = await openServices();
  filled = await fillDatabase();
  vi.stubEnv("XDG_CONFIG_HOME", filled.dir);
  vi.stubEnv("FORGEHAND_DATABASE", filled.database);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  filled.close();
  await services.close();
});

test("a test message goes to every channel that is set", async () => {
  const { webhook, gotify } = urlsOn(services);
  vi.stubEnv("FORGEHAND_NOTIFY", `${webhook}\n${gotify}`);
  const answer = await notifyTest({});
  expect(answer.exit).toBeUndefined();
  expect(answer.text).toMatch(/^webhook at 127\.0\.0\.1:\d+ \([0-9a-f]{8}\): sent\ngotify .*: sent$/u);
  expect(services.requests.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["/hooks/one", "/message"]),
  );
  expect(JSON.stringify(answer)).not.toContain("sEcReT");
});

test("a channel that refuses is told with its reason and without its secret, and the command fails", async () => {
  services.answer({ status: 401, body: "unknown token AsEcReT.gotify01" });
  const answer = await notifyTest({ url: urlsOn(services).gotify });
  expect(answer).toMatchObject({
    exit: 8,
    data: [{ sent: false, why: expect.stringContaining("status 401") }],
  });
  expect(JSON.stringify(answer)).not.toContain("sEcReT");
});

test("a wrong URL, and none at all, are said with what to do", async () => {
  await expect(notifyTest({ url: "slack://sEcReT" })).rejects.toThrow(
    /URL 1 of 1 \(slack\): the three parts/u,
  );
  await expect(notifyTest({ url: "slack://sEcReT" })).rejects.not.toThrow(/sEcReT/u);
  await expect(notifyTest({})).rejects.toThrow(/no channel is set: give FORGEHAND_NOTIFY/u);
});

test("the list tells what each channel hears and how it stands, and no secret", async () => {
  const url = `${urlsOn(services).gotify}?events=blocked,cap&quiet=22:00-07:00&tz=Europe/Berlin&name=On-call`;
  vi.stubEnv("FORGEHAND_NOTIFY", url);
  const channel = channelOf(url);
  await filled.look(async (store) => {
    await store.putNotifications([{ channel: channel.id, key: "one", topic: "one", item: item() }], {
      windowMs: 1,
      now: 1_000,
    });
    await store.beginMessage([1], "m");
    await store.endNotifications([1], { state: "failed", note: "no such application", at: 2_000 });
  });
  const answer = await notifyList({});
  expect(answer.data).toMatchObject([
    {
      id: channel.id,
      label: expect.stringMatching(/^On-call \(gotify at/u),
      events: ["blocked", "cap"],
      quiet: "22:00-07:00",
      tz: "Europe/Berlin",
      waiting: 0,
      sentAt: null,
      failedAt: "1970-01-01T00:00:02.000Z",
      trouble: "no such application",
    },
  ]);
  expect(JSON.stringify(answer)).not.toContain("sEcReT");
  const findings = await checkNotify({ notify: [channel], database: filled.database });
  expect(findings).toMatchObject([
    { is: "warn", what: expect.stringContaining("no such application"), fix: "forgehand notify test" },
  ]);
});

test("without a channel the list and doctor say how to set one", async () => {
  expect(await notifyList({})).toMatchObject({ data: [], hint: expect.stringContaining("FORGEHAND_NOTIFY") });
  expect(await checkNotify({ notify: undefined, database: "/nowhere" })).toMatchObject([{ is: "ok" }]);
});
