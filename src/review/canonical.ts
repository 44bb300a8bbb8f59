import { createHash } from "node:crypto";
import type { Digest } from "../state-machine/evidence.ts";

/** JSON in one form only: keys sorted, no spaces, nothing left out. Throws on what JSON cannot say. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`);
    return `{${entries.join(",")}}`;
  }
  throw new TypeError(`${typeof value} has no canonical JSON`);
}

/** Names a value by its content. */
export const digest = (value: unknown): Digest => createHash("sha256").update(canonical(value)).digest("hex");
