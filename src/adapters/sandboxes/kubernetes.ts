/**
 * A Job for each order. Its name is made of the order's mark and folder, so that a second start finds the first; the pod
 * waits, is handed copies of the folders, runs the order once, and hands back what changed before the Job is deleted.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Trouble, type Clock } from "../../ports.ts";
import type { ProcessOrder } from "../processes/agent-process.ts";
import { createJob, deleteJob, jobsOf, kubectl, type Cluster, type FoundJob } from "./kubernetes-jobs.ts";
import {
  agentContainer,
  courierContainer,
  filesElsewhere,
  jobName,
  manifests,
  podRoot,
  type PodOptions,
} from "./kubernetes-manifest.ts";
import { isDead, isThisProcess, thisProcess } from "../owner.ts";
import { fetchPart, rewritten, startCommand, startScript } from "./remote-scripts.ts";
import type { Confinement, Entered, Sandbox } from "./sandbox.ts";
import { howItFailed, runTool, type ToolAnswer } from "../processes/tool-run.ts";
import { travelPlan, type TravelPlan } from "./travel-plan.ts";
import { bringHome, rememberSent, whatWasSent } from "./tree-home.ts";
import { packTrees } from "./tree-pack.ts";
import { lastName, receiveLimits } from "./tree-receive.ts";

export interface KubernetesOptions extends Cluster, PodOptions {
  /** Private folder in which it is known what was sent. */
  readonly stateDir: string;
  readonly clock: Clock;
  /** Names of the Jobs this process entered and has not left, through this sandbox or another on the same cluster. */
  readonly live: Set<string>;
}

/** For a worktree's way there or back. */
const carryMs = 15 * 60_000;
const againMs = 60_000;

/** One Job an order, in a namespace of a cluster that `kubectl` reaches. */
export function kubernetesSandbox(options: KubernetesOptions): Sandbox {
  return {
    name: "kubernetes",
    enter: (order, confinement) => enter(options, order, confinement),
    recover: () => recover(options),
    probe: () => probe(options),
  };
}

