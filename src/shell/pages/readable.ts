/** What others wrote, as a page may show it. */
import { redact } from "../../secrets.ts";

/** Escape sequences of terminals, and every other sign that a reader does not see. */
const unseen =
  // eslint-disable-next-line no-control-regex
  /\u001B(?:\[[0-?]{0,30}[ -/]{0,5}[@-~]|\][^\u0007\u001B]{0,2000}(?:\u0007|\u001B\\)?|[@-Z\\-_])|[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu;

/** In one line or several, without secrets and unseen signs, and no longer than this. */
export function readable(text: string, most = 500): string {
  // Cut first: what is thrown away is not searched.
  const plain = redact(text.slice(0, most * 2).replaceAll(unseen, ""));
  return plain.length > most ? `${plain.slice(0, most)}…` : plain;
}

/** JSON laid out for people; what is no JSON is told as it is. */
export function pretty(text: string, most: number): string {
  let laid = text;
  try {
    laid = JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    // Cut, or never JSON.
  }
  return readable(laid, most);
}
