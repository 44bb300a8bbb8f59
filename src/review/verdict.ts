import { parse } from "yaml";
import { z } from "zod";

/** How much a finding weighs: only a blocker holds a change back. */
export const grades = ["blocker", "polish", "future"] as const;

/** A command that shows a finding to be true: it ends so, and says this. */
export const reproduceSchema = z.object({
  command: z.string().trim().min(1).max(2_000),
  exit: z.number().int().min(0).max(255).optional(),
  output: z.string().trim().min(1).max(500).optional(),
});

/** One complaint of a reviewer, as it is kept. */
export const findingSchema = z.object({
  title: z.string().trim().min(1).max(300),
  body: z.string().max(10_000),
  grade: z.enum(grades),
  path: z.string().min(1).max(1000).optional(),
  line: z.number().int().positive().optional(),
  kind: z.string().min(1).max(60).optional(),
  /** What it is about in the code, by name. */
  symbol: z.string().min(1).max(200).optional(),
  reproduce: reproduceSchema.optional(),
});
export type Finding = z.infer<typeof findingSchema>;

const orAbsent = <Output>(schema: z.ZodType<Output>) =>
  schema.nullish().transform((value) => value ?? undefined);
/** A path inside the repository that reads as one wherever it is shown; a finding at any other has no place. */
const isPlain = (path: string): boolean =>
  path !== "" &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}`<>\\]/u.test(path) &&
  !path.startsWith("/") &&
  !path.split("/").includes("..");

/** What a reviewer says of a finding of an earlier round. */
const answerIs = ["fixed", "present", "unsure"] as const;
export const answerSchema = z.object({
  id: z.string().max(64),
  is: z.enum(answerIs),
  why: z.string().max(4_000),
  /** Where it was mended, if that is another file. */
  path: z.string().optional(),
});
export type Answer = z.infer<typeof answerSchema>;
const earlierSchema = z
  .object({
    id: answerSchema.shape.id,
    is: answerSchema.shape.is,
    why: orAbsent(answerSchema.shape.why),
    path: orAbsent(z.string().max(1000)),
  })
  .transform(({ id, is, why, path }): Answer => ({
    id,
    is,
    why: why ?? "",
    ...(path === undefined ? {} : { path }),
  }));

/** As asked for, every key may be null; what could show nothing is nothing. */
const reproduceAnswer = orAbsent(
  z.object({
    command: z.string().max(2_000),
    exit: orAbsent(z.number()),
    output: orAbsent(z.string().max(500)),
  }),
).transform((asked) => {
  if (asked === undefined) return undefined;
  const { command, exit, output } = asked;
  const read = reproduceSchema.safeParse({
    command,
    ...(exit === undefined ? {} : { exit }),
    ...(output === undefined || output.trim() === "" ? {} : { output }),
  });
  return read.success && (read.data.exit !== undefined || read.data.output !== undefined)
    ? read.data
    : undefined;
});

const verdictSchema = z.object({
  verdict: z.preprocess(
    (value) => (typeof value === "string" ? value.trim().toLowerCase() : value),
    z.enum(["pass", "fail"]),
  ),
  findings: z
    .array(
      z.object({
        title: findingSchema.shape.title,
        body: orAbsent(z.string().max(10_000)).transform((body) => body ?? ""),
        grade: findingSchema.shape.grade,
        path: orAbsent(z.string().max(1000)).transform((path) =>
          path === undefined || !isPlain(path) ? undefined : path,
        ),
        line: orAbsent(z.number()).transform((line) =>
          line !== undefined && Number.isInteger(line) && line > 0 ? line : undefined,
        ),
        kind: orAbsent(z.string().max(60)).transform((kind) => (kind === "" ? undefined : kind)),
        symbol: orAbsent(z.string().max(200)).transform((symbol) => (symbol === "" ? undefined : symbol)),
        reproduce: reproduceAnswer,
      }),
    )
    .max(100),
  earlier: orAbsent(z.array(earlierSchema).max(200)).transform((earlier) => earlier ?? []),
  summary: z.string().max(10_000),
});

/** What the reviewer is asked for; every key required, because strict structured output wants it so. */
export const verdictJsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["verdict", "findings", "earlier", "summary"],
  properties: {
    verdict: { type: "string", enum: ["pass", "fail"] },
    findings: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["title", "body", "grade", "path", "line", "kind", "symbol", "reproduce"],
        properties: {
          title: { type: "string" },
          body: { type: "string" },
          grade: { type: "string", enum: [...grades] },
          path: { type: ["string", "null"] },
          line: { type: ["integer", "null"] },
          kind: { type: ["string", "null"] },
          symbol: { type: ["string", "null"] },
          reproduce: {
            type: ["object", "null"],
            additionalProperties: false,
            required: ["command", "exit", "output"],
            properties: {
              command: { type: "string" },
              exit: { type: ["integer", "null"] },
              output: { type: ["string", "null"] },
            },
          },
        },
      },
    },
    earlier: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["id", "is", "why", "path"],
        properties: {
          id: { type: "string" },
          is: { type: "string", enum: [...answerIs] },
          why: { type: "string" },
          path: { type: ["string", "null"] },
        },
      },
    },
    summary: { type: "string" },
  },
} as const;

export type Verdict =
  | {
      readonly is: "pass" | "fail";
      readonly findings: readonly Finding[];
      /** Of findings of earlier rounds, by their ids. */
      readonly earlier: readonly Answer[];
      readonly summary: string;
    }
  | { readonly is: "blocked"; readonly why: string };

export interface VerdictRules {
  readonly polishBlocks: boolean;
  /** Findings of earlier rounds that hold the change back while they are there, by id. */
  readonly holding?: ReadonlySet<string> | undefined;
}

/** Reads a reviewer's answer. Whatever is not plainly a verdict blocks; nothing unclear ever passes. */
export function readVerdict(
  answer: { readonly structured: unknown; readonly text: string },
  rules: VerdictRules = { polishBlocks: false },
): Verdict {
  const raw = answer.structured ?? fromText(answer.text);
  if (raw === undefined) return { is: "blocked", why: "the reviewer gave no verdict" };
  const parsed = verdictSchema.safeParse(raw);
  if (!parsed.success)
    return { is: "blocked", why: `the reviewer's verdict is malformed: ${firstProblem(parsed.error)}` };
  const { verdict, summary, earlier } = parsed.data;
  const findings = parsed.data.findings.map(withoutAbsent);
  const isPresent = earlier.some(({ id, is }) => is === "present" && rules.holding?.has(id) === true);
  const blocks = isPresent || findings.some(({ grade }) => isBlocking(grade, rules));
  if (verdict === "fail" && !blocks)
    return { is: "blocked", why: "the reviewer failed the change without naming a blocker" };
  if (verdict === "pass" && findings.some(({ grade }) => grade === "blocker"))
    return { is: "blocked", why: "the reviewer passed the change and named a blocker" };
  if (verdict === "pass" && isPresent)
    return { is: "blocked", why: "the reviewer passed the change and said that a blocker is still present" };
  return { is: blocks ? "fail" : "pass", findings, earlier, summary };
}

