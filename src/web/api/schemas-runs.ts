/** Runs as the API tells them. */
import { z } from "zod";
import { runOrderNames, runStatuses } from "../../ports-dashboard-runs.ts";
import { count, instant, ticketId } from "./schemas.ts";

const leafStatus = z.enum(["none", "running", "waiting", "again", "finished", "failed", "lost"]);
const text = z.string().optional();
export const runRow = z
  .object({
    id: z.string(),
    workflow: z.string(),
    status: z.enum(runStatuses),
    outcome: text.meta({ description: "Apart from its state: whether what was wanted was reached." }),
    error: text,
    ticket: z.object({ id: ticketId, ref: z.string(), title: z.string() }).optional(),
    parent: text,
    createdAt: instant,
    settledAt: instant.optional(),
  })
  .meta({ id: "RunRow" });

interface Node {
  readonly kind: string;
  readonly id?: string | undefined;
  readonly max?: number | undefined;
  readonly status?: z.input<typeof leafStatus> | undefined;
  readonly task?: string | undefined;
  readonly tries: number;
  readonly round?: number | undefined;
  readonly rounds: number;
  readonly children: readonly Node[];
}
const runNode: z.ZodType<Node, Node> = z
  .object({
    kind: z.string(),
    id: text,
    max: count.optional(),
    status: leafStatus.optional(),
    task: text,
    tries: count,
    round: count.optional(),
    rounds: count,
    children: z.lazy(() => z.array(runNode)),
  })
  .meta({ id: "RunNode", description: "A node of the tree: a leaf, or what holds leaves together." });

const session = z.object({
  name: z.string().meta({ description: "`/sessions/{name}/log` is what it said." }),
  task: text,
  attempt: count.optional(),
  role: z.string(),
  runtime: z.string(),
  model: text,
  inputTokens: count,
  outputTokens: count,
  usd: z.number().optional(),
  usdIsGuess: z.boolean(),
  startedAt: instant,
  endedAt: instant.optional(),
  outcome: text,
});
const attempt = z.object({
  frame: count,
  attempt: count,
  status: leafStatus,
  startedAt: instant,
  endedAt: instant.optional(),
  dueAt: instant.optional(),
  error: text,
  output: text,
  effect: text,
  folder: text,
  prompt: text,
  sessions: z.array(session),
});
const runAsk = z
  .object({
    seq: count.meta({ description: "Names this very question for ever: what an answer is given to." }),
    task: z.string(),
    is: z.enum(["approve", "choose", "rank", "question", "signal"]),
    text: z.string(),
    again: text,
    who: z.array(z.string()),
    options: z.array(z.string()),
    schema: text.meta({ description: "JSON schema of an answer to a question or a signal." }),
    since: instant,
    dueAt: instant.optional(),
  })
  .meta({ id: "RunAsk" });
const frame = z
  .object({
    frame: count,
    task: z.string(),
    attempt: count,
    status: leafStatus,
    readyAt: instant,
    startedAt: instant,
    endedAt: instant.optional(),
  })
  .meta({ id: "RunFrame", description: "One attempt: when it could have begun, began and ended." });
const comparison = z
  .object({
    from: count,
    to: count,
    outputs: z.array(z.object({ place: z.string(), is: z.string(), first: text, second: text })),
    onlyFirst: z.array(z.string()),
    onlySecond: z.array(z.string()),
    files: z.array(z.object({ folder: z.string(), diff: z.string() })),
    notes: z.array(z.string()),
  })
  .meta({ id: "RunComparison", description: "What differs between two frames." });
const deed = z.object({ what: z.string(), about: text, note: z.string(), by: z.string(), at: instant });

export const runTree = z
  .object({
    frames: count.meta({ description: "How many there are." }),
    at: count.optional(),
    tree: runNode.optional(),
    treeNote: text.meta({ description: "Why the tree is only a list of what has begun." }),
  })
  .meta({ id: "RunTree" });
export const runFrames = z
  .object({
    frames: z.array(frame).meta({ description: "The newest of them, oldest first." }),
    leftOut: count.meta({ description: "Older ones than those." }),
  })
  .meta({ id: "RunFrames" });
export const runCompared = comparison;
export const run = z
  .object({
    run: runRow,
    version: z.string().meta({ description: "What an order to it is given upon (`seen`)." }),
    folder: text,
    source: text,
    frame: count.optional(),
    replays: z.boolean(),
    input: z.string(),
    output: text,
    summary: z.object({ text: z.string(), by: z.string() }).optional(),
    reasons: z.array(z.string()),
    commands: z.array(z.string()),
    asks: z.array(runAsk),
    frames: count,
    at: count.optional(),
    tree: runNode.optional(),
    treeNote: text,
    bars: z.array(frame),
    leftOutBars: count,
    task: z.object({ task: z.string(), attempts: z.array(attempt) }).optional(),
    sessions: z.array(session),
    forks: z.array(runRow),
    deeds: z.array(deed),
    comparison: comparison.optional(),
    may: z.array(z.enum(runOrderNames)).meta({ description: "What the caller may order now." }),
    whyNot: text,
    usd: z.number(),
    usdIsGuess: z.boolean(),
    now: instant,
  })
  .meta({ id: "Run", description: "One run, as its page tells it." });
