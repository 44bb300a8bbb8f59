/** Text that strangers may have written: cleaned of what a person cannot see, and fenced so that it cannot end its own quotation. */

import { stripVTControlCharacters } from "node:util";

/** Longest untrusted text an agent is shown; the rest is cut, visibly. */
export const maxUntrusted = 60_000;

/** Passes until nothing changes any more; text that needs more was built to. */
const maxPasses = 40;

const invisible =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Each step only ever shortens, so repeating them ends. */
const steps: readonly ((text: string) => string)[] = [
  (text) => text.replace(/&#(?:x([0-9a-f]{1,6})|(\d{1,7}));?/giu, decoded),
  (text) =>
    text.replace(
      /&(?:ZeroWidthSpace|NoBreak|zwj|zwnj|lrm|rlm|shy|ic|it|InvisibleComma|InvisibleTimes);/gu,
      "",
    ),
  (text) => text.replace(loneSurrogate, "").replace(invisible, ""),
  (text) => text.replace(/<!--[\s\S]*?(?:--!?>|$)/gu, ""),
  (text) => text.replace(/<!\[CDATA\[[\s\S]*?(?:\]\]>|$)/gu, ""),
  (text) => text.replace(/^[ \t]{0,3}\[\/\/\]:.*$/gmu, ""),
  (text) => text.replace(/!\[[^\]\n]{1,2000}\](?=[([])/gu, "![]"),
  (text) =>
    text.replace(
      /(\]\([^()\s]{1,2000})[ \t]+(?:"[^"\n]{0,2000}"|'[^'\n]{0,2000}'|\([^()\n]{0,2000}\))[ \t]*\)/gu,
      "$1)",
    ),
  (text) => text.replace(/^([ \t]{0,3}\[[^\]\n]{1,500}\]:[ \t]*\S{1,2000})[ \t]+["'(].*$/gmu, "$1"),
  (text) =>
    text.replace(
      /<([a-z][a-z0-9]{0,20})\b[^<>]{0,500}?(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden)[^<>]{0,500}>[\s\S]{0,5000}?<\/\1\s*>/giu,
      "",
    ),
  (text) => text.replace(/<[a-z][^<>]{0,4000}>/giu, withoutHiddenAttributes),
];

/** Removes what a person reading the rendered page would not see. */
export function clean(text: string): string {
  let now = text.replace(/\r\n?/gu, "\n");
  if (now.length > maxUntrusted) now = `${now.slice(0, maxUntrusted)}\n[cut: the text goes on]`;
  for (let pass = 0; pass < maxPasses; pass += 1) {
    const next = steps.reduce((soFar, step) => step(soFar), now);
    if (next === now) return next;
    now = next;
  }
  // Nested on purpose to outlast us: without these two signs nothing can hide any more.
  return now.replace(/[<&]/gu, "").replace(loneSurrogate, "").replace(invisible, "");
}

/**
 * Code as it is: nothing of it is taken away, for whoever judges it must see what runs. What a reader would not see is
 * spelled out.
 */
export function spelled(code: string): string {
  const text = code.length > maxUntrusted ? `${code.slice(0, maxUntrusted)}\n[cut: the text goes on]` : code;
  const named = (sign: string): string =>
    `<U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`;
  return text.replace(/\r\n/gu, "\n").replace(loneSurrogate, named).replace(invisible, named);
}

/** Somebody's words, or code. */
export type Untrusted = string | { readonly code: string };

/**
 * Makes untrusted text harmless and puts it between two lines that only this run's nonce can close. Words of several
 * people are given one by one: what one of them leaves open swallows nothing of the others.
 */
export function fence(options: {
  readonly nonce: string;
  readonly about: string;
  readonly text: Untrusted | readonly Untrusted[];
}): string {
  const { nonce, about, text } = options;
  if (!/^[0-9a-f]{16,64}$/u.test(nonce)) throw new RangeError("a fence needs a nonce of 16 to 64 hex digits");
  if (!/^[a-z][a-z -]{0,40}$/u.test(about))
    throw new RangeError(`a fence is named in plain words, not ${about}`);
  const inside = harmless([text].flat()).replace(new RegExp(nonce, "giu"), "[…]");
  return `<<<untrusted ${about} ${nonce}\n${inside}\nuntrusted ${about} ${nonce}>>>`;
}

/** Together, words are no longer than one text may be; code is cut piece by piece, before it is spelled out. */
function harmless(parts: readonly Untrusted[]): string {
  let room = maxUntrusted;
  return parts
    .flatMap((part) => {
      if (typeof part !== "string") return [spelled(part.code)];
      if (room <= 0) return [];
      const text = clean(part);
      const kept = text.length > room ? `${text.slice(0, room)}\n[cut: the text goes on]` : text;
      room -= text.length;
      return [kept];
    })
    .join("\n");
}

/** Words that close an issue when the forge reads them before a reference. */
const closing =
  /\b[cfr](?=(?:lose[sd]?|ix(?:e[sd])?|esolve[sd]?)\b[\s:*_`([\\]{1,10}\S{0,200}(?:#|\/|GH-)\d)/giu;

/** As it may be shown to a person: nothing a terminal would obey, nothing that turns the direction of reading. */
export const shown = (text: string): string =>
  stripVTControlCharacters(text.replaceAll("\r\n", "\n")).replace(
    /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (one) => (one === "\n" || one === "\t" ? one : ""),
  );

/**
 * Packages that our own remedies name. Only these, by name: whether a span of code really is one depends on what stands
 * before it, and a stranger may have written that.
 */
const packages = [
  "@agentclientprotocol/(?:claude-agent|codex)-acp",
  "@anthropic-ai/claude-code",
  "@github/copilot",
  "@google/gemini-cli",
  "@mariozechner/pi-coding-agent",
  "@openai/codex",
  "@qwen-code/qwen-code",
  "(?:ai|@ai-sdk/(?:anthropic|openai|google|openai-compatible|mcp))@\\d{1,3}",
].join("|");
/** A command of ours as code, which people are to paste, or else a sign that may call somebody. */
const calling = new RegExp(`(?<![\`\\\\])\`npm install -g(?: (?:${packages}))+\`(?!\`)|@(?=[\\w-])`, "g");

/** Somebody else's words where the forge listens: they call nobody and close nothing. */
export const unheard = (text: string): string =>
  text.replace(calling, (one) => (one === "@" ? "@\u200b" : one)).replace(closing, "$&\u200b");

/** Words in a commit message that the forge or its CI would obey. */
const orders =
  /\[(?:skip|no)[ -](?:ci|actions)\]|\[(?:ci|actions)[ -]skip\]|\*\*\*NO_CI\*\*\*|\bskip-checks\b/gi;
/** A line that git would take for a trailer: who wrote it and who vouched for it is ours to say. */
const trailer = /^([ \t]*[A-Za-z][A-Za-z0-9-]*-(?:by|to|ticket))[ \t]*:/gim;

/** Somebody else's words in a commit message: no order to the forge, no trailer, no mention, nothing hidden. */
export const forCommit = (text: string): string =>
  unheard(
    text
      .replace(loneSurrogate, "")
      .replace(invisible, "")
      .replace(/<!--[\s\S]*?(?:-->|$)/g, "")
      // Nothing is code there.
      .replace(/@(?=[\w-])/g, "@\u200b"),
  )
    // Not merely taken out: what is left on both sides must not make a new one.
    .replace(orders, "…")
    .replace(trailer, "$1 -");

function decoded(whole: string, hex: string | undefined, decimal: string | undefined): string {
  const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return "";
  const character = String.fromCodePoint(point);
  return character.length < whole.length ? character : "";
}

function withoutHiddenAttributes(tag: string): string {
  return tag.replace(
    /\s(?:alt|title|summary|placeholder|content|style|aria-[a-z]{1,30}|data-[a-z-]{1,40})\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)/giu,
    "",
  );
}