/** Does a finding of this grade hold a change back? */
export const isBlocking = (grade: Finding["grade"], rules: { readonly polishBlocks: boolean }): boolean =>
  grade === "blocker" || (rules.polishBlocks && grade === "polish");

function withoutAbsent(finding: z.infer<typeof verdictSchema>["findings"][number]): Finding {
  const { title, body, grade, path, line, kind, symbol, reproduce } = finding;
  return {
    title,
    body,
    grade,
    ...(path === undefined ? {} : { path }),
    ...(line === undefined ? {} : { line }),
    ...(kind === undefined ? {} : { kind }),
    ...(symbol === undefined ? {} : { symbol }),
    ...(reproduce === undefined ? {} : { reproduce }),
  };
}

/** For agents without structured output: the whole text as JSON, or the front matter of a REVIEW.md. */
function fromText(text: string): unknown {
  const json = jsonIn(text);
  if (json !== undefined) return json;
  const front = /^\uFEFF?\s*---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/u.exec(text)?.[1];
  if (front === undefined) return undefined;
  const matter = tryTo(() => parse(front, { maxAliasCount: 0 }) as unknown);
  if (typeof matter !== "object" || matter === null || Array.isArray(matter)) return {};
  const { status, findings, notes } = matter as Record<string, unknown>;
  return {
    verdict: status,
    findings:
      findings === undefined || findings === null
        ? []
        : Array.isArray(findings)
          ? findings.map(titled)
          : findings,
    summary: typeof notes === "string" ? notes : "",
  };
}

/** A text that is one JSON object, in a code fence or not; undefined when it does not look like one. */
export function jsonIn(text: string): unknown {
  const json = /^\s*(?:```(?:json)?\s*\n)?(\{[\s\S]*\})\s*(?:```\s*)?$/u.exec(text)?.[1];
  return json === undefined ? undefined : tryTo(() => JSON.parse(json) as unknown);
}

function titled(finding: unknown): unknown {
  if (typeof finding !== "object" || finding === null || !("finding" in finding)) return finding;
  const { finding: title, ...rest } = finding as Record<string, unknown>;
  return { title, ...rest };
}

function tryTo(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    // Not readable is the same as not a verdict; the empty object fails the schema with its reason.
    return {};
  }
}

/** The first thing zod complains about, in one line. */
export function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "unreadable" : `${issue.path.join(".") || "answer"}: ${issue.message}`;
}
