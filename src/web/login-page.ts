import { html } from "hono/html";
import type { Html } from "./words.ts";

/** For whoever has no session: how to get one. */
export const loginPage = (why: string): Html =>
  html`<div class="head"><h1>Come in</h1></div>
    <p>${why}</p>
    <p>On the host that forgehand runs on, type</p>
    <pre>forgehand open</pre>
    <p>and follow the link it gives you. It is good once, for a quarter of an hour.</p>`;
