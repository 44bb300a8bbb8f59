import { z } from "zod";
import type { Fault } from "./fault.ts";
import { certificateSchema } from "./schema.ts";
import type { Handed } from "./verify.ts";

const handedSchema = z.strictObject({
  certificate: certificateSchema,
  hash: z.string().optional(),
  findings: z.array(z.json()).optional(),
});

/** The certificate alone, with its hash, or the whole answer of `certificate show --json`; else what is wrong with it. */
export function readHanded(value: unknown): Handed | readonly Fault[] {
  const inner = property(value, "data") ?? value;
  const wrapped = property(inner, "certificate") === undefined ? { certificate: inner } : inner;
  const read = handedSchema.safeParse(wrapped);
  if (read.success) return read.data;
  return read.error.issues.map((issue) => {
    const path = issue.path.slice(issue.path[0] === "certificate" ? 1 : 0).map(String);
    const extra = issue.code === "unrecognized_keys" ? issue.keys : [];
    return { field: [...path, ...extra].join(".") || "certificate", why: issue.message };
  });
}

const property = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
