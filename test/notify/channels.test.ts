/** FORGEHAND_NOTIFY: what is taken, what is refused, and that nothing refused is repeated. */
import { describe, expect, test } from "vitest";
import { readEnvironment } from "../../src/config-environment.ts";
import { notifySchema, readChannel } from "../../src/config-notify.ts";
import { hearsOf } from "../../src/config-notify-hears.ts";
import { secretValues } from "../../src/config-secrets.ts";
import { Problem } from "../../src/problems.ts";
import { channelOf, urlsOn } from "./services.ts";

const urls = urlsOn({ url: "http://127.0.0.1:1", host: "127.0.0.1:1" });

test.each([
  [
    "slack://T000/B000/XXXXYYYY",
    { service: "slack", url: "https://hooks.slack.com/services/T000/B000/XXXXYYYY" },
  ],
  [
    "https://hooks.slack.com/services/T000/B000/XXXXYYYY",
    { service: "slack", url: "https://hooks.slack.com/services/T000/B000/XXXXYYYY" },
  ],
  [
    "slack://xoxb-123-456-abc/C0123",
    { service: "slack-bot", api: "https://slack.com/api", channel: "C0123" },
  ],
  [
    "discord://123456789/token_token-1",
    { service: "discord", url: "https://discord.com/api/webhooks/123456789/token_token-1?wait=true" },
  ],
  ["https://discord.com/api/webhooks/123456789/token_token-1", { service: "discord" }],
  [
    "discord://123456789/token_token-1?thread=987654321",
    { url: expect.stringContaining("thread_id=987654321") },
  ],
  [
    "tgram://123456:ABCDEFGHIJ/-100123",
    { service: "telegram", token: "123456:ABCDEFGHIJ", chat: "-100123", topic: undefined },
  ],
  ["telegram://123456:ABCDEFGHIJ/@acme_ops:5", { chat: "@acme_ops", topic: 5 }],
  ["ntfy://acme-topic", { service: "ntfy", root: "https://ntfy.sh", topic: "acme-topic" }],
  [
    "ntfys://ntfy.example.com/sub/topic",
    { root: "https://ntfy.example.com/sub", topic: "topic", authorization: undefined },
  ],
  ["ntfy://tk_abc@10.0.0.5:8080/topic", { root: "http://10.0.0.5:8080", authorization: "Bearer tk_abc" }],
  ["ntfys://ada:p%40ss@ntfy.example.com/topic", { authorization: `Basic ${btoa("ada:p@ss")}` }],
  [
    "gotifys://gotify.example.com/base/AbCdEf.123",
    { service: "gotify", root: "https://gotify.example.com/base", token: "AbCdEf.123" },
  ],
  [
    "jsons://hooks.example.com/a?secret=0123456789abcdef&team=core",
    { service: "webhook", url: "https://hooks.example.com/a?team=core", secret: "0123456789abcdef" },
  ],
  [
    "webhook+https://u:p@hooks.example.com/a",
    { url: "https://hooks.example.com/a", authorization: `Basic ${btoa("u:p")}` },
  ],
  [
    "smtps://ada:s3cret@mail.example.com/?from=f@example.com&to=a@example.com,b@example.com",
    { service: "mail", port: 465, security: "tls", to: ["a@example.com", "b@example.com"] },
  ],
  [
    "smtp://ada:s3cret@mail.example.com/?from=f@example.com&to=a@example.com",
    { port: 587, security: "starttls" },
  ],
  [
    "smtp://127.0.0.1:25?from=f@example.com&to=a@example.com",
    { port: 25, security: "plain", login: undefined },
  ],
  [
    "mailtos://ada:s3cret@mail.example.com?from=f@example.com&to=a@example.com",
    { port: 465, security: "tls" },
  ],
  [
    "mailto:ops@example.com?server=smtps://ada:s3cret@mail.example.com&from=f@example.com",
    { host: "mail.example.com", to: ["ops@example.com"], login: { user: "ada", password: "s3cret" } },
  ],
])("%s is read", (url, target) => {
  expect(channelOf(url).target).toMatchObject(target);
});

test("options say what a channel hears, and when", () => {
  const { rules, label } = channelOf(
    "ntfys://n.example.com/t?events=waiting,blocked,merged,cap,digest&repo=acme/*,other/one&quiet=22:00-07:00&tz=Europe/Berlin&urgent=blocked,cap&digest=08:30&name=On-call",
  );
  expect([...rules.kinds]).toEqual(["waiting", "blocked", "merged", "cap", "digest"]);
  expect([...rules.urgent]).toEqual(["blocked", "cap"]);
  expect(rules).toMatchObject({
    quiet: { from: { hour: 22, minute: 0 }, to: { hour: 7, minute: 0 } },
    timeZone: "Europe/Berlin",
    digestAt: { hour: 8, minute: 30 },
  });
  expect(label).toBe("On-call (ntfy at n.example.com)");
  expect(
    ["acme/web", "Acme/.github", "other/one", "other/two", "evil/acme"].map((repo) => hearsOf(rules, repo)),
  ).toEqual([true, true, true, false, false]);
});

test("a channel for some repositories hears of the whole host only when it says so", () => {
  expect([...channelOf("ntfy://topic?repo=acme/*").rules.kinds]).toEqual([
    "waiting",
    "blocked",
    "merged",
    "digest",
  ]);
  expect([...channelOf("ntfy://topic?repo=acme/*&events=cap").rules.kinds]).toEqual(["cap"]);
});

