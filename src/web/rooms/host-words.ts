/** What the pages on the host say alike. */
import { html } from "hono/html";
import { age } from "../../says.ts";
import type { Html } from "../words.ts";

/** What became of somebody's order, told above the page it left. */
export interface Told {
  readonly is: "done" | "refused";
  readonly text: string;
}
export const toldLine = (told: Told | undefined): Html =>
  told === undefined
    ? html``
    : html`<p class="${told.is === "done" ? "told" : "alarm"}" role="status">${told.text}</p>`;

const marks = { well: "✓", warn: "!", bad: "▲", off: "○" } as const;
/** A sign, a word and a colour; the word alone says it. */
export const mark = (is: keyof typeof marks, word: string): Html =>
  html`<span class="mark" data-is="${is}"><span aria-hidden="true">${marks[is]}</span> ${word}</span>`;

/** When it will be, with the instant itself. */
export function timeUntil(at: number, now: number): Html {
  const instant = new Date(at).toISOString();
  return html`<time datetime="${instant}" title="${instant}"
    >${at <= now ? "now" : `in ${age(at - now)}`}</time
  >`;
}

const units = ["B", "kB", "MB", "GB", "TB"] as const;
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** As somebody typed it into an address; empty is nothing. */
export const asked = (text: string | undefined): string | undefined => {
  const trimmed = (text ?? "").trim().slice(0, 300);
  return trimmed === "" ? undefined : trimmed;
};
/** The number of a row that a page begins before; anything else is the first page. */
export const askedNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : undefined;

/** A part of an address; what is not said is left out. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const said = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) said.set(key, String(value));
  const text = said.toString();
  return text === "" ? "" : `?${text}`;
}
