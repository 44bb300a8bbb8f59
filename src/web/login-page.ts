import { html } from "hono/html";
import type { Html } from "./words.ts";

export interface LoginPage {
  readonly why: string;
  /** Where they wanted to go. */
  readonly next: string;
  /** Whether people log in with an account of the forge. */
  readonly offersForge: boolean;
}

/** For whoever has no session: how to get one. */
export const loginPage = ({ why, next, offersForge }: LoginPage): Html =>
  html`<div class="head"><h1>Come in</h1></div>
    <p>${why}</p>
    ${
      offersForge
        ? html`<p>
              <a class="button" href="/login/github?next=${encodeURIComponent(next)}">Log in with GitHub</a>
            </p>
            <p>
              You see the repositories you have access to there: private ones with read access, public ones
              with triage. Whoever may push may also act.
            </p>
            <p>Whoever runs forgehand types, on its host,</p>`
        : html`<p>On the host that forgehand runs on, type</p>`
    }
    <pre>forgehand open</pre>
    <p>and follows the link it gives. It is good once, for a quarter of an hour.</p>`;

/** Leads on from a page of ours: what another site led to comes without the session. */
export const onward = (next: string): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="refresh" content="0;url=/login/back?next=${encodeURIComponent(next)}" />
        <title>One moment · forgehand</title>
      </head>
      <body>
        <p><a href="/login/back?next=${encodeURIComponent(next)}">Go on</a></p>
      </body>
    </html>`;