test("min leaves out what matters less", () => {
  expect([...channelOf("ntfy://topic?min=urgent").rules.kinds]).toEqual(["blocked", "cap"]);
  expect([...channelOf("ntfy://topic?min=notice").rules.kinds]).toEqual([
    "waiting",
    "blocked",
    "cap",
    "runtime",
  ]);
});

test.each([
  ["", /1 to 20 URLs/u],
  ["hunter2-hunter2", /no scheme.*it must begin with one of slack:/u],
  ["slak://T000/B000/sEcReT", /did you mean slack\?/u],
  ["slack://T000/sEcReT", /three parts of an incoming webhook/u],
  ["slack://xoxb-1234567890-sEcReT", /channel's id is expected/u],
  ["discord://abc/sEcReT-sEcReT", /number and token/u],
  ["tgram://sEcReT/1", /a bot's token and a chat/u],
  ["ntfys://n.example.com/", /a server and a topic/u],
  ["gotifys://g.example.com/", /application's token/u],
  ["jsons://?x=1", /address of a server/u],
  ["jsons://h.example.com/?secret=sEcReT", /at least 16/u],
  ["smtps://a:sEcReT@m.example.com?to=a@example.com", /from= takes an address/u],
  ["smtps://a:sEcReT@m.example.com?from=a@example.com&to=x%0d%0aBcc:y@example.com", /to= takes/u],
  ["smtps://a:sEcReT%zz@m.example.com?from=a@example.com&to=b@example.com", /%25/u],
  ["mailto:ops@example.com", /who is to send it\?/u],
  ["https://h.example.com/sEcReT", /write jsons:\/\//u],
  ["ntfy://topic#sEcReT", /%23/u],
  ["ntfy://topic?evnts=waiting", /no option evnts; did you mean events\?/u],
  ["ntfy://topic?sEcReT-sEcReT=1", /an option that is not known/u],
  ["jsons://h.example.com/?event=waiting", /did you mean events\?/u],
  ["ntfy://topic?events=sEcReT", /events= takes waiting/u],
  ["ntfy://topic?urgent=", /urgent= takes/u],
  ["ntfy://topic?min=most", /min= takes one of info, notice, urgent/u],
  ["ntfy://topic?tz=Mars/Olympus", /time zone/u],
  ["ntfy://topic?tz=%2B02:00", /time zone/u],
  ["ntfy://topic?quiet=22-7", /quiet= takes two different times/u],
  ["ntfy://topic?quiet=22:00-22:00", /quiet= takes/u],
  ["ntfy://topic?digest=25:00", /digest= takes/u],
  ["ntfy://topic?repo=sEcReT", /repo= takes repositories/u],
  ["ntfy://topic?events=merged&min=urgent", /leave nothing to tell/u],
  ["ntfy://topic?name=%1b%5b31m", /name= takes/u],
  [`ntfy://topic?repo=${"a".repeat(2_000)}/b`, /longer than 2000/u],
  ["ntfy://topic ntfy://topic", /it stands there twice/u],
  [Array.from({ length: 21 }, (_, n) => `ntfy://topic-${n}`).join("\n"), /1 to 20 URLs/u],
] as const)("%j is refused with a reason, and not repeated", (text, wrong) => {
  const parsed = notifySchema().safeParse(text);
  expect(parsed.error?.issues[0]?.message).toMatch(wrong);
  expect(JSON.stringify(parsed.error?.issues)).not.toMatch(/sEcReT|hunter2/u);
});

test("one wrong URL of several is named by its place, as a Problem at the start", () => {
  const read = (): unknown =>
    readEnvironment({ FORGEHAND_NOTIFY: "ntfy://topic\n slack://sEcReT" }, () => "", {
      home: "/h",
      isThere: () => false,
    });
  expect(read).toThrow(Problem);
  expect(read).toThrow(/FORGEHAND_NOTIFY is wrong: URL 2 of 2 \(slack\)/u);
  expect(read).not.toThrow(/sEcReT/u);
});

test("several URLs come from a file of lines", () => {
  const { notify } = readEnvironment(
    { FORGEHAND_NOTIFY_FILE: "/run/secrets/notify" },
    () => "ntfy://topic\nslack://T000/B000/XXXXYYYY\n",
    { home: "/h", isThere: () => false },
  );
  expect(notify?.map(({ id }) => id)).toEqual([
    expect.stringMatching(/^ntfy-[0-9a-f]{8}$/u),
    expect.stringMatching(/^slack-[0-9a-f]{8}$/u),
  ]);
});

describe("no secret of a channel", () => {
  test.each(Object.entries(urls))(
    "of %s is in its id or label, and all of them are kept out of logs",
    (_, url) => {
      const channel = channelOf(url);
      expect(`${channel.id} ${channel.label}`).not.toMatch(/sEcReT/u);
      const known = secretValues({ github: undefined, notify: [channel] }, {}, new Map());
      expect(known.some((value) => /sEcReT/u.test(value))).toBe(true);
    },
  );
});

test("the same place under another name is another channel", () => {
  const [one, other] = ["ntfy://topic?name=one", "ntfy://topic?name=other"].map((url) => readChannel(url));
  expect(one).not.toEqual(other);
  expect(notifySchema().safeParse("ntfy://topic?name=one ntfy://topic?name=other").success).toBe(true);
});
