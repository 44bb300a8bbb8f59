/** What every page has around it. */
import { html, raw } from "hono/html";
import type { Html } from "./words.ts";

export interface PageOptions {
  readonly title: string;
  /** Tickets that wait for a person; the title carries the count. */
  readonly waiting: number;
  /** Which entry of the navigation this page is. */
  readonly at: "waiting" | "board" | "ticket" | "none";
  /** Where the page stands in what happens; a live page is told of anything newer. */
  readonly position: number | undefined;
  /** Undefined for whoever has no session. */
  readonly csrf: string | undefined;
  readonly who: string | undefined;
  readonly body: Html;
}

// Plain strings: a bundler rewrites a tagged template that ends a script.
const scripts = ["htmx", "htmx-sse", "keys"].map((name) =>
  raw(`<script src="/assets/${name}.js" defer></script>`),
);

const entries = [
  { at: "waiting", href: "/", name: "Waiting", key: "w" },
  { at: "board", href: "/board", name: "Board", key: "b" },
] as const;

export function page({ title, waiting, at, position, csrf, who, body }: PageOptions): Html {
  const count = waiting === 0 ? "" : `(${waiting}) `;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${count}${title} · forgehand</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        ${scripts}
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
            <dt>g w</dt>
            <dd>Waiting</dd>
            <dt>g b</dt>
            <dd>Board</dd>
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
