/** A message in the form of each service. What others wrote is shown as the plain text that it is, and calls nobody. */
import type { NotifyItem, NotifyMessage } from "../../ports-notify.ts";

/** What each service takes at most, with room for our own words. */
const longest = { slack: 2_900, discord: 1_900, telegram: 3_900, ntfy: 3_500 } as const;
/** Slack takes 50 blocks. */
const mostSlackItems = 20;

/** Lines of one item, each through the escaping of its service. */
interface Shape {
  readonly strong: (text: string) => string;
  readonly plain: (text: string) => string;
  /** What others wrote. */
  readonly foreign: (text: string) => string;
  readonly link: (url: string) => string;
}

function linesOf({ says, quoted, why, next, url }: NotifyItem, shape: Shape): string {
  return [
    shape.strong(says),
    ...(quoted === undefined || quoted === "" ? [] : [inQuotes(shape.foreign(quoted))]),
    ...(why === undefined || why === "" ? [] : [`${shape.plain("Why: ")}${shape.foreign(why)}`]),
    ...(next === undefined ? [] : [shape.plain(`Next: ${next}`)]),
    ...(url === undefined ? [] : [shape.link(url)]),
  ].join("\n");
}

/** As many items as there is room for; a message is never cut in the middle of what escapes something. */
function textOf(message: NotifyMessage, shape: Shape, most: number): string {
  const heading = message.heading === undefined ? [] : [shape.strong(message.heading)];
  const parts: string[] = [...heading];
  let left = most - heading.join("").length;
  let more = message.more;
  for (const item of message.items) {
    const text = linesOf(item, shape);
    if (left - text.length < 0 && parts.length > heading.length) more += 1;
    else {
      // One item alone is told short rather than not at all.
      const fits =
        text.length <= left ? text : linesOf({ ...item, quoted: undefined, why: undefined }, shape);
      parts.push(fits);
      left -= fits.length + 2;
    }
  }
  const rest =
    more === 0
      ? []
      : [
          `${shape.plain(`and ${more} more`)}${message.url === undefined ? "" : `: ${shape.link(message.url)}`}`,
        ];
  return [...parts, ...rest].join("\n\n");
}

const asIs = (text: string): string => text;
const inQuotes = (text: string): string => `“${text}”`;

/** For mail, and wherever nothing is formatted. */
export const plainText = (message: NotifyMessage, most = 100_000): string =>
  textOf(message, { strong: asIs, plain: asIs, foreign: asIs, link: asIs }, most);

/** One line for a list of messages: what happened, and in which ticket. */
export const headline = ({ heading, items }: NotifyMessage): string =>
  heading ?? items[0]?.says ?? "forgehand";

const slackEscaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Blocks: our words as mrkdwn, those of others as plain text, which Slack does not read any orders in. */
export function slackBody(message: NotifyMessage): object {
  const listed = message.items.slice(0, mostSlackItems);
  const more = message.more + message.items.length - listed.length;
  const mrkdwn = (text: string) => ({
    type: "section",
    text: { type: "mrkdwn", text: text.slice(0, longest.slack), verbatim: true },
  });
  const link = (url: string | undefined, words: string): string =>
    url === undefined ? "" : `\n<${slackEscaped(url).replaceAll("|", "%7C")}|${words}>`;
  const blocks = listed.flatMap(({ says, quoted, why, next, url }) => {
    const words = [
      quoted === undefined || quoted === "" ? [] : [inQuotes(quoted)],
      why === undefined || why === "" ? [] : [`Why: ${why}`],
    ];
    const foreign = words.flat().join("\n").slice(0, longest.slack);
    return [
      mrkdwn(
        `*${slackEscaped(says)}*${next === undefined ? "" : `\nNext: ${slackEscaped(next)}`}${link(url, "Open")}`,
      ),
      ...(foreign === ""
        ? []
        : [{ type: "section", text: { type: "plain_text", text: foreign, emoji: false } }]),
    ];
  });
  return {
    text: slackEscaped(headline(message)),
    blocks: [
      ...(message.heading === undefined ? [] : [mrkdwn(`*${slackEscaped(message.heading)}*`)]),
      ...blocks,
      ...(more === 0 ? [] : [mrkdwn(`and ${more} more${link(message.url, "Open all")}`)]),
    ],
    unfurl_links: false,
    unfurl_media: false,
    link_names: false,
  };
}

const discordEscaped = (text: string): string => text.replace(/[\\*_~`|>#[\]()<@:+=-]/gu, String.raw`\$&`);

/** Markdown with every sign of it escaped; nobody is mentioned whatever it says. */
export function discordBody(message: NotifyMessage): object {
  const content = textOf(
    message,
    {
      strong: (text) => `**${discordEscaped(text)}**`,
      plain: discordEscaped,
      foreign: discordEscaped,
      link: (url) => `<${url}>`,
    },
    longest.discord,
  );
  // 4: no previews.
  return { content, allowed_mentions: { parse: [] }, flags: 4 };
}

const htmlEscaped = (text: string): string => slackEscaped(text).replaceAll('"', "&quot;");

/** HTML; in `code` Telegram looks neither for names nor for addresses. */
export const telegramText = (message: NotifyMessage): string =>
  textOf(
    message,
    {
      strong: (text) => `<b>${htmlEscaped(text)}</b>`,
      plain: htmlEscaped,
      foreign: (text) => `<code>${htmlEscaped(text)}</code>`,
      link: (url) => `<a href="${htmlEscaped(url)}">${htmlEscaped(url)}</a>`,
    },
    longest.telegram,
  );

/** Without the headline where a service has a place of its own for it. */
export function bodyWithoutHeadline(message: NotifyMessage): string {
  if (message.heading !== undefined) return plainText({ ...message, heading: undefined }, longest.ntfy);
  const [first, ...others] = message.items;
  if (first === undefined) return "";
  const text = plainText({ ...message, items: [first, ...others] }, longest.ntfy);
  return text.slice(first.says.length).trim();
}

/** Where one tap leads. */
export const tapUrl = ({ items, url }: NotifyMessage): string | undefined =>
  items.length === 1 ? (items[0]?.url ?? url) : url;
