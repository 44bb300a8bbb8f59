import { expect, test } from "vitest";
import { z, type ZodType } from "zod";
import { answerSchema } from "../../src/adapters/agents/answer-schema.ts";
import type { Family } from "../../src/ports-agents.ts";

const of = (output: ZodType, family: Family) =>
  answerSchema(z.toJSONSchema(output, { io: "input", unrepresentable: "any" }), family);

test("every object is closed for OpenAI, and what it refuses is left to the check of the answer", () => {
  const output = z.object({
    title: z.string().min(1).max(9),
    marks: z.array(z.object({ line: z.int().positive() })).max(3),
    end: z.discriminatedUnion("is", [z.object({ is: z.literal("a") }), z.object({ is: z.literal("b") })]),
    note: z.string().nullable(),
  });
  expect(of(output, "openai")).toEqual({
    type: "object",
    additionalProperties: false,
    required: ["title", "marks", "end", "note"],
    properties: {
      title: { type: "string" },
      marks: {
        type: "array",
        items: {
          type: "object",
          additionalProperties: false,
          required: ["line"],
          properties: { line: { type: "integer" } },
        },
      },
      end: {
        anyOf: ["a", "b"].map((is) => ({
          type: "object",
          additionalProperties: false,
          required: ["is"],
          properties: { is: { type: "string", const: is } },
        })),
      },
      note: { type: ["string", "null"] },
    },
  });
});

test.each<[string, ZodType]>([
  ["a field that may be missing", z.object({ a: z.object({ b: z.string().optional() }) })],
  ["fields of any name", z.object({ a: z.record(z.string(), z.number()) })],
  ["anything at all", z.object({ a: z.unknown() })],
  ["a tuple", z.object({ a: z.tuple([z.string(), z.number()]) })],
])("%s is not asked of OpenAI, but of others", (_what, output) => {
  expect(of(output, "openai")).toBeUndefined();
  expect(of(output, "anthropic")).toMatchObject({ type: "object" });
});

test.each(["openai", "anthropic"] as const)(
  "an answer that is no object is asked of nobody: %s",
  (family) => {
    expect(of(z.array(z.string()), family)).toBeUndefined();
  },
);
