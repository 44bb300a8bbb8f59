import { z } from "zod";
import type { LabelName } from "../bootstrap/labels.ts";
import { labelNames } from "../bootstrap/labels.ts";
import { panelSchema } from "./config-panel.ts";
import { fallbackChain, nameList, runtimeName, tier, tierWays, toolRules } from "./config-roles.ts";

/** Paths whose change always takes a person and voids `auto-merge`. */
export const protectedPaths: readonly string[] = [
  ".github/**",
  ".forgehand/**",
  ".forgehand.yml",
  "**/CODEOWNERS",
  "**/.claude/**",
  "**/.codex/**",
  "**/.agents/**",
  "**/.gemini/**",
  "**/.opencode/**",
  "**/.qwen/**",
  "**/.pi/**",
  "**/.mcp.json",
  "**/AGENTS{,.*}.md",
  "**/CLAUDE{,.*}.md",
  "**/{GEMINI,QWEN}.md",
  "**/opencode.json{,c}",
  ".husky/**",
  ".gitmodules",
  // It decides what a diff shows.
  "**/.gitattributes",
];

const command = z.string().trim().min(1).max(2000);
const count = (least: number, most: number) => z.number().int().min(least).max(most);
const dollars = z.number().positive().max(100_000);
const template = z.string().max(20_000);
const login = z.string().regex(/^[A-Za-z0-9-]{1,39}(?:\[bot\])?$/u, "a GitHub login, for a bot with `[bot]`");
const reviewer = z.string().regex(/^[A-Za-z0-9-]{1,39}$/u, "a GitHub login without @");
const labelText = z.string().trim().min(1).max(50);

const labelShape = Object.fromEntries(
  labelNames.map((name) => [name, labelText.default(name)]),
) as unknown as Record<LabelName, z.ZodDefault<typeof labelText>>;

/** A group of keys with defaults, so that the group itself may be left out. */
function group<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as never);
}

/** One value for each role that has any. */
const perRole = <Value extends z.ZodType>(value: Value) =>
  group({
    gate: value.optional(),
    build: value.optional(),
    review: value.optional(),
    plan: value.optional(),
    mediate: value.optional(),
    advise: value.optional(),
  });

/** Two meanings under one name would let the weaker permission speak for the stronger. */
function eachNameOnce(names: Readonly<Record<string, string>>, context: z.RefinementCtx): void {
  const seen = new Map<string, string>();
  for (const [label, name] of Object.entries(names)) {
    const other = seen.get(name);
    if (other !== undefined) {
      const renamed = name === label ? other : label;
      context.addIssue({
        code: "custom",
        path: [renamed],
        message: `a name that no other label has; ${other} and ${label} share it`,
      });
    }
    seen.set(name, label);
  }
}

