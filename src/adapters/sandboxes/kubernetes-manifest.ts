/** The manifests of one order: a Job whose pod runs it once, and what closes its network. */
import { createHash } from "node:crypto";
import { Trouble } from "../../ports.ts";
import type { ProcessOwner } from "../owner.ts";
import type { Confinement } from "./sandbox.ts";
import type { TravelPlan } from "./travel-plan.ts";

export interface PodOptions {
  readonly image: string;
  /** Such as gVisor's; the cluster's own when left out. */
  readonly runtimeClass: string | undefined;
  /** Whom it runs as; never root. */
  readonly user: number;
}
export interface JobFacts {
  readonly name: string;
  readonly runId: string;
  readonly cwd: string;
  readonly owner: ProcessOwner;
  readonly turnMs: number;
}

/** Where an order lies in its pod. */
export const podRoot = "/forgehand";
/** Runs the agent, with what it may only read read-only. */
export const agentContainer = "agent";
/** Takes folders in and out; the agent cannot reach it. */
export const courierContainer = "courier";
/** Every Job and policy of ours carries this label. */
export const ourLabel = { name: "app.kubernetes.io/managed-by", value: "forgehand" } as const;
const runLabel = "forgehand/run";
const jobLabel = "forgehand/job";
export const annotations = {
  cwd: "forgehand/cwd",
  run: "forgehand/run-id",
  owner: "forgehand/owner",
  home: "forgehand/home",
} as const;

/** For what comes before the turn and after it. */
const slackMs = 30 * 60_000;
const longestMs = 24 * 60 * 60_000;
/** Of folders whose size nobody limits. */
const usualDiskMb = 20_000;
const tmpMb = 1024;

/** A short name for what may be long and of any characters, as labels and names need it. */
export const hashOf = (...texts: readonly string[]): string =>
  createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 24);

/** The same order gets the same name, so that a second start finds the first; `number` tells apart those side by side. */
export const jobName = (runId: string, cwd: string, number: number): string =>
  `forgehand-${hashOf(runId, cwd)}-${number}`;

/** The Job, and before it the policy that closes its network when nothing may be reached. */
export function manifests(
  options: PodOptions,
  facts: JobFacts,
  plan: TravelPlan,
  { network, limits }: Confinement,
): readonly Readonly<Record<string, unknown>>[] {
  if (network === "model")
    throw new Trouble(
      "sandbox-order",
      "an agent in a pod cannot be led to its model by our proxy: set FORGEHAND_SANDBOX_NETWORK to open or none",
      { permanent: true },
    );
  const { name } = facts;
  const labels = { [ourLabel.name]: ourLabel.value, [runLabel]: hashOf(facts.runId), [jobLabel]: name };
  const metadata = {
    name,
    labels,
    annotations: {
      [annotations.cwd]: facts.cwd,
      [annotations.run]: facts.runId,
      [annotations.owner]: JSON.stringify(facts.owner),
      [annotations.home]: JSON.stringify(plan.home),
    },
  };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata,
    spec: {
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: Math.ceil(Math.min(facts.turnMs + slackMs, longestMs) / 1_000),
      ttlSecondsAfterFinished: 600,
      template: { metadata: { labels }, spec: podSpec(options, plan, limits) },
    },
  };
  return network === "open" ? [job] : [closed(name, labels), job];
}

/** Nothing goes in or out, where the cluster's network plugin keeps policies. */
const closed = (
  name: string,
  labels: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name, labels },
  spec: { podSelector: { matchLabels: { [jobLabel]: name } }, policyTypes: ["Ingress", "Egress"] },
});

function podSpec(
  { image, runtimeClass, user }: PodOptions,
  plan: TravelPlan,
  { memoryMb, cpus, diskMb }: Confinement["limits"],
): Readonly<Record<string, unknown>> {
  const volumes = volumesOf(plan);
  const disk = `${diskMb ?? usualDiskMb}Mi`;
  const most = {
    ...(memoryMb === undefined ? {} : { memory: `${memoryMb}Mi` }),
    ...(cpus === undefined ? {} : { cpu: `${Math.round(cpus * 1000)}m` }),
  };
  const securityContext = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
  };
  const order = { name: "order", mountPath: podRoot };
  const tmp = { name: "tmp", mountPath: "/tmp" };
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    shareProcessNamespace: false,
    ...(runtimeClass === undefined ? {} : { runtimeClassName: runtimeClass }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: agentContainer,
        image,
        // Idle until the order is told to start, and gone with all it started when it is told to end.
        command: ["sh", "-c", `until [ -e ${podRoot}/done ]; do sleep 1; done`],
        securityContext,
        resources: { limits: most, requests: most },
        volumeMounts: [
          order,
          tmp,
          ...volumes.flatMap(({ at, name, may }) =>
            at.map((mountPath) => ({ name, mountPath, ...(may === "read" ? { readOnly: true } : {}) })),
          ),
        ],
      },
      {
        name: courierContainer,
        image,
        command: ["sh", "-c", `until [ -e ${podRoot}/home ]; do sleep 1; done`],
        securityContext,
        resources: { limits: { memory: "256Mi" }, requests: { memory: "32Mi" } },
        volumeMounts: [order, ...volumes.map(({ name }) => ({ name, mountPath: `${podRoot}/${name}` }))],
      },
    ],
    volumes: [
      // In memory: what starts the order holds its environment.
      { name: "order", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
      { name: "tmp", emptyDir: { sizeLimit: `${tmpMb}Mi` } },
      ...volumes.map(({ name }) => ({ name, emptyDir: { sizeLimit: disk } })),
    ],
  };
}

interface Volume {
  readonly name: string;
  readonly at: readonly string[];
  readonly may: "read" | "write";
}

/** One for each folder that is sent whole; a single file is known by another path there, so that it hides no folder. */
function volumesOf({ sent, mounts }: TravelPlan): readonly Volume[] {
  return sent.map((folder) => {
    const [name = folder.name] = folder.name.split("/");
    const inside = mounts.filter((mount) => mount.name === name || mount.name.startsWith(`${name}/`));
    const whole = inside.filter((mount) => mount.name === name && mount.is === "folder");
    return {
      name,
      at: whole.length > 0 ? whole.map(({ at }) => at) : [`${podRoot}/${name}`],
      may: inside.some(({ may }) => may === "write") ? "write" : "read",
    };
  });
}

/** Paths that are others in the pod. */
export const filesElsewhere = (plan: TravelPlan): ReadonlyMap<string, string> =>
  new Map(
    plan.mounts.filter(({ is }) => is === "file").map(({ at, name }) => [at, `${podRoot}/${name}`] as const),
  );
