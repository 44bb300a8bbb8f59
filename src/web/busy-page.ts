/** What pages say that could not be read. Nothing of it is asked of the database. */
import { html } from "hono/html";
import { frame } from "./frame.ts";
import type { Html } from "./words.ts";

const page = (title: string, body: Html): Html =>
  frame({
    title,
    waiting: 0,
    at: "none",
    position: undefined,
    csrf: undefined,
    who: undefined,
    assets: [],
    body: html`<div class="head"><h1>${title}</h1></div>
      ${body}`,
  });

export const busyPage = (): Html =>
  page(
    "Busy for a moment",
    html`<p>
      Something else writes to the database and kept forgehand from it. Nothing was done. Try again in a few
      seconds; if this goes on, <code>forgehand doctor</code> says what holds it.
    </p>`,
  );

export const failedPage = (): Html =>
  page(
    "This page failed",
    html`<p>
      Nothing that you asked for was done. The log of forgehand says why; the <a href="/board">board</a> may
      still do.
    </p>`,
  );
