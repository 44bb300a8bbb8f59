/** Carries messages to Slack, Discord, Telegram, ntfy, Gotify, webhooks and mailboxes. */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import {
  notifyWeights,
  weightOf,
  type ChannelTarget,
  type Messenger,
  type NotifyMessage,
  type NotifyWeight,
} from "../../ports-notify.ts";
import { redactKnown } from "../../secrets.ts";
import { postJson, type Wire } from "./post.ts";
import { bodyWithoutHeadline, discordBody, headline, slackBody, tapUrl, telegramText } from "./shapes.ts";

type Of<Service extends ChannelTarget["service"]> = Extract<ChannelTarget, { readonly service: Service }>;

/** Opens nothing before something is sent. */
export function openMessenger(wire: Wire): Messenger {
  return {
    // A webhook's receiver knows the id; mailboxes know the Message-ID. The others have nothing to know a message by.
    repeatsAt: ({ target }) =>
      target.service === "webhook" || target.service === "mail" ? "known" : "unknown",
    send: async (channel, message) => {
      const { target } = channel;
      if (target.service === "mail") {
        const { sendMail } = await import("./mail.ts");
        return await sendMail(target, message, { secrets: channel.secrets, timeoutMs: wire.timeoutMs });
      }
      const { url, headers, body } = postingOf(target, message, wire.clock.now());
      const answer = await postJson(wire, {
        url,
        headers,
        body: JSON.stringify(body),
        secrets: channel.secrets,
      });
      if (target.service === "slack-bot") heedSlack(answer, redactKnown(channel.secrets));
    },
  };
}

interface Formed {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: object;
}

function postingOf(target: Exclude<ChannelTarget, Of<"mail">>, message: NotifyMessage, now: number): Formed {
  switch (target.service) {
    case "slack":
      return { url: target.url, body: slackBody(message) };
    case "slack-bot":
      return {
        url: `${target.api}/chat.postMessage`,
        headers: { authorization: `Bearer ${target.token}` },
        body: { ...slackBody(message), channel: target.channel, parse: "none" },
      };
    case "discord":
      return { url: target.url, body: discordBody(message) };
    case "telegram":
      return telegram(target, message);
    case "ntfy":
      return ntfy(target, message);
    case "gotify":
      return gotify(target, message);
    case "webhook":
      return webhook(target, message, now);
  }
}

function telegram({ api, token, chat, topic }: Of<"telegram">, message: NotifyMessage): Formed {
  return {
    url: `${api}/bot${token}/sendMessage`,
    body: {
      chat_id: chat,
      ...(topic === undefined ? {} : { message_thread_id: topic }),
      text: telegramText(message),
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
      ...(weightIn(message) === "info" ? { disable_notification: true } : {}),
    },
  };
}

/** The weightiest of what it holds. */
const weightIn = ({ items }: NotifyMessage): NotifyWeight =>
  notifyWeights.findLast((weight) => items.some(({ kind }) => weightOf[kind] === weight)) ?? "info";

/** As JSON to the root, where nothing has to be put into headers. */
function ntfy({ root, topic, authorization }: Of<"ntfy">, message: NotifyMessage): Formed {
  const click = tapUrl(message);
  return {
    url: `${root}/`,
    headers: authorization === undefined ? {} : { authorization },
    body: {
      topic,
      title: headline(message),
      message: bodyWithoutHeadline(message),
      priority: { info: 2, notice: 3, urgent: 4 }[weightIn(message)],
      ...(click === undefined ? {} : { click }),
    },
  };
}

function gotify({ root, token }: Of<"gotify">, message: NotifyMessage): Formed {
  const url = tapUrl(message);
  return {
    url: `${root}/message`,
    headers: { "x-gotify-key": token },
    body: {
      title: headline(message),
      message: bodyWithoutHeadline(message),
      priority: { info: 2, notice: 5, urgent: 8 }[weightIn(message)],
      extras: {
        "client::display": { contentType: "text/plain" },
        ...(url === undefined ? {} : { "client::notification": { click: { url } } }),
      },
    },
  };
}

/** As Standard Webhooks signs: over id, time and body, so that none of them can be put in the place of another. */
function webhook({ url, secret, authorization }: Of<"webhook">, message: NotifyMessage, now: number): Formed {
  const body = {
    schema: "notification/1",
    id: message.id,
    at: new Date(message.at).toISOString(),
    heading: message.heading ?? null,
    items: message.items.map(({ kind, ticket, says, quoted, why, next, url: link, at }) => ({
      kind,
      ticket: ticket ?? null,
      says,
      title: quoted ?? null,
      why: why ?? null,
      next: next ?? null,
      url: link ?? null,
      at: new Date(at).toISOString(),
    })),
    more: message.more,
    url: message.url ?? null,
  };
  const timestamp = Math.floor(now / 1000);
  const signature =
    secret === undefined
      ? undefined
      : signatureOf(secret, `${message.id}.${timestamp}.${JSON.stringify(body)}`);
  return {
    url,
    headers: {
      "webhook-id": message.id,
      "webhook-timestamp": String(timestamp),
      ...(signature === undefined ? {} : { "webhook-signature": `v1,${signature}` }),
      ...(authorization === undefined ? {} : { authorization }),
    },
    body,
  };
}

/** A secret that begins with `whsec_` is base64, as Standard Webhooks has it; any other is taken as it is written. */
export function signatureOf(secret: string, signed: string): string {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : secret;
  return createHmac("sha256", key).update(signed).digest("base64");
}

const SlackAnswer = z.object({ ok: z.boolean(), error: z.string().max(200).default("no reason") });
const passing = new Set([
  "ratelimited",
  "rate_limited",
  "internal_error",
  "service_unavailable",
  "fatal_error",
  "request_timeout",
]);

/** Slack refuses with status 200. */
function heedSlack(text: string, redacted: (text: string) => string): void {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const answer = SlackAnswer.safeParse(json);
  if (!answer.success)
    throw new Trouble("notify-refused", "It answers, and not as Slack's API does.", { permanent: true });
  if (answer.data.ok) return;
  const { error } = answer.data;
  throw new Trouble("notify-refused", `It refused the message: ${redacted(error)}.`, {
    permanent: !passing.has(error),
  });
}
