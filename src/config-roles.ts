import { z } from "zod";
import { Trouble } from "./ports.ts";
import type { Effort, ToolName, ToolRules } from "./ports-agents.ts";
import type { RuntimeName } from "./state-machine/ticket.ts";

/** How capable a model a role gets, in words that hold for every runtime. */
export const tierNames = ["high", "medium", "low"] as const;
export type Tier = (typeof tierNames)[number];
/** Which model works, and how hard it thinks; undefined is the runtime's own choice. */
export interface Way {
  readonly model: string | undefined;
  readonly effort: Effort | undefined;
}

export const roleNames = ["gate", "build", "review", "plan", "mediate", "advise"] as const;
export const runtimeName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,38}$/u, "a runtime is named like `claude-code`");
const modelName = z.string().regex(/^\w[^\s]{0,99}$/u, "a model's name, without spaces");
const effort = z.enum(["low", "medium", "high", "xhigh", "max"]);
/** Of a persona, a server or a bundle: it becomes part of a path or of a tool's name. */
export const plainName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,38}$/u, "lower-case letters, digits and dashes");
const toolName = z
  .string()
  .regex(
    /^(?:read|search|edit|shell|delegate|mcp:[a-z0-9][a-z0-9-]{0,38}(?:\/[\w.-]{1,64})?)$/u,
    "one of `read`, `search`, `edit`, `shell`, `delegate`, `mcp:SERVER` or `mcp:SERVER/TOOL`",
  )
  // The pattern above is the type, spelled for the eye.
  .transform((name) => name as ToolName);

export const tier = z.enum(tierNames);
const way = z.strictObject({ model: modelName.optional(), effort: effort.optional() });
export const tierWays = z.strictObject({
  high: way.optional(),
  medium: way.optional(),
  low: way.optional(),
});
export const fallbackChain = z.array(runtimeName).max(8);
export const nameList = z.array(plainName).max(8);
export const toolRules = z.strictObject({
  allow: z.array(toolName).max(100).optional(),
  deny: z.array(toolName).max(100).optional(),
});

const wayWords = z.object({
  tier: tier.optional(),
  effort: effort.optional(),
  persona: plainName.optional(),
  mcp: nameList.optional(),
  tools: toolRules.optional(),
});
/** What a workflow of one's own asks for an agent of its task; a word that does not exist is a permanent `Trouble`. */
export function readWay(asked: unknown): z.infer<typeof wayWords> {
  const read = wayWords.safeParse(asked);
  if (read.success) return read.data;
  const { path = [], message = "" } = read.error.issues[0] ?? {};
  const what = `the task asks for something that does not exist: \`${path.map(String).join(".")}\`: ${message}`;
  throw new Trouble("way-unknown", what, { permanent: true });
}

/**
 * What a tier means where nobody says otherwise. Claude Code's are the aliases that its `--model` takes, each the newest
 * of its kind. Codex has no such aliases, and which models an account may use differs: there a tier is effort alone.
 */
const houseWays: Readonly<Record<RuntimeName, Readonly<Record<Tier, Way>>>> = {
  "claude-code": {
    high: { model: "opus", effort: "high" },
    medium: { model: "sonnet", effort: "medium" },
    low: { model: "haiku", effort: "low" },
  },
  codex: {
    high: { model: undefined, effort: "high" },
    medium: { model: undefined, effort: "medium" },
    low: { model: undefined, effort: "low" },
  },
};

/** What the configuration says of models. */
export interface ModelRules {
  readonly models: Readonly<Record<RuntimeName, string | undefined>>;
  readonly tiers: Readonly<Record<RuntimeName, z.infer<typeof tierWays> | undefined>>;
}

/** The model and effort of a runtime at a tier: as configured, else the model configured for all tiers, else the house's. */
export function wayOf({ models, tiers }: ModelRules, runtime: RuntimeName, at: Tier | undefined): Way {
  const model = models[runtime];
  if (at === undefined) return { model, effort: undefined };
  const said = tiers[runtime]?.[at];
  const house = houseWays[runtime]?.[at];
  return { model: said?.model ?? model ?? house?.model, effort: said?.effort ?? house?.effort };
}

/** What is left where several lists hold at once: each may only take away. */
export function narrowed(lists: readonly (ToolRules | undefined)[]): ToolRules | undefined {
  const rules = lists.filter((one) => one !== undefined);
  if (rules.length === 0) return undefined;
  const allowing = rules.flatMap(({ allow }) => (allow === undefined ? [] : [allow]));
  const [first, ...others] = allowing;
  const deny = [...new Set(rules.flatMap((one) => one.deny ?? []))];
  return {
    ...(first === undefined ? {} : { allow: others.reduce(both, first) }),
    ...(deny.length === 0 ? {} : { deny }),
  };
}

/** What both lists allow; a whole server on one side and a tool of it on the other is that tool. */
function both(one: readonly ToolName[], other: readonly ToolName[]): readonly ToolName[] {
  const covers = (list: readonly ToolName[], name: ToolName): boolean =>
    list.includes(name) || list.some((each) => name.startsWith(`${each}/`));
  return [
    ...new Set([...one.filter((name) => covers(other, name)), ...other.filter((name) => covers(one, name))]),
  ];
}
