import { createHash } from "node:crypto";
import type { SpecHash } from "../state-machine/ticket.ts";

/** What a person releases with a label: title and body, line ends aside (browsers send CRLF, the API LF). */
export function specHash(spec: { readonly title: string; readonly body: string }): SpecHash {
  const text = JSON.stringify([spec.title, spec.body.replaceAll("\r\n", "\n")]);
  return createHash("sha256").update(text).digest("hex");
}
