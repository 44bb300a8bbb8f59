/** Jobs as `kubectl` makes, finds and deletes them. */
import { z } from "zod";
import { Trouble, type Clock } from "../../ports.ts";
import { annotations, ourLabel } from "./kubernetes-manifest.ts";
import type { ProcessOwner } from "../owner.ts";
import { howItFailed, runTool, type ToolAnswer, type ToolOrder } from "../processes/tool-run.ts";
import type { Travelling } from "./tree-home.ts";

export interface Cluster {
  /** `kubectl`, or where it lies. */
  readonly binary: string;
  /** What kubectl itself needs: PATH, HOME, KUBECONFIG. No agent's variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Of its configuration; the current one when left out. */
  readonly context: string | undefined;
  readonly namespace: string;
  readonly clock: Clock;
}
export interface FoundJob {
  readonly name: string;
  readonly runId: string;
  readonly cwd: string;
  readonly owner: ProcessOwner | undefined;
  readonly home: readonly Travelling[];
}

const askMs = 60_000;
/** Until a pod must be ready: its image may have to be fetched first. */
const readySeconds = 300;
const againMs = 60_000;
/** Of a list of Jobs: each takes some kilobytes. */
const mostListed = 64 * 1024 * 1024;

/** The arguments of kubectl for this cluster. */
export const kubectl = ({ context, namespace }: Cluster, args: readonly string[]): readonly string[] => [
  ...(context === undefined ? [] : ["--context", context]),
  "--namespace",
  namespace,
  ...args,
];

const jsonOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.string().transform((text, context): z.output<Schema> => {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: "custom", message: "no JSON of ours" });
      return z.NEVER;
    }
  });
const jobSchema = z.object({
  metadata: z.object({
    name: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.object({
      [annotations.cwd]: z.string(),
      [annotations.run]: z.string(),
      [annotations.owner]: jsonOf(z.object({ pid: z.number(), startedAt: z.string(), host: z.string() })),
      [annotations.home]: jsonOf(
        z.array(z.object({ name: z.string(), home: z.string(), without: z.array(z.string()) })),
      ),
    }),
  }),
});
const listSchema = z.object({ items: z.array(z.unknown()) });

/** Jobs of ours. Those already being deleted are not among them. */
export async function jobsOf(cluster: Cluster): Promise<readonly FoundJob[]> {
  const selector = `${ourLabel.name}=${ourLabel.value}`;
  const args = ["get", "jobs", "--selector", selector, "--output", "json"];
  const answer = await ask(cluster, args, { keptBytes: mostListed });
  const { items } = listSchema.parse(JSON.parse(answer.stdout));
  return items.flatMap((item) => {
    const { data } = jobSchema.safeParse(item);
    if (data === undefined || data.metadata.deletionTimestamp !== undefined) return [];
    const { name, annotations: notes } = data.metadata;
    return [
      {
        name,
        runId: notes[annotations.run],
        cwd: notes[annotations.cwd],
        owner: notes[annotations.owner],
        home: notes[annotations.home],
      },
    ];
  });
}

/** Makes them, and waits until the pod is ready to be handed its order. */
export async function createJob(
  cluster: Cluster,
  name: string,
  objects: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  const made = await say(cluster, ["create", "--filename", "-"], { input: JSON.stringify(list) });
  if (made.exit !== 0) throw troubled(cluster, made);
  const ready = await say(
    cluster,
    ["wait", "--for=jsonpath={.status.ready}=1", `job/${name}`, `--timeout=${readySeconds}s`],
    { timeoutMs: (readySeconds + 30) * 1_000 },
  );
  if (ready.exit === 0) return;
  const reasons = await say(cluster, [
    "get",
    "pods",
    "--selector",
    `batch.kubernetes.io/job-name=${name}`,
    "--output",
    "jsonpath={range .items[*]}{.status.conditions[?(@.status=='False')].message} {.status.containerStatuses[*].state.waiting.reason}{end}",
  ]);
  const why = reasons.stdout.trim() || howItFailed("kubectl", ready);
  throw new Trouble(
    "sandbox-failed",
    `the pod of ${name} did not become ready: ${why}; see \`kubectl --namespace ${cluster.namespace} get events\``,
    { retryAt: cluster.clock.now() + againMs },
  );
}

/** Gone with its pod and its policy when this returns; one that is gone already is fine. */
export async function deleteJob(cluster: Cluster, name: string): Promise<void> {
  await ask(cluster, [
    "delete",
    `job/${name}`,
    `networkpolicy/${name}`,
    "--ignore-not-found",
    "--cascade=foreground",
    "--wait=true",
    `--timeout=${askMs / 1_000}s`,
  ]);
}

type More = Partial<Pick<ToolOrder, "input" | "timeoutMs" | "keptBytes">>;

async function ask(cluster: Cluster, args: readonly string[], more: More = {}): Promise<ToolAnswer> {
  const answer = await say(cluster, args, more);
  if (answer.exit !== 0) throw troubled(cluster, answer);
  return answer;
}

const say = (cluster: Cluster, args: readonly string[], more: More = {}): Promise<ToolAnswer> =>
  runTool({
    file: cluster.binary,
    args: kubectl(cluster, args),
    env: cluster.env,
    timeoutMs: askMs + 10_000,
    ...more,
  });

function troubled({ binary, namespace, clock }: Cluster, answer: ToolAnswer): Trouble {
  return new Trouble(
    "sandbox-failed",
    `the cluster refused: ${howItFailed(binary, answer)}; try \`kubectl --namespace ${namespace} get jobs\``,
    { retryAt: clock.now() + againMs },
  );
}