/** `.github/forgehand.yml`: every key has a default, no other key exists. */
export const RepoConfig = z.strictObject({
  version: z.literal(1).default(1).describe("Version of this file's format."),
  commands: group({
    setup: command.optional().describe("Run once in a fresh worktree, such as `npm ci`."),
    test: command.optional().describe("Must pass before a build is delivered."),
    lint: command.optional().describe("Must pass before a build is delivered."),
    timeout_minutes: count(1, 240).default(20).describe("Limit of each of these commands."),
  }),
  hooks: group({
    after_create: command.optional().describe("After a worktree was made."),
    before_run: command.optional().describe("Before an agent works in it."),
    after_run: command.optional().describe("After an agent worked in it."),
    before_remove: command.optional().describe("Before it is removed."),
    timeout_seconds: count(1, 3600).default(60).describe("Limit of each hook."),
  }),
  runtime: group({
    default: runtimeName.default("claude-code").describe("Builds when no `runtime/*` label is set."),
    roles: group({
      gate: runtimeName.optional(),
      build: runtimeName.optional(),
      review: runtimeName.optional().describe("Another family than the builder's, or the review is blocked."),
      plan: runtimeName.optional(),
      mediate: runtimeName.optional(),
    }).describe("A fixed runtime per role; otherwise the default builds and the other family reviews."),
    models: z
      .record(runtimeName, z.string().min(1).max(100))
      .default({})
      .describe("Model per runtime; otherwise the runtime's own choice."),
    tier: perRole(tier).describe(
      "How capable a model each role gets; otherwise its persona's tier, else the runtime's own choice.",
    ),
    tiers: z
      .record(runtimeName, tierWays)
      .default({})
      .describe("Model and effort of each tier per runtime; what is not said here is the house's."),
    fallback: group({
      every: fallbackChain.default([]).describe("For every role that has no list of its own."),
      gate: fallbackChain.optional(),
      build: fallbackChain.optional(),
      review: fallbackChain.optional(),
    }).describe("Who takes over, in this order, when a runtime is down, logged out or out of quota."),
    personas: group({
      gate: nameList.default([]),
      build: nameList.default(["builder"]),
      review: nameList.default(["reviewer"]),
      plan: nameList.default(["planner"]),
      mediate: nameList.default([]),
      advise: nameList.default([]),
    }).describe(
      "Personas per role: `.forgehand/personas/NAME.md` of the default branch, else a bundled one.",
    ),
    mcp: perRole(nameList).describe("Bundles of MCP servers per role, by the names the operator gave them."),
    tools: perRole(toolRules).describe(
      "Tools taken from a role; a list never adds to what its access gives.",
    ),
  }),
  review: group({
    strict: z.boolean().default(false).describe("Findings graded `polish` hold a change back too."),
    panel: panelSchema
      .default([])
      .describe(
        "Reviewers side by side, each a persona or `{ persona, runtime, tier }`; one as the role is filled when empty.",
      ),
    quorum: count(1, 8)
      .optional()
      .describe("Reviewers of the panel whose verdict must count; all of them when it is not said."),
    mediator: z
      .enum(["ask", "escalate", "continue"])
      .default("ask")
      .describe(
        "When rounds do not converge: ask an agent who mediates, ask a person, or go on until the breaker.",
      ),
    resolve_threads: z
      .enum(["fixed", "settled", "none"])
      .default("fixed")
      .describe(
        "Which conversations are resolved: what was fixed, also what was answered or declined, or none.",
      ),
    max_files: count(1, 100_000)
      .default(100)
      .describe("Files in one change before it takes a person, lockfiles and snapshots aside."),
    max_lines: count(1, 10_000_000)
      .default(3_000)
      .describe("Changed lines in one change before it takes a person, lockfiles and snapshots aside."),
    max_findings: count(1, 100).default(20).describe("Inline findings posted in one round."),
  }),
  limits: group({
    attempts: count(1, 20).default(3).describe("Failed builds before a person must act."),
    cycles: count(1, 20).default(3).describe("Review rounds ending in rework before a person must act."),
    unreviewed: count(1, 20)
      .default(3)
      .describe("Attempts that never reach review before a person must act."),
    mediator_at: count(1, 20).default(2).describe("Review round from which the mediator speaks."),
    stall_minutes: count(1, 240).default(5).describe("Without a byte from an agent before it is stopped."),
    repeated_calls: count(3, 1000)
      .default(10)
      .describe("The same tool call this often in a row, with no file changed, before an agent is nudged."),
    turn_minutes: count(1, 1440).default(60).describe("Longest single turn of an agent."),
    run_minutes: count(1, 2880).default(120).describe("Longest run of one phase, all its turns together."),
    output_tokens: count(1000, 10_000_000).default(100_000).describe("Output tokens per turn."),
    run_usd: dollars.default(5).describe("Dollars per run."),
    ticket_usd: dollars.default(25).describe("Dollars per ticket, all its runs together."),
    day_usd: dollars.optional().describe("Dollars a day in this repository."),
    concurrency: count(1, 100).default(3).describe("Agents at work in this repository at once."),
    questions: count(0, 1000)
      .default(20)
      .describe("Questions of people that an agent answers on one ticket."),
    question_usd: dollars.default(0.5).describe("Dollars per answer, within what the ticket may cost."),
    feedback_seconds: count(0, 3600)
      .default(90)
      .describe("Quiet time after review feedback before rework starts."),
  }),
  priority: group({
    labels: z
      .array(labelText)
      .max(4)
      .default(["priority/1", "priority/2", "priority/3", "priority/4"])
      .describe("Labels that say who goes first, the most urgent first."),
  }),
  dependencies: group({
    stack: z
      .boolean()
      .default(false)
      .describe(
        "A ticket starts on the reviewed head of the one it depends on, instead of waiting for its merge.",
      ),
    stack_depth: count(1, 10).default(2).describe("How many tickets may stand below one, each on the next."),
  }),
  merge: group({
    after_approval: z
      .boolean()
      .default(true)
      .describe("An approving review releases the merge; with false a person presses the button."),
    method: z
      .enum(["auto", "squash", "merge", "rebase"])
      .default("auto")
      .describe(
        "`auto` takes squash, else merge, else rebase, as the branch allows; one that it forbids holds the merge, and is told before.",
      ),
    keep_up_to_date: z
      .boolean()
      .default(false)
      .describe(
        "Nothing is merged that lacks a commit of the base: the branch takes it over and is reviewed again.",
      ),
    update: z
      .enum(["merge", "rebase"])
      .default("merge")
      .describe(
        "How a branch takes over its base; a branch with commits of somebody else is merged either way.",
      ),
    base_wait_minutes: count(1, 20_160)
      .default(1440)
      .describe("How long a check that is red on the base as well is waited for, before a person is asked."),
    title: template
      .optional()
      .describe("First line of the merge commit, a Liquid template; the issue's title when left out."),
    body: template
      .optional()
      .describe("Its text, a Liquid template; what the builder did when left out. Our trailers follow it."),
    settle_seconds: count(0, 3600)
      .default(30)
      .describe("How long there must be no checks before that counts."),
    delete_branch: z.boolean().default(true),
  }),
  after_merge: group({
    watch_minutes: count(0, 1440)
      .default(60)
      .describe("How long the checks of the base are watched after a merge; 0 for not at all."),
  }),
  approval: group({
    reviewers: z.array(reviewer).max(15).default([]).describe("People asked to review each pull request."),
  }),
  paths: group({
    protected: z
      .array(z.string().min(1).max(200))
      .max(200)
      .default([])
      .transform((more) => [...protectedPaths, ...more])
      .describe("More paths whose change takes a person and voids `auto-merge`."),
  }),
  allow_bots: z.array(login).max(50).default([]).describe("Bots that may queue and stop work, by login."),
  labels: group(labelShape).superRefine(eachNameOnce).describe("Other names for our labels."),
  prompts: group({
    gate: template.optional(),
    build: template.optional(),
    review: template.optional(),
    mediate: template.optional(),
  }).describe("Further instruction per role, a Liquid template."),
});
export type RepoConfig = z.infer<typeof RepoConfig>;

/** What a template under `prompts` may mention. */
export const templateVariables = {
  ticket: ["ref", "title", "url", "author"],
  repo: ["owner", "name", "default_branch"],
  run: ["attempt", "round", "branch"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** What `merge.title` and `merge.body` may mention. */
export const mergeVariables = {
  ticket: ["ref", "number", "title", "url", "author"],
  repo: ["owner", "name", "default_branch"],
  pull: ["number", "branch", "head"],
  work: ["summary", "builder", "reviewer", "approved_by"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
