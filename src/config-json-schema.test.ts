import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { RepoConfig } from "./config-schema.ts";

const shipped = JSON.parse(
  readFileSync(new URL("../schema/forgehand.v1.json", import.meta.url), "utf8"),
) as Readonly<Record<string, unknown>>;
const validate = new Ajv2020({ strict: true, allErrors: true, validateFormats: true }).compile(shipped);
const accepts = (value: unknown): boolean => validate(value);

interface Node {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxItems?: number;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | boolean;
}
const words = [
  "codex",
  "claude-code",
  "npm ci",
  "squash",
  "builder",
  "acme",
  "acme/base",
  "acme/base/.forgehand/x.yml",
  "a b",
  "",
  "X",
  "1",
  "high",
  "docs/flow.md",
  "shell",
];
const odd = fc.oneof(
  fc.constantFrom(null, true, false, -1, 0, 1.5, 1e12, "", "…", [], {}),
  fc.constantFrom(...words),
);

/** Values that mostly fit a part of the schema, and sometimes do not. */
function near(node: Node): fc.Arbitrary<unknown> {
  const fitting = ((): fc.Arbitrary<unknown> => {
    if (node.const !== undefined) return fc.constant(node.const);
    if (node.enum !== undefined) return fc.constantFrom(...node.enum);
    if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(near));
    switch (node.type) {
      case "integer":
      case "number": {
        const least = node.minimum ?? node.exclusiveMinimum ?? 0;
        return fc.integer({ min: least - 1, max: Math.min((node.maximum ?? 100) + 1, least + 1000) });
      }
      case "boolean":
        return fc.boolean();
      case "array":
        return fc.array(near(node.items ?? {}), { maxLength: Math.min((node.maxItems ?? 3) + 1, 5) });
      case "object":
        return node.properties === undefined
          ? fc.dictionary(
              fc.constantFrom("codex", "No Name", "gemini"),
              near(node.additionalProperties as Node),
              { maxKeys: 2 },
            )
          : fc.record(
              Object.fromEntries(Object.entries(node.properties).map(([key, inner]) => [key, near(inner)])),
              { requiredKeys: [] },
            );
      default:
        return fc.constantFrom(...words);
    }
  })();
  return fc.oneof({ arbitrary: fitting, weight: 30 }, { arbitrary: odd, weight: 1 });
}

describe("the schema that editors are given", () => {
  test.each([
    "",
    "version: 1",
    "commands: { setup: npm ci, lint: npm run lint, build: make, test: npm test, timeout_minutes: 3 }",
    "extends: acme/base/.github/rules.yml\nworkflow_file: docs/flow.md",
    "review: { panel: [general, { persona: security, runtime: codex, tier: high }], quorum: 1 }",
    "runtime: { tiers: { codex: { high: { model: gpt-5.5, effort: max } } }, tools: { build: { deny: [shell, mcp:db/query] } } }",
    "labels: { agent-ready: ready }\nallow_bots: ['renovate[bot]']",
    "prompts: { build: 'Attempt {{ attempt }} of {{ issue.title }}' }",
  ])("takes %s", (text) => {
    expect([accepts(parse(text) ?? {}), validate.errors]).toEqual([true, null]);
  });

  test.each([
    "verison: 1",
    "version: 2",
    "commands: npm ci",
    "limits: { run_usd: -1 }",
    "limits: { attempts: 1.5 }",
    "extends: ../other",
    "extends: acme/base/.github/../x.yml",
    "workflow_file: ../x.md",
    "review: { panel: [{ runtime: codex }] }",
    "runtime: { roles: { build: 'a b' } }",
  ])("refuses %s", (text) => {
    expect(accepts(parse(text))).toBe(false);
  });

  test("says of any value what we say of it", () => {
    fc.assert(
      // The shape that zod writes.
      fc.property(near(shipped as Node), (value) => {
        const ours = RepoConfig.safeParse(value);
        // That no two labels share a name is beyond a schema.
        if (!ours.success && ours.error.issues.every(({ code }) => code === "custom")) return;
        expect([accepts(value), value]).toEqual([ours.success, value]);
      }),
      { numRuns: 400 },
    );
  });
});
