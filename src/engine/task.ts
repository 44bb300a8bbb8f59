import { z, type ZodType } from "zod";
import { performAgent } from "./agent-task.ts";
import { limitMs, timesAgain } from "./bounds.ts";
import type { AgentWay, CacheRule, Made } from "./host.ts";
import type { Json, Step, TaskNode } from "./node.ts";
import { performShell, ShellOutput, type OnExit } from "./shell-task.ts";
import type { Leaf } from "./workflow.ts";

/** Retries when a task names none: finite, because a task that always fails must end. */
const defaultRetries = 2;
/** Rounds in which an agent may put an answer right that does not fit. */
const defaultRepairs = 3;

interface Common {
  readonly id: string;
  readonly retries?: number;
  readonly timeoutMs?: number;
  /** What it does to the world that travelling in time does not take back, in a few words. */
  readonly effect?: string;
  readonly cache?: { readonly key: Json; readonly ttlMs?: number; readonly scope?: CacheRule["scope"] };
}
/** What makes a task one kind makes it none of the others. */
interface Kinds {
  readonly perform?: never;
  readonly value?: never;
  readonly command?: never;
  readonly agent?: never;
}
interface MayWrite {
  /** Says that it changes files, where that cannot be known. */
  readonly writes?: boolean;
}
type ComputeProps<Output> = Common &
  MayWrite &
  Omit<Kinds, "perform"> & {
    readonly output: ZodType<Output>;
    readonly perform: (step: Step) => Output | Promise<Output>;
  };
type StaticProps<Output> = Common &
  Omit<Kinds, "value"> & { readonly output: ZodType<Output>; readonly value: Output };
type ShellProps = Common &
  MayWrite &
  Omit<Kinds, "command"> & {
    /** `ShellOutput`, or less of it. */
    readonly output?: ZodType<Partial<ShellOutput>>;
    readonly command: string;
    /** Whether an exit code other than 0 fails the task or is what it was to find out. */
    readonly onExit?: OnExit;
  };
type AgentProps<Output> = Common &
  AgentWay &
  Omit<Kinds, "agent"> & {
    readonly output: ZodType<Output>;
    /** By name; of several, the next works when one is missing, logged out or out of quota. */
    readonly agent: string | readonly [string, ...string[]];
    readonly prompt: string;
    readonly access?: "read" | "write";
    readonly model?: string;
    /** Dollars it may spend in one iteration, over all its attempts. */
    readonly usd?: number;
    /** Rounds in which it may put an answer right that does not fit. */
    readonly repairs?: number;
    /** Goes on in the session of another agent task, where the same agent works. */
    readonly continues?: Leaf<unknown>;
  };

/**
 * A leaf that works until it succeeds once, its output checked by zod and kept for ever: a function (`perform`), a shell
 * command (`command`), an agent (`agent`, `prompt`), or a value that is known (`value`).
 */
export function Task<Output>(
  props: ComputeProps<Output> | StaticProps<Output> | ShellProps | AgentProps<Output>,
): TaskNode {
  const { id, retries = defaultRetries, timeoutMs, effect, cache } = props;
  const common = {
    kind: "task",
    id,
    retries: timesAgain(`<Task id="${id}">`, retries),
    timeoutMs: limitMs(`<Task id="${id}">`, timeoutMs),
    worktree: undefined,
    effect,
    cache: cache && { key: cache.key, ttlMs: cache.ttlMs, scope: cache.scope ?? "workflow", loops: 0 },
  } as const;
  if (props.command !== undefined) {
    const { command, output = ShellOutput, onExit = "fail", writes = false } = props;
    if (command.trim() === "") throw new TypeError(`<Task id="${id}"> has an empty command`);
    const perform = (step: Step) => performShell({ id, command, onExit, timeoutMs }, step);
    return { ...common, output, perform, made: { is: "shell", command }, writes };
  }
  if (props.agent !== undefined) return { ...common, ...agentParts(props) };
  if (props.perform !== undefined) {
    const { output, perform, writes = false } = props;
    return { ...common, output, perform, made: { is: "compute" }, writes };
  }
  const { output, value } = props;
  return { ...common, output, perform: () => value, made: { is: "static" }, writes: false };
}

function agentParts<Output>(
  props: AgentProps<Output>,
): Pick<TaskNode, "output" | "perform" | "made" | "writes"> {
  const { id, output, prompt, access = "write", repairs = defaultRepairs, usd, continues } = props;
  const chain = typeof props.agent === "string" ? [props.agent] : [...new Set(props.agent)];
  for (const name of chain) {
    if (!/^[\w.-]+$/u.test(name))
      throw new TypeError(`<Task id="${id}"> names the agent "${name}": letters, digits, dots and dashes`);
  }
  if (chain.length === 0) throw new TypeError(`<Task id="${id}"> names no agent`);
  if (!Number.isInteger(repairs) || repairs < 0)
    throw new RangeError(`<Task id="${id}"> needs a whole number of repairs, not ${repairs}`);
  if (usd !== undefined && !(usd > 0))
    throw new RangeError(`<Task id="${id}"> needs usd above 0, not ${usd}`);
  const order = {
    id,
    chain,
    prompt,
    access,
    model: props.model,
    way: wayOf(props),
    usd,
    repairs,
    continues: continues?.id,
    timeoutMs: props.timeoutMs,
  };
  return {
    output,
    perform: (step) => performAgent({ ...order, output, schema: schemaOf(id, output) }, step),
    made: { is: "agent", agent: chain.join(between), prompt },
    writes: access === "write",
  };
}

/** Undefined where a task says nothing of it. */
function wayOf({ role, tier, effort, persona, mcp, tools }: AgentWay): AgentWay | undefined {
  const way: AgentWay = { role, tier, effort, persona, mcp, tools };
  return Object.values(way).some((one) => one !== undefined) ? way : undefined;
}

const between = ", ";
/** The agents that may do this, the first choice first; none where no agent works. */
export const agentsOf = (made: Made): readonly string[] =>
  made.is === "agent" ? made.agent.split(between) : [];

/** The answer as an agent can be told it. */
function schemaOf(id: string, output: ZodType): Readonly<Record<string, unknown>> {
  try {
    return z.toJSONSchema(output, { io: "input", unrepresentable: "any" });
  } catch (error) {
    throw Object.assign(
      new TypeError(
        `the output of "${id}" cannot be told to an agent: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      ),
      { permanent: true },
    );
  }
}
