/** How pages say times, money and states. A state is an icon and a word, never a colour alone. */
import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { age, boardName, dollars } from "../says.ts";
import type { State } from "../state-machine/ticket.ts";

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const icons: Readonly<Record<State, string>> = {
  Backlog: "○",
  Ready: "◔",
  Gate: "◑",
  "In Progress": "◕",
  "Adversarial Review": "◈",
  "In Review": "◉",
  Merging: "⇥",
  Rework: "↺",
  Blocked: "▲",
  Done: "✓",
  Cancelled: "✕",
};

/** `data-state` is what the style sheet colours by. */
export const stateWord = (state: State): Html =>
  html`<span class="state" data-state="${state}"
    ><span aria-hidden="true">${icons[state]}</span> ${boardName(state)}</span
  >`;

/** How long ago, with the instant itself for whoever asks. */
export const timeAgo = (at: number, now: number): Html =>
  html`<time datetime="${new Date(at).toISOString()}" title="${new Date(at).toISOString()}"
    >${age(Math.max(0, now - at))}</time
  >`;

export const money = (usd: number, isGuess: boolean): string => dollars(usd, isGuess);

/** An outside link is followed only where it is a page; what a tracker calls a url is somebody else's text. */
export const outside = (url: string, text: string): Html =>
  /^https?:\/\//iu.test(url) ? html`<a href="${url}" rel="noreferrer noopener">${text}</a>` : html`${text}`;

/** Somebody's words without what a reader would not see, or would see in another order. */
export const plain = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, (one) =>
    one === "\n" || one === "\t" ? one : "",
  );
/** The same on one line, no longer than this. */
export const oneLine = (text: string, limit = 300): string => {
  const line = plain(text.replaceAll(/\s+/gu, " ")).trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
};
