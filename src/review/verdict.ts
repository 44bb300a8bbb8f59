import { parse } from "yaml";
import { z } from "zod";

/** How much a finding weighs: only a blocker holds a change back. */
export const grades = ["blocker", "polish", "future"] as const;

/** One complaint of a reviewer, as it is kept. */
export const findingSchema = z.object({
  title: z.string().trim().min(1).max(300),
  body: z.string().max(10_000),
  grade: z.enum(grades),
  path: z.string().min(1).max(1000).optional(),
  line: z.number().int().positive().optional(),
  kind: z.string().min(1).max(60).optional(),
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

const answerSchema = z.object({
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
      }),
    )
    .max(100),
  summary: z.string().max(10_000),
});

/** What the reviewer is asked for; every key required, because strict structured output wants it so. */
export const verdictJsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["verdict", "findings", "summary"],
  properties: {
    verdict: { type: "string", enum: ["pass", "fail"] },
    findings: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["title", "body", "grade", "path", "line", "kind"],
        properties: {
          title: { type: "string" },
          body: { type: "string" },
          grade: { type: "string", enum: [...grades] },
          path: { type: ["string", "null"] },
          line: { type: ["integer", "null"] },
          kind: { type: ["string", "null"] },
        },
      },
    },
    summary: { type: "string" },
  },
} as const;

export type Verdict =
  | { readonly is: "pass" | "fail"; readonly findings: readonly Finding[]; readonly summary: string }
  | { readonly is: "blocked"; readonly why: string };

/** Reads a reviewer's answer. Whatever is not plainly a verdict blocks; nothing unclear ever passes. */
export function readVerdict(
  answer: { readonly structured: unknown; readonly text: string },
  rules: { readonly polishBlocks: boolean } = { polishBlocks: false },
): Verdict {
  const raw = answer.structured ?? fromText(answer.text);
  if (raw === undefined) return { is: "blocked", why: "the reviewer gave no verdict" };
  const parsed = answerSchema.safeParse(raw);
  if (!parsed.success)
    return { is: "blocked", why: `the reviewer's verdict is malformed: ${firstProblem(parsed.error)}` };
  const { verdict, summary } = parsed.data;
  const findings = parsed.data.findings.map(withoutAbsent);
  const blocks = findings.some(
    ({ grade }) => grade === "blocker" || (rules.polishBlocks && grade === "polish"),
  );
  if (verdict === "fail" && !blocks)
    return { is: "blocked", why: "the reviewer failed the change without naming a blocker" };
  if (verdict === "pass" && findings.some(({ grade }) => grade === "blocker"))
    return { is: "blocked", why: "the reviewer passed the change and named a blocker" };
  return { is: blocks ? "fail" : "pass", findings, summary };
}

function withoutAbsent(finding: z.infer<typeof answerSchema>["findings"][number]): Finding {
  const { title, body, grade, path, line, kind } = finding;
  return {
    title,
    body,
    grade,
    ...(path === undefined ? {} : { path }),
    ...(line === undefined ? {} : { line }),
    ...(kind === undefined ? {} : { kind }),
  };
}

/** For agents without structured output: the whole text as JSON, or the front matter of a REVIEW.md. */
function fromText(text: string): unknown {
  const json = /^\s*(?:```(?:json)?\s*\n)?(\{[\s\S]*\})\s*(?:```\s*)?$/u.exec(text)?.[1];
  if (json !== undefined) return tryTo(() => JSON.parse(json) as unknown);
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
