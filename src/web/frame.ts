/** What every page has around it. */
import { html, raw } from "hono/html";
import type { Position } from "../ports-dashboard.ts";
import type { Html } from "./words.ts";

/** Pages that the navigation leads to, in its order; `g` and the key goes there. */
export const entries = [
  { at: "waiting", href: "/", name: "Waiting", key: "w" },
  { at: "board", href: "/board", name: "Board", key: "b" },
  { at: "runs", href: "/runs", name: "Runs", key: "r" },
  { at: "history", href: "/history", name: "History", key: "h" },
  { at: "costs", href: "/costs", name: "Costs", key: "c" },
  { at: "repositories", href: "/repositories", name: "Repositories", key: "p" },
  { at: "webhooks", href: "/webhooks", name: "Webhooks", key: "d" },
  { at: "ledger", href: "/ledger", name: "Ledger", key: "l" },
  { at: "health", href: "/health", name: "Health", key: "e" },
] as const;
/** Which entry of the navigation a page belongs to. */
export type Place = (typeof entries)[number]["at"] | "none";

export interface FrameOptions {
  readonly title: string;
  /** Tickets that wait for a person; the title carries the count. */
  readonly waiting: number;
  readonly at: Place;
  /** Where the page stands in what happens; a live page is told of anything newer. */
  readonly position: Position | undefined;
  /** Undefined for whoever has no session. */
  readonly csrf: string | undefined;
  readonly who: string | undefined;
  /** Scripts and styles of this page alone. */
  readonly assets: readonly string[];
  readonly body: Html;
}

// Plain strings: a bundler rewrites a tagged template that ends a script.
const script = (name: string): Html => raw(`<script src="/assets/${name}" defer></script>`);
const style = (name: string): Html => html`<link rel="stylesheet" href="/assets/${name}" />`;

/** Opened by `Ctrl-K`; its list is filled as somebody types. */
const palette = html`<dialog id="palette" aria-label="Go to">
  <form action="/find" role="search">
    <input
      type="search"
      name="q"
      placeholder="Go to a page or a ticket"
      aria-label="Words of a page or of a ticket"
      autocomplete="off"
      role="combobox"
      aria-expanded="true"
      aria-controls="palette-list"
    />
  </form>
  <ul id="palette-list" role="listbox" aria-label="Pages and tickets"></ul>
</dialog>`;

const shortcuts: readonly (readonly [string, string])[] = [
  ...entries.map(({ key, name }) => [`g ${key}`, name] as const),
  ["Ctrl K", "Go to a page or a ticket"],
  ["/", "Filter what is listed"],
  ["j k", "Next, previous"],
  ["Enter", "Open it"],
  ["?", "This list"],
];
const keys = html`<dialog id="keys" aria-label="Keys">
  <h2>Keys</h2>
  <dl>
    ${shortcuts.map(
      ([key, does]) =>
        html`<dt>${key}</dt>
          <dd>${does}</dd>`,
    )}
  </dl>
  <form method="dialog"><button>Close</button></form>
</dialog>`;

export function frame({ title, waiting, at, position, csrf, who, assets, body }: FrameOptions): Html {
  const count = waiting === 0 ? "" : `(${waiting}) `;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${count}${title} · forgehand</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        ${["style.css", ...assets.filter((name) => name.endsWith(".css"))].map(style)}
        ${raw(`<script src="/assets/theme.js"></script>`)}
        ${["htmx.js", "htmx-sse.js", "keys.js", "live.js", ...assets.filter((name) => name.endsWith(".js"))].map(script)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        <header>
          <a class="brand" href="/">forgehand</a>
          ${
            csrf === undefined
              ? html``
              : html`<nav aria-label="Pages">
                  ${entries.map(
                    (entry) =>
                      html`<a
                        href="${entry.href}"
                        data-key="${entry.key}"
                        data-name="${entry.name}"
                        ${entry.at === at ? html`aria-current="page"` : html``}
                        >${entry.name}${entry.at === "waiting" && waiting > 0 ? html` <b>${waiting}</b>` : html``}</a
                      >`,
                  )}
                </nav>`
          }
          ${
            who === undefined
              ? html``
              : html`<form method="post" action="/leave" class="who">
                  <input type="hidden" name="csrf" value="${csrf ?? ""}" />
                  <button type="button" class="quiet" id="theme" hidden>Theme</button>
                  <a href="/sessions">${who}</a> <button class="quiet">Leave</button>
                </form>`
          }
        </header>
        ${position === undefined ? html`` : html`<div id="live" hx-sse:connect="/events?since=${position}" hx-swap="none"></div>`}
        <main
          id="main"
          tabindex="-1"
          ${position === undefined ? html`` : html`hx-get="" hx-trigger="changed from:#live" hx-select="#main" hx-swap="outerMorph"`}
        >
          ${body}
        </main>
        ${csrf === undefined ? html`` : html`${palette}${keys}`}
      </body>
    </html>`;
}
