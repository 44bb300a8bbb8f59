/** The log of an agent's session as part of a page: read without scripts, followed with them. */
import { html } from "hono/html";
import type { LogLineView, LogOrder, LogPart } from "../../ports-dashboard-logs.ts";
import { age } from "../../says.ts";
import { timeAgo, type Html } from "../words.ts";

/** What a page with a log loads besides. */
export const logAssets = ["session-log.css", "session-log.js"] as const;

const kinds: Readonly<Record<LogOrder["how"], readonly string[]>> = {
  heard: ["session", "prompt", "text", "tool", "answer", "waiting", "usage", "result", "cut"],
  raw: ["stdout", "stderr", "cut"],
};
const icons: Readonly<Record<string, string>> = {
  session: "◌",
  prompt: "▷",
  text: "❝",
  tool: "⚙",
  answer: "↳",
  waiting: "⏸",
  usage: "Σ",
  result: "✓",
  cut: "✂",
  stdout: "1",
  stderr: "2",
};

export interface LogSectionOptions {
  readonly part: LogPart;
  readonly order: LogOrder;
  /** The page it is on, without a query; others of its form's fields. */
  readonly path: string;
  readonly hidden?: Readonly<Record<string, string>> | undefined;
}

const base = (name: string): string => `/sessions/${encodeURIComponent(name)}/log`;

/** The same order with something else, as a query. */
function query(order: LogOrder, other: Partial<LogOrder>, hidden: Readonly<Record<string, string>>): string {
  const { from, how, kinds: some, words } = { ...order, ...other };
  const all = new URLSearchParams(hidden);
  if (from !== "end") all.set("from", String(from));
  if (how === "raw") all.set("how", how);
  for (const kind of some) all.append("kind", kind);
  if (words !== "") all.set("q", words);
  return `?${all.toString()}`;
}

/** Everything of it but its heading; `id` is `log`, so that a link leads there. */
export function logSection({ part, order, path, hidden = {} }: LogSectionOptions): Html {
  const { session, isGone, isOver } = part;
  const to = (other: Partial<LogOrder>): string => `${path}${query(order, other, hidden)}#log`;
  const isRaw = order.how === "raw";
  return html`<div
    id="log"
    class="session-log"
    data-log="${base(session.name)}${isFollowed(part) ? query(order, { from: part.next }, {}) : ""}"
    data-follow="${isFollowed(part) ? "yes" : "no"}"
    hx-morph-skip
  >
    <p class="soft">
      ${session.role} · ${session.runtime}${session.model === undefined ? "" : ` · ${session.model}`} ·
      ${
        session.endedAt === undefined
          ? html`at work for ${timeAgo(session.startedAt, part.now)}`
          : html`worked ${age(session.endedAt - session.startedAt)}`
      }
      · <a href="${base(session.name)}/download" download>Download</a> ·
      <a href="${to({ how: isRaw ? "heard" : "raw", kinds: [], from: "end" })}"
        >${isRaw ? "As people read it" : "As the runtime said it"}</a
      >
    </p>
    <form method="get" action="${path}#log" class="log-search" role="search">
      ${Object.entries(hidden).map(([key, value]) => html`<input type="hidden" name="${key}" value="${value}" />`)}
      ${isRaw ? html`<input type="hidden" name="how" value="raw" />` : html``}
      <input
        type="search"
        name="q"
        value="${order.words}"
        placeholder="Words"
        aria-label="Words in the log"
      />
      <fieldset>
        <legend class="visually-hidden">Kinds of lines; none chosen: all</legend>
        ${kinds[order.how].map(
          (kind) =>
            html`<label
              ><input
                type="checkbox"
                name="kind"
                value="${kind}"
                ${order.kinds.includes(kind) ? "checked" : ""}
              />
              ${kind}</label
            > `,
        )}
      </fieldset>
      <input type="hidden" name="from" value="0" />
      <button>Search</button>
      ${
        order.words === "" && order.kinds.length === 0 && order.from === "end"
          ? html``
          : html`<a href="${to({ words: "", kinds: [], from: "end" })}">Newest</a>`
      }
    </form>
    ${before(part, to)}
    ${part.lines.length === 0 ? html`<p class="empty" data-log-empty>${nothing(part, order)}</p>` : html``}
    <ol class="log" tabindex="0" aria-label="Log of the session" data-log-lines>
      ${part.lines.map(line)}
    </ol>
    ${
      !isGone && part.next < part.size && !isTail(order)
        ? html`<p>
            <a rel="next" href="${to({ from: part.next })}">Go on from here</a>:
            ${bytes(part.size - part.next)} of the log lie behind this.
          </p>`
        : html``
    }
    <p class="log-foot" data-log-foot role="status">
      ${isOver || !isFollowed(part) ? "" : "Reload for what came since."}
    </p>
  </div>`;
}

const isTail = ({ from }: LogOrder): boolean => from === "end";
/** What is not yet over, and shown up to its end. */
const isFollowed = (part: LogPart): boolean =>
  !part.isOver && !part.isGone && part.size - part.next < followable;
/** A page that ends further from the end of the log shows its past. */
const followable = 256 * 1024;

function before(part: LogPart, to: (other: Partial<LogOrder>) => string): Html {
  const { from, leftOutLines } = part;
  if (from === 0 && leftOutLines === 0) return html``;
  const what = leftOutLines === 0 ? "" : ` and ${leftOutLines.toLocaleString("en")} lines of this part`;
  return html`<p class="soft">
    ${from === 0 ? "" : bytes(from)}${from === 0 ? what.replace(" and ", "") : what} before this are not
    shown:
    <a href="${to({ from: 0 })}">from the beginning</a>.
  </p>`;
}

function nothing({ isGone, isOver, size }: LogPart, order: LogOrder): string {
  if (isGone) return "This log is not on this host: nothing was kept of it, or it was too old to keep.";
  if (order.words !== "" || order.kinds.length > 0)
    return "No line so far has these words and is of these kinds.";
  if (size === 0) return "Nothing was said yet; it appears here within seconds.";
  return isOver
    ? "It ended without a word."
    : "Nothing to read so far; the runtime's own words may say more.";
}

/** Kilobytes as they lie in the file, compressed. */
const bytes = (count: number): string => `${Math.ceil(count / 1024).toLocaleString("en")} KB`;

const line = ({ at, kind, text, more }: LogLineView): Html =>
  html`<li data-kind="${kind}">
    ${at === 0 ? html`` : html`<time datetime="${new Date(at).toISOString()}">${new Date(at).toISOString().slice(11, 19)}</time>`}
    <span class="kind"><span aria-hidden="true">${icons[kind] ?? "·"}</span> ${kind}</span>
    <span class="said"
      >${text}${more === 0 ? "" : html` <i>… ${more.toLocaleString("en")} more characters: see the download</i>`}</span
    >
  </li>`;
