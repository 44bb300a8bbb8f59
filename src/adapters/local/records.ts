/** What the local tracker and forge remember: one small JSON file for each ticket and pull request, written whole. */
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Trouble } from "../../ports.ts";

const at = z.number();
const Comment = z.object({ id: z.number(), marker: z.string(), body: z.string(), at });
const Finding = z.object({
  id: z.string().optional(),
  path: z.string(),
  line: z.number(),
  body: z.string(),
  thread: z.enum(["open", "resolved"]),
});
const talk = { comments: z.array(Comment).default([]), reactions: z.array(z.string()).default([]) };

/** A ticket's own memory, beside its file. */
const TicketRecord = z.object({
  is: z.literal("ticket"),
  number: z.number(),
  /** How often what was seen has changed. */
  revision: z.number().default(0),
  /** The file as it was last seen, and told of. */
  seen: z
    .object({
      spec: z.string(),
      labels: z.array(z.string()),
      closed: z.enum(["completed", "declined"]).optional(),
    })
    .optional(),
  /** A change of ours that may not be in the file yet. */
  intent: z
    .object({
      add: z.array(z.string()),
      remove: z.array(z.string()),
      closed: z.enum(["completed", "declined", "open"]).optional(),
    })
    .optional(),
  history: z
    .array(z.object({ label: z.string(), is: z.enum(["set", "removed"]), by: z.string(), at }))
    .default([]),
  textChangedAt: at.optional(),
  isGone: z.boolean().default(false),
  /** By which one that we opened is found again. */
  marker: z.string().optional(),
  /** Its file may not be there yet. */
  isMaking: z.boolean().default(false),
  ...talk,
});
export type TicketRecord = z.infer<typeof TicketRecord>;

const PullRecord = z.object({
  is: z.literal("pull"),
  number: z.number(),
  branch: z.string(),
  base: z.string(),
  title: z.string(),
  body: z.string(),
  draft: z.boolean(),
  open: z.boolean(),
  /** As last seen, or as it was when it was closed or merged. */
  head: z.string(),
  merged: z.string().optional(),
  mergedBy: z.string().optional(),
  /** The commit that is being put on the base. */
  merging: z.object({ head: z.string(), commit: z.string() }).optional(),
  reviews: z
    .array(
      z.object({ marker: z.string(), head: z.string(), at, body: z.string(), findings: z.array(Finding) }),
    )
    .default([]),
  ...talk,
});
export type PullRecord = z.infer<typeof PullRecord>;

const SaidCheck = z.object({
  head: z.string(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().optional(),
  title: z.string(),
  summary: z.string(),
});
export type SaidCheck = z.infer<typeof SaidCheck>;
const maxChecks = 50;

const AnyRecord = z.discriminatedUnion("is", [TicketRecord, PullRecord]);
export type AnyRecord = z.infer<typeof AnyRecord>;

export interface Records {
  ticket(number: number): TicketRecord | undefined;
  pull(number: number): PullRecord | undefined;
  any(number: number): AnyRecord | undefined;
  all(): readonly AnyRecord[];
  keep(record: AnyRecord): void;
  checks(): readonly SaidCheck[];
  keepCheck(check: SaidCheck): void;
  /** A number nobody has, for good: also not another process that asks at the same time. `taken`: numbers of files. */
  claim(taken: readonly number[]): number;
}

/** Opens the records below a folder, which is made when missing. */
export function openRecords(folder: string): Records {
  const [records, numbers] = [join(folder, "records"), join(folder, "numbers")];
  for (const path of [folder, records, numbers]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const pathOf = (number: number): string => join(records, `${number}.json`);
  const checksPath = join(folder, "checks.json");
  const any = (number: number): AnyRecord | undefined => readJson(pathOf(number), AnyRecord);
  const checks = (): readonly SaidCheck[] => readJson(checksPath, z.array(SaidCheck)) ?? [];
  return {
    any,
    ticket: (number) => {
      const record = any(number);
      return record?.is === "ticket" ? record : undefined;
    },
    pull: (number) => {
      const record = any(number);
      return record?.is === "pull" ? record : undefined;
    },
    all: () =>
      readdirSync(records)
        .flatMap((file) => /^(\d{1,9})\.json$/u.exec(file)?.[1] ?? [])
        .map(Number)
        .toSorted((one, other) => one - other)
        .flatMap((number) => any(number) ?? []),
    keep: (record) => writeWhole(pathOf(record.number), JSON.stringify(record)),
    checks,
    keepCheck: (check) => {
      const others = checks().filter(({ head, name }) => head !== check.head || name !== check.name);
      writeWhole(checksPath, JSON.stringify([...others, check].slice(-maxChecks)));
    },
    claim: (taken) => {
      const known = readdirSync(numbers).map(Number).filter(Number.isInteger);
      for (let number = 1 + Math.max(0, ...known, ...taken); ; number += 1)
        try {
          writeFileSync(join(numbers, String(number)), "", { flag: "wx", mode: 0o600 });
          return number;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
    },
  };
}

/** Renamed when whole and on disk, so that a crash leaves the old text or the new. */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  const half = `${path}.${process.pid}.part`;
  writeFileSync(half, text, { mode, flush: true });
  renameSync(half, path);
}

function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Trouble(
      "local-record-broken",
      `${path} is damaged. Put a backup in its place, or take it away.`,
      {
        cause,
      },
    );
  }
}
