import { html } from "hono/html";
import type { Html } from "./words.ts";

export interface OrderForm {
  /** Where it is posted. */
  readonly path: string;
  readonly csrf: string;
  readonly name: string;
  /** What pressing it does. */
  readonly says: string;
  readonly isQuiet?: boolean | undefined;
  /** What else it carries. */
  readonly hidden?: Readonly<Record<string, string | number>> | undefined;
}

/** A button that does something: a form of this session. */
export const orderForm = ({ path, csrf, name, says, isQuiet = false, hidden = {} }: OrderForm): Html =>
  html`<form method="post" action="${path}">
    <input type="hidden" name="csrf" value="${csrf}" />
    ${Object.entries(hidden).map(([key, value]) => html`<input type="hidden" name="${key}" value="${value}" />`)}
    <button ${isQuiet ? html`class="quiet"` : html``} title="${says}">${name}</button>
  </form>`;
