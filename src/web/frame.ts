/** What every page has around it. */
import { html, raw } from "hono/html";
import type { Position } from "../ports-dashboard.ts";
import type { Html } from "./words.ts";

/** Pages that the navigation leads to, in its order; `g` and the key goes there. */
export const entries = [
  { at: "waiting", href: "/", name: "Waiting", key: "w" },
  { at: "board", href: "/board", name: "Board", key: "b" },
  { at: "repositories", href: "/repositories", name: "Repositories", key: "r" },
  { at: "webhooks", href: "/webhooks", name: "Webhooks", key: "d" },
  { at: "ledger", href: "/ledger", name: "Ledger", key: "l" },
  { at: "health", href: "/health", name: "Health", key: "h" },
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
        ${["htmx.js", "htmx-sse.js", "keys.js", ...assets.filter((name) => name.endsWith(".js"))].map(script)}
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
                  <span>${who}</span> <button class="quiet">Leave</button>
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
        <dialog id="keys" aria-label="Keys">
          <h2>Keys</h2>
          <dl>
            ${entries.map(
              ({ key, name }) =>
                html`<dt>g ${key}</dt>
                  <dd>${name}</dd>`,
            )}
            <dt>/</dt>
            <dd>Filter</dd>
            <dt>j k</dt>
            <dd>Next, previous ticket</dd>
            <dt>Enter</dt>
            <dd>Open it</dd>
            <dt>?</dt>
            <dd>This list</dd>
          </dl>
          <form method="dialog"><button>Close</button></form>
        </dialog>
      </body>
    </html>`;
}
