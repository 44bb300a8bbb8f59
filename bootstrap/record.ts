/** What bootstrap made, written down in the repository itself, so that a later version can tell its own lines from people's. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import { normal } from "./three-way.ts";

export const recordPath = ".forgehand/bootstrap.json";
/** Of what is generated; a newer one is offered by `forgehand bootstrap --update`. */
export const templateVersion = 1;

const maxBaseBytes = 200_000;
const maxFiles = 200;

/**
 * `whole`: the file is ours. `block`: what stands between our markers. `rules`: `base` lists the rules that were added.
 * `link`: `base` is where it points.
 */
const Part = z.enum(["whole", "block", "rules", "link"]);
export type Part = z.infer<typeof Part>;

const Base = z
  .string()
  .max(maxBaseBytes)
  .transform((packed, context) => {
    try {
      const options = { maxOutputLength: maxBaseBytes };
      return inflateRawSync(Buffer.from(packed, "base64"), options).toString("utf8");
    } catch {
      context.addIssue({ code: "custom", message: "is not what bootstrap wrote" });
      return z.NEVER;
    }
  });
const Recorded = z.object({
  about: z.string().optional(),
  version: z.literal(1),
  template: z.number().int().positive(),
  answers: z.object({ skills: z.enum(["link", "copy"]), agent: z.boolean() }),
  files: z
    .record(z.string(), z.object({ part: Part, base: Base }))
    .refine((files) => Object.keys(files).length <= maxFiles, "too many files"),
});

/** What was decided when it was made, and holds until it is decided anew. */
export type RecordedAnswers = z.infer<typeof Recorded>["answers"];
export interface RecordedFile {
  readonly part: Part;
  /** As it was generated, whatever became of it since. */
  readonly base: string;
}
export interface BootstrapRecord {
  readonly template: number;
  readonly answers: RecordedAnswers;
  readonly files: Readonly<Record<string, RecordedFile>>;
}

/** Reads the record; `why` is for people. */
export function readRecord(text: string): BootstrapRecord | { readonly why: string } {
  let found: unknown;
  try {
    found = JSON.parse(normal(text));
  } catch {
    return { why: "it is no JSON" };
  }
  const read = Recorded.safeParse(found);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  return { why: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "wrong"}` };
}

/** One line for each file, in order, so that two branches seldom change the same one. */
export function recordText(record: BootstrapRecord): string {
  const files = Object.entries(record.files)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, { part, base }]) => {
      const packed = deflateRawSync(Buffer.from(base), { level: 9 }).toString("base64");
      return `    ${JSON.stringify(path)}: ${JSON.stringify({ part, base: packed })}`;
    });
  return [
    "{",
    `  "about": "What forgehand bootstrap generated, so that an update changes only what nobody else did. Deleting a generated file is enough to be rid of it.",`,
    `  "version": 1,`,
    `  "template": ${record.template},`,
    `  "answers": ${JSON.stringify(record.answers)},`,
    `  "files": {`,
    files.join(",\n"),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Whether two records say the same; how a text is packed is no news. */
export const sameRecord = (one: BootstrapRecord, other: BootstrapRecord): boolean =>
  recordText(one) === recordText(other);
