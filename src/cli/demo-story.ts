/** The demo's repository, its three issues, and the parts its scripted agents play. */

export const repository = { owner: "acme", name: "shop" } as const;

/** A small TypeScript project whose test fails for a real reason. */
export const files: Readonly<Record<string, string>> = {
  "README.md": "# shop\n\nA very small shop.\n",
  "AGENTS.md":
    "# Working here\n\n- `npm test` must pass.\n- Prices are in cents.\n\n## Code Review Rules\n\n- Money is rounded half up, never down.\n",
  "package.json": `${JSON.stringify({ name: "shop", private: true, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  ".github/forgehand.yml":
    "commands:\n  test: npm test --silent\nmerge:\n  settle_seconds: 0\nlimits:\n  feedback_seconds: 0\n",
  "src/slug.ts": `/** A title as it appears in an address. */
export function slug(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}
`,
  "src/slug.test.ts": `import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "./slug.ts";

test("accents become plain letters", () => {
  assert.equal(slug("Crème Brûlée"), "creme-brulee");
});
`,
  "src/cart.ts": `export interface Line {
  readonly cents: number;
  readonly count: number;
}

/** What the cart costs, in cents, before tax. */
export function total(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.cents * line.count, 0);
}
`,
};

export interface Story {
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
}
export const stories = {
  good: {
    title: "Slugs lose accented letters",
    body: '`slug("Crème Brûlée")` gives `cr-me-br-l-e`. It should give `creme-brulee`.\n\nWhere: `src/slug.ts`. Done when the test in `src/slug.test.ts` passes.',
    labels: ["agent-ready"],
  },
  vague: { title: "Make checkout nicer", body: "It feels a bit clunky.", labels: ["agent-ready"] },
  rejected: {
    title: "Add tax to the cart total",
    body: "Add `totalWithTax(lines, rate)` to `src/cart.ts`, in cents, for a rate such as `0.19`. Done when it has a test and 3 × 33 cents at 19 % come to 118.",
    labels: ["agent-ready", "auto-merge", "runtime/codex"],
  },
} as const satisfies Record<string, Story>;

const fine = { ok: true, reason: "" };
const spent = (inputTokens: number, outputTokens: number) => ({
  usage: { inputTokens, cachedInputTokens: Math.round(inputTokens / 2), outputTokens },
});

const fixedSlug = `/** A title as it appears in an address. */
export function slug(title: string): string {
  return title
    .normalize("NFD")
    .replace(/\\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
`;
const withTax = (round: "floor" | "round"): string => `
/** The same with tax at this rate, rounded to whole cents. */
export function totalWithTax(lines: readonly Line[], rate: number): number {
  return Math.${round}(total(lines) * (1 + rate));
}
`;
const taxTest = (count: number, cents: number): string => `import assert from "node:assert/strict";
import { test } from "node:test";
import { totalWithTax } from "./cart.ts";

test("tax is added to the total", () => {
  assert.equal(totalWithTax([{ cents: 100, count: ${count} }], 0.19), ${cents});
});
`;
const cart = files["src/cart.ts"] ?? "";

/** Scenes fit by role, by words of the prompt and by what stands in the files, so that a repeated order plays the same. */
export const scenes: readonly object[] = [
  {
    role: "gate",
    prompt: stories.vague.title,
    steps: [
      spent(1_800, 160),
      {
        answer: {
          decision: "flag",
          where: { ok: false, reason: "which page or module of the checkout?" },
          what: { ok: false, reason: "what exactly feels clunky, and what should happen instead?" },
          acceptance: { ok: false, reason: "how can somebody tell that it is done?" },
          ambiguity: fine,
          gapComment: "There is nothing to build or to check yet. One concrete example would do.",
        },
      },
    ],
  },
  {
    role: "gate",
    steps: [
      spent(2_100, 120),
      {
        answer: {
          decision: "proceed",
          where: fine,
          what: fine,
          acceptance: fine,
          ambiguity: fine,
          gapComment: "",
        },
      },
    ],
  },
  {
    role: "build",
    prompt: stories.good.title,
    steps: [
      { say: "The accents are dropped as if they were punctuation: decompose first." },
      { write: { path: "src/slug.ts", text: fixedSlug } },
      { run: "npm test --silent" },
      spent(9_500, 900),
      { done: "`slug` decomposes letters and drops the accents before it replaces the rest." },
    ],
  },
  {
    role: "build",
    prompt: stories.rejected.title,
    file: { path: "src/cart.ts", lacks: "totalWithTax" },
    steps: [
      { write: { path: "src/cart.ts", text: cart + withTax("floor") } },
      { write: { path: "src/cart.test.ts", text: taxTest(1, 119) } },
      { run: "npm test --silent" },
      spent(8_200, 760),
      { done: "`totalWithTax` adds the tax, with a test." },
    ],
  },
  {
    role: "build",
    prompt: stories.rejected.title,
    steps: [
      { say: "The reviewer is right: rounding down loses a cent." },
      { write: { path: "src/cart.ts", text: cart + withTax("round") } },
      {
        write: {
          path: "src/cart.test.ts",
          text: `${taxTest(1, 119)}\ntest("half a cent is rounded up", () => {\n  assert.equal(totalWithTax([{ cents: 33, count: 3 }], 0.19), 118);\n});\n`,
        },
      },
      { run: "npm test --silent" },
      spent(11_300, 640),
      { done: "Rounds half up, and tests the case from the ticket." },
    ],
  },
  {
    role: "review",
    prompt: stories.rejected.title,
    file: { path: "src/cart.ts", contains: "Math.floor" },
    steps: [
      spent(6_400, 420),
      {
        answer: {
          verdict: "fail",
          summary:
            "The total is rounded down, which the ticket and the house rules exclude, and the ticket's own example is not tested.",
          findings: [
            {
              title: "Math.floor loses cents: 3 × 33 at 19 % gives 117, not 118",
              body: "Round half up, and test the example from the ticket.",
              grade: "blocker",
              path: "src/cart.ts",
              line: 13,
              kind: "correctness",
            },
          ],
        },
      },
    ],
  },
  {
    role: "review",
    steps: [
      spent(6_900, 210),
      {
        answer: { verdict: "pass", findings: [], summary: "Does what the ticket asks; the tests cover it." },
      },
    ],
  },
];
