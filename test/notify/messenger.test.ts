/** Each service over real HTTP on loopback: the form of what it is sent, hostile words in it, and every way it may answer. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openMessenger, signatureOf } from "../../src/adapters/notify/messenger.ts";
import { Trouble } from "../../src/ports.ts";
import { titleWords } from "../../src/says-notify.ts";
import { channelOf, item, message, openServices, urlsOn, type Services } from "./services.ts";

let services: Services;
beforeEach(async () => {
  services = await openServices();
});
afterEach(() => services.close());

const now = Date.UTC(2026, 0, 5, 10);
type Service = keyof ReturnType<typeof urlsOn>;
const names = Object.keys(urlsOn({ url: "", host: "" })) as Service[];
const send = async (service: Service, over: Parameters<typeof message>[0] = {}, timeoutMs = 2_000) => {
  const messenger = openMessenger({ fetch, clock: { now: () => now }, timeoutMs });
  await messenger.send(channelOf(urlsOn(services)[service]), message(over));
  return services.requests.at(-1) ?? expect.fail("nothing was sent");
};
const troubleOf = async (service: Service, timeoutMs?: number): Promise<Trouble> => {
  const error: unknown = await send(service, {}, timeoutMs).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Trouble)) throw new Error(`no trouble but ${String(error)}`);
  return error;
};

test("a webhook of Slack gets blocks, our words as mrkdwn and those of others as plain text", async () => {
  const { path, json } = await send("slack");
  expect(path).toBe("/services/T00000000/B00000000/sEcReTsLaCk0123456789");
  expect(json).toMatchObject({
    text: "acme/web#42 waits for your review",
    unfurl_links: false,
    link_names: false,
    blocks: [
      {
        text: {
          type: "mrkdwn",
          text: expect.stringContaining("<https://forge.example/acme/web/pull/7|Open>"),
        },
      },
      { text: { type: "plain_text", text: "“Say done”\nWhy: it touches the login" } },
    ],
  });
});

test("a bot of Slack posts into its channel, with its token in a header", async () => {
  const { path, headers, json } = await send("slack-bot");
  expect([path, headers.authorization, json["channel"]]).toEqual([
    "/api/chat.postMessage",
    "Bearer xoxb-1234567890-sEcReT",
    "C0123456789",
  ]);
});

test("Discord gets Markdown that mentions nobody", async () => {
  const { path, json } = await send("discord");
  expect(path).toBe("/api/webhooks/123456789012345678/sEcReT-discord_0123456789?wait=true");
  expect(json).toEqual({
    content: expect.stringContaining("<https://forge.example/acme/web/pull/7>"),
    allowed_mentions: { parse: [] },
    flags: 4,
  });
});

test("Telegram gets HTML for a chat and its topic", async () => {
  const { path, json } = await send("telegram");
  expect(path).toBe("/bot123456789:sEcReT-telegram_0123456789/sendMessage");
  expect(json).toMatchObject({
    chat_id: "-1001234567890",
    message_thread_id: 7,
    parse_mode: "HTML",
    text: expect.stringContaining("<b>acme/web#42 waits for your review</b>\n“<code>Say done</code>”"),
  });
});

test("ntfy gets JSON at its root, with a tap that leads to the answer", async () => {
  const { path, headers, json } = await send("ntfy");
  expect([path, headers.authorization]).toEqual(["/", "Bearer tk_sEcReT0123456789"]);
  expect(json).toEqual({
    topic: "acme-alerts",
    title: "acme/web#42 waits for your review",
    message: expect.stringMatching(/^“Say done”\nWhy: it touches/u),
    priority: 3,
    click: "https://forge.example/acme/web/pull/7",
  });
});

test("Gotify gets its token in a header and plain text", async () => {
  const { path, headers, json } = await send("gotify", { items: [item({ kind: "blocked" })] });
  expect([path, headers["x-gotify-key"]]).toEqual(["/message", "AsEcReT.gotify01"]);
  expect(json).toMatchObject({
    priority: 8,
    extras: {
      "client::display": { contentType: "text/plain" },
      "client::notification": { click: { url: "https://forge.example/acme/web/pull/7" } },
    },
  });
});

test("a webhook is signed over id, time and body, and a repeat bears the same id", async () => {
  const { headers, text, json } = await send("webhook");
  await send("webhook");
  const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
  expect([id, timestamp]).toEqual(["slack-1.abc.1.0", String(now / 1000)]);
  expect(headers["webhook-signature"]).toBe(
    `v1,${signatureOf("sEcReT-of-the-webhook", `${String(id)}.${String(timestamp)}.${text}`)}`,
  );
  expect(json).toMatchObject({
    schema: "notification/1",
    items: [{ kind: "waiting", title: "Say done", ticket: "github:1#42" }],
  });
  expect(services.requests.map((one) => one.headers["webhook-id"])).toEqual([id, id]);
});

test("a signature is the one that Standard Webhooks publishes as its example", () => {
  const signed = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}';
  expect(signatureOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", signed)).toBe(
    "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

describe("words of others", () => {
  const hostile =
    "<!channel> @everyone <@U1> [Approve](https://evil.example) *b* _i_ `c` </b><a href=x>\u001b[31m\u202e\r\nBcc: all@example.com <https://evil.example|Open> &amp; ||s||";
  const told = { items: [item({ quoted: titleWords(hostile), why: undefined })] };
  test.each(names)("are one harmless line in %s", async (service) => {
    const { text, json } = await send(service, told);
    for (const sign of ["\\r", "\\u001b", "\\u202e", "\r", "\u001b", "\u202e", "https://evil"])
      expect(text).not.toContain(sign);
    const shown = JSON.stringify(json);
    if (service.startsWith("slack")) {
      const [first, second] = (json["blocks"] as { text: { type: string; text: string } }[]) ?? [];
      expect(first?.text.text).not.toMatch(/channel|evil/u);
      expect(second?.text.type).toBe("plain_text");
      expect(json["text"]).not.toMatch(/<!/u);
    }
    if (service === "discord")
      expect(json["content"]).not.toMatch(/(?<!\\)[[*_`|]b|(?<!\\)@everyone|(?<!\\)<@U1/u);
    if (service === "telegram") {
      expect(json["text"]).not.toMatch(/<\/b><a|<!channel>/u);
      expect(json["text"]).toContain("<code>&lt;!channel&gt; @everyone");
    }
    expect(shown).toContain("evil");
  });

  test("a URL that would end its link early is encoded for Slack and Telegram", async () => {
    const url = 'https://forge.example/a|b>c"d';
    const slack = await send("slack", { items: [item({ url })] });
    expect(JSON.stringify(slack.json)).toContain("<https://forge.example/a%7Cb&gt;c");
    const telegram = await send("telegram", { items: [item({ url })] });
    expect(telegram.json["text"]).toContain('href="https://forge.example/a|b&gt;c&quot;d"');
  });
});

test.each([
  ["slack", 3_000],
  ["discord", 2_000],
  ["telegram", 4_096],
  ["ntfy", 4_096],
] as const)(
  "a bundle of long things fits into what %s takes, and counts what it leaves out",
  async (service, most) => {
    const items = Array.from({ length: 10 }, (_, n) =>
      item({ says: `acme/web#${n} waits`, quoted: "*".repeat(160), why: "_".repeat(400) }),
    );
    const { json } = await send(service, { heading: "12 things from forgehand", items, more: 2 });
    const texts =
      service === "slack"
        ? (json["blocks"] as { text: { text: string } }[]).map((block) => block.text.text)
        : [String(json["content"] ?? json["text"] ?? json["message"])];
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(most);
    expect(texts.join("\n")).toMatch(/and \d+ more/u);
  },
);

describe.each(names)("%s", (service) => {
  test.each([
    [
      "a limit with seconds",
      { status: 429, headers: { "retry-after": "120" } },
      { code: "notify-limited", permanent: false, retryAt: now + 120_000 },
    ],
    [
      "a limit with a date",
      { status: 429, headers: { "retry-after": new Date(now + 60_000).toUTCString() } },
      { retryAt: now + 60_000 },
    ],
    [
      "a limit in the body",
      { status: 429, body: '{"parameters":{"retry_after":35}}' },
      { retryAt: now + 35_000 },
    ],
    [
      "a limit that is out of reason",
      { status: 429, headers: { "retry-after": "99999999" } },
      { retryAt: now + 86_400_000 },
    ],
    [
      "trouble of its own",
      { status: 503, headers: { "retry-after": "30" } },
      { code: "notify-unavailable", permanent: false, retryAt: now + 30_000 },
    ],
    [
      "trouble without a time",
      { status: 500, body: "x".repeat(100_000) },
      { code: "notify-unavailable", permanent: false, retryAt: undefined },
    ],
    ["no", { status: 403, body: "invalid_token" }, { code: "notify-refused", permanent: true }],
    [
      "a way elsewhere",
      { status: 302, headers: { location: "http://127.0.0.1:1/elsewhere" } },
      { code: "notify-redirected", permanent: true },
    ],
  ])("answers with %s", async (_, reply, expected) => {
    services.answer(reply);
    const trouble = await troubleOf(service);
    expect(trouble).toMatchObject(expected);
    expect(trouble.message.length).toBeLessThan(500);
    expect(services.requests).toHaveLength(1);
  });

  test("says our own secret back, and it is not repeated", async () => {
    services.answer({
      status: 400,
      body: `no: ${urlsOn(services)[service]} Bearer xoxb-1234567890-sEcReT tk_sEcReT0123456789 AsEcReT.gotify01 sEcReT-of-the-webhook`,
    });
    const { secrets } = channelOf(urlsOn(services)[service]);
    const trouble = await troubleOf(service);
    for (const secret of secrets) expect(trouble.message).not.toContain(secret);
  });

  test.each(["hang", "cut"] as const)("that would %s leaves it unknown whether it arrived", async (how) => {
    services.answer(how);
    expect(await troubleOf(service, 100)).toMatchObject({ code: "notify-unknown", permanent: false });
  });
});

test("nobody there is known not to have heard it", async () => {
  const messenger = openMessenger({ fetch, clock: { now: () => now } });
  await services.close();
  await expect(messenger.send(channelOf(`ntfy://${services.host}/topic`), message())).rejects.toMatchObject({
    code: "notify-unavailable",
  });
  services = await openServices();
});

test.each([
  ['{"ok":false,"error":"channel_not_found"}', true],
  ['{"ok":false,"error":"internal_error"}', false],
  ["<html>", true],
])("Slack's bot API refuses with status 200: %s", async (body, permanent) => {
  services.answer({ status: 200, body });
  expect(await troubleOf("slack-bot")).toMatchObject({ code: "notify-refused", permanent });
});