async function recover(options: KubernetesOptions): Promise<void> {
  const failures: unknown[] = [];
  for (const job of await jobsOf(options))
    if (isStray(options, job)) await settle(options, job).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/**
 * Nobody is at work for it any more: a process of ours that is gone, or we ourselves when we could not leave it. What was
 * sent for it is known in our folder: without that, its work would be thrown away instead of being brought home.
 */
const isStray = (options: KubernetesOptions, { name, owner }: FoundJob): boolean =>
  !options.live.has(name) &&
  owner !== undefined &&
  (isThisProcess(owner) || isDead(owner)) &&
  existsSync(stateOf(options, name));

async function enter(
  options: KubernetesOptions,
  order: ProcessOrder,
  confinement: Confinement,
): Promise<Entered> {
  const { live } = options;
  const { runId, cwd, turnMs } = order;
  for (const job of await jobsOf(options))
    if (job.cwd === cwd && !live.has(job.name) && (job.runId === runId || isStray(options, job)))
      await settle(options, job);
  const plan = travelPlan(order, confinement);
  let number = 0;
  while (live.has(jobName(runId, cwd, number))) number += 1;
  const name = jobName(runId, cwd, number);
  live.add(name);
  const job: FoundJob = { name, runId, cwd, owner: thisProcess(), home: plan.home };
  try {
    await mkdir(stateOf(options, name), { recursive: true, mode: 0o700 });
    await createJob(
      options,
      name,
      manifests(options, { name, runId, cwd, owner: thisProcess(), turnMs }, plan, confinement),
    );
    await handOver(options, job, order, plan, confinement);
  } catch (error) {
    // Nothing was told to start, and nothing will be: its Job is gone.
    await deleteJob(options, name).catch(() => undefined);
    await rm(stateOf(options, name), { recursive: true, force: true });
    live.delete(name);
    throw error;
  }
  const start = startCommand({ root: podRoot }, `the pod of ${name}`);
  let leaving: Promise<void> | undefined;
  return {
    order: {
      ...order,
      file: options.binary,
      args: kubectl(options, [
        "exec",
        "--stdin",
        "--quiet",
        `job/${name}`,
        "--container",
        agentContainer,
        "--",
        "sh",
        "-c",
        start,
      ]),
      env: options.env,
    },
    leave: () =>
      (leaving ??= leave(options, job).finally(() => {
        leaving = undefined;
        live.delete(name);
      })),
  };
}

/** Lays the folders and the order into the waiting pod. */
async function handOver(
  options: KubernetesOptions,
  { name }: FoundJob,
  order: ProcessOrder,
  plan: TravelPlan,
  { limits }: Confinement,
): Promise<void> {
  const elsewhere = filesElsewhere(plan);
  const there = (text: string): string => rewritten(text, elsewhere);
  const script = startScript({
    root: podRoot,
    file: order.file,
    args: order.args.map(there),
    cwd: order.cwd,
    env: {
      ...Object.fromEntries(Object.entries(order.env).map(([key, value]) => [key, there(value)])),
      RUN_ID: order.runId,
    },
    searchPath: undefined,
    turnMs: order.turnMs,
    diskMb: limits.diskMb,
    before: [],
    git: plan.git,
    where: `the image ${options.image}`,
  });
  const texts = [{ name: "order.sh", mode: 0o600, text: script }];
  // The mounts themselves belong to the cluster: their modes and times are not ours to set.
  const { stream, listings } = packTrees(plan.sent, texts, "there");
  const unpack = `cd ${podRoot} && exec tar -xpof -`;
  const sent = await runTool({
    file: options.binary,
    args: kubectl(options, [
      "exec",
      "--stdin",
      `job/${name}`,
      "--container",
      courierContainer,
      "--",
      "sh",
      "-c",
      unpack,
    ]),
    env: options.env,
    input: stream,
    timeoutMs: carryMs,
  });
  if (sent.exit !== 0)
    throw failing(
      options,
      `the worktree could not be laid into the pod of ${name}: ${howItFailed("kubectl", sent)}`,
    );
  await rememberSent(stateOf(options, name), plan.home, plan.sentHome(await listings));
}

async function leave(options: KubernetesOptions, job: FoundJob): Promise<void> {
  const found = await jobsOf(options);
  if (found.some(({ name }) => name === job.name)) return await settle(options, job);
  const state = stateOf(options, job.name);
  const wasSent = await whatWasSent(state);
  await rm(state, { recursive: true, force: true });
  if (wasSent !== undefined && job.home.length > 0) throw lost(job.name);
}

/** Ends the order, brings home what changed, and only then deletes the Job. Every part may be repeated. */
async function settle(options: KubernetesOptions, { name, home }: FoundJob): Promise<void> {
  const state = stateOf(options, name);
  const inside = (container: string, script: string, take?: (stdout: Readable) => Promise<void>) =>
    runTool({
      file: options.binary,
      args: kubectl(options, ["exec", "--stdin", `job/${name}`, "--container", container, "--", "sh", "-s"]),
      env: options.env,
      input: script,
      take,
      timeoutMs: carryMs,
    });
  const ended = await inside(agentContainer, endInPod);
  const names = home.map((one) => one.name);
  let refusal: unknown;
  if (names.length > 0 && (await whatWasSent(state)) !== undefined)
    await bringHome(state, home, receiveLimits, async (take) => {
      const fetched = await inside(courierContainer, fetchInPod(names, ended), take);
      if (fetched.exit === 0) return;
      if (/not found|no pods|completed pod/iu.test(fetched.stderr)) throw lost(name);
      throw failing(
        options,
        `the worktree could not be fetched from the pod of ${name}: ${howItFailed("kubectl", fetched)}`,
      );
    }).catch((error: unknown) => {
      // What must not be taken, or is gone, is not asked for again.
      if (!(error instanceof Trouble) || !error.permanent) throw error;
      refusal = error;
    });
  await deleteJob(options, name);
  await rm(state, { recursive: true, force: true });
  if (refusal !== undefined) throw refusal;
}

/**
 * Everything in the container but its idle first process, which is looked at before: who is left of the order hears SIGTERM, then nobody is
 * left, and nobody can start it any more.
 */
const endInPod = `grep -q ${podRoot} /proc/1/cmdline || exit 1
mkdir ${podRoot}/started 2>/dev/null
rm -f ${podRoot}/order.sh
trap "" TERM
kill -TERM -1 2>/dev/null
round=0
while kill -0 -1 2>/dev/null && [ "$round" -lt 30 ]; do round=$((round + 1)); sleep 0.1; done
: > ${podRoot}/done
kill -KILL -1 2>/dev/null
exit 0
`;

/** A container that could not be asked has ended already, or ends by itself within a second of being told. */
const fetchInPod = (
  names: readonly string[],
  { exit }: ToolAnswer,
): string => `mkdir ${podRoot}/started 2>/dev/null
: > ${podRoot}/done
${exit === 0 ? "" : "sleep 2"}
root=${podRoot}
${fetchPart(names, lastName)}
`;

const lost = (name: string): Trouble =>
  new Trouble("sandbox-lost", `the pod of ${name} is gone, and with it what the agent made there`, {
    permanent: true,
  });

const failing = ({ clock }: KubernetesOptions, why: string): Trouble =>
  new Trouble("sandbox-failed", why, { retryAt: clock.now() + againMs });

const stateOf = ({ stateDir }: KubernetesOptions, name: string): string => join(stateDir, "kubernetes", name);

/** What a session of ours has to be allowed to do. */
const rights = [
  ["create", "jobs.batch"],
  ["delete", "jobs.batch"],
  ["list", "jobs.batch"],
  ["get", "pods"],
  ["create", "pods/exec"],
  ["create", "networkpolicies.networking.k8s.io"],
] as const;
const askMs = 30_000;

async function probe(options: KubernetesOptions): ReturnType<Sandbox["probe"]> {
  const { binary, env, namespace } = options;
  const say = (args: readonly string[]) =>
    runTool({ file: binary, args: kubectl(options, args), env, timeoutMs: askMs });
  const asked = await say(["version", "--output", "json"]);
  if (asked.absent)
    return {
      found: false,
      version: undefined,
      why: `\`${binary}\` is not on the search path: install it as https://kubernetes.io/docs/tasks/tools/ says`,
    };
  const version = /"serverVersion"[^}]*"gitVersion":\s*"v?([\w.+-]+)"/u.exec(asked.stdout)?.[1];
  if (asked.exit !== 0 || version === undefined)
    return {
      found: true,
      version,
      why: `${howItFailed(binary, asked)}: no cluster answers; set FORGEHAND_KUBERNETES_CONTEXT to one of \`kubectl config get-contexts\``,
    };
  const missing: string[] = [];
  for (const [verb, what] of rights)
    if ((await say(["auth", "can-i", verb, what])).stdout.trim() !== "yes") missing.push(`${verb} ${what}`);
  const why =
    missing.length === 0
      ? undefined
      : `this user may not ${missing.join(", ")} in the namespace ${namespace}: see \`kubectl auth can-i --list --namespace ${namespace}\`, and docs/sandboxes.md for the role`;
  return { found: true, version, why };
}
