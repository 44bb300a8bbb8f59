/**
 * Agents on other hosts, over ssh. The worktree is copied there and what changed comes home; git stays here. An order is
 * started at most once: its row names the one host it may be on, a marker there lets one start through, and while that
 * host cannot be asked what became of it, nothing is started anywhere in its stead.
 */
import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Readable } from "node:stream";
import { Trouble } from "../../ports.ts";
import type { ProcessOrder } from "../processes/agent-process.ts";
import { isDead, thisProcess } from "../owner.ts";
import {
  endScript,
  neverThere,
  removeScript,
  rewritten,
  startCommand,
  startScript,
  word,
} from "./remote-scripts.ts";
import type { Confinement, Entered, Sandbox } from "./sandbox.ts";
import { isUnreachable, sendToHost, sshArguments, tellHost, type SshClient } from "./ssh-connection.ts";
import type { SshHost } from "./ssh-hosts.ts";
import { leaseId, sshLeases, type Lease, type SshLeases } from "./ssh-leases.ts";
import { askHost, confinedBy, modelBridge, prepareHost, type PreparedHost } from "./ssh-prepare.ts";
import { howItFailed } from "../processes/tool-run.ts";
import { travelPlan, type TravelPlan } from "./travel-plan.ts";
import { bringHome, rememberSent, whatWasSent } from "./tree-home.ts";
import { packTrees } from "./tree-pack.ts";
import { lastName, receiveLimits } from "./tree-receive.ts";

export interface SshOptions extends SshClient {
  readonly hosts: readonly SshHost[];
  /** Private folder in which it is known what lies where. */
  readonly stateDir: string;
  /** Orders this process entered and has not left, through this sandbox or another on the same hosts. */
  readonly live: Set<string>;
}

interface What {
  readonly order: ProcessOrder;
  readonly confinement: Confinement;
  readonly plan: TravelPlan;
}

/** Until a full pool is asked again. */
const fullMs = 30_000;

interface Pool {
  readonly options: SshOptions;
  readonly leases: SshLeases;
  /** What hosts that answered offer, by name. */
  readonly prepared: Map<string, PreparedHost>;
}

/** A pool of hosts, each with its own cap; the previous host of a worktree is preferred. */
export function sshSandbox(options: SshOptions): Sandbox {
  let opened: Pool | undefined;
  const pool = (): Pool =>
    (opened ??= {
      options,
      leases: sshLeases(join(options.stateDir, "ssh.db")),
      prepared: new Map(),
    });
  return {
    name: "ssh",
    enter: (order, confinement) => enter(pool(), order, confinement),
    recover: () => recover(pool()),
    probe: () => probe(options),
  };
}

async function enter(pool: Pool, order: ProcessOrder, confinement: Confinement): Promise<Entered> {
  const { options, leases } = pool;
  const { live } = options;
  const plan = travelPlan(order, confinement);
  await settleBefore(pool, order, plan);
  const avoid = new Set<string>();
  let strays = hasStrays(pool);
  let unreachable: Trouble | undefined;
  for (;;) {
    const id = leaseId();
    const row = { id, runId: order.runId, cwd: order.cwd, folders: plan.home, owner: thisProcess() };
    live.add(id);
    const host = leases.take(row, options.hosts, avoid, options.clock.now());
    if (host === "full") {
      live.delete(id);
      if (!strays) throw unreachable ?? full(options);
      // What a crash left behind holds room that nobody uses.
      strays = false;
      await recover(pool).catch(() => undefined);
      continue;
    }
    try {
      return await begin(pool, { ...row, host, root: undefined }, { order, confinement, plan });
    } catch (error) {
      // Whatever was laid there was never told to start, and never will be.
      const root = leases.all().find((one) => one.id === id)?.root;
      if (root !== undefined && !isUnreachable(error))
        await tellHost(options, host, removeScript({ root })).catch(() => undefined);
      await rm(stateOf(pool, id), { recursive: true, force: true });
      leases.give(id);
      live.delete(id);
      if (!isUnreachable(error)) throw error;
      unreachable = error;
      pool.prepared.delete(host.name);
      avoid.add(host.name);
    }
  }
}

/** Lays the order on the host; what is answered starts it. */
async function begin(pool: Pool, lease: Lease, what: What): Promise<Entered> {
  const { options, leases } = pool;
  const { order, confinement, plan } = what;
  const { host, id } = lease;
  const known = leases.all().map((one) => one.id);
  const place =
    pool.prepared.get(host.name) ?? (await prepareHost(options, host, { house: leases.house, known }));
  pool.prepared.set(host.name, place);
  const root = `${place.house}/${id}`;
  leases.placed(id, root);
  const home = order.env["HOME"];
  const before = confinedBy(place, root, host, { cwd: order.cwd, home, plan }, confinement);
  if (before === "unconfined" && order.input !== undefined)
    throw new Trouble(
      "sandbox-failed",
      `${host.name} has no bubblewrap, so paths are others there than the ones an agent is told in a conversation: install it there (\`apt-get install bubblewrap\`), or choose another runtime`,
      { permanent: true },
    );
  const paths = plan.pathsBelow(root);
  const there = (text: string): string => rewritten(text, paths);
  const texts = [
    { name: "order.sh", mode: 0o700, text: startOf(root, host, before, what, there) },
    ...(confinement.network === "model"
      ? [{ name: basename(modelBridge), mode: 0o600, text: await readFile(modelBridge, "utf8") }]
      : []),
  ];
  const { stream, listings } = packTrees(plan.sent, texts);
  const sent = await sendToHost(options, host, root, stream);
  if (sent.exit !== 0)
    throw new Trouble(
      "sandbox-failed",
      `the worktree could not be laid on ${host.name}: ${howItFailed("tar", sent)}`,
    );
  await rememberSent(stateOf(pool, id), plan.home, plan.sentHome(await listings));
  const { model } = confinement;
  const forward =
    confinement.network === "model" && model !== undefined
      ? [
          "ExitOnForwardFailure=yes",
          "StreamLocalBindMask=0177",
          `RemoteForward=${root}/model.sock ${model.socket}`,
        ]
      : ["ClearAllForwardings=yes"];
  const { stdin } = order;
  return {
    order: {
      ...order,
      file: options.binary,
      args: [
        ...sshArguments(options, host, forward),
        `exec sh -c ${word(startCommand({ root }, host.name))}`,
      ],
      env: options.env,
      stdin: stdin === undefined || before !== "unconfined" ? stdin : there(stdin),
    },
    leave: leaving(pool, { ...lease, root }),
  };
}

function startOf(
  root: string,
  host: SshHost,
  before: readonly string[] | "unconfined",
  { order, confinement, plan }: What,
  there: (text: string) => string,
): string {
  const { turnMs, runId } = order;
  const env = { ...order.env, RUN_ID: runId };
  const common = {
    root,
    searchPath: host.searchPath,
    cwd: there(order.cwd),
    turnMs,
    diskMb: confinement.limits.diskMb,
    git: plan.git,
    where: host.name,
  };
  if (before !== "unconfined")
    return startScript({ ...common, file: order.file, args: order.args, env, before });
  const home = order.env["HOME"] ?? "";
  const moved = Object.entries(order.env).map(([name, value]) => [name, there(value)] as const);
  return startScript({
    ...common,
    file: there(order.file),
    args: order.args.map(there),
    env: {
      ...Object.fromEntries(moved),
      RUN_ID: runId,
      // A home that was not sent is not there, and that of the user there holds what no agent is to see.
      HOME: there(home) === home ? `${root}/home` : there(home),
      TMPDIR: `${root}/tmp`,
    },
    before: [],
  });
}

/** One leaving at a time, however often it is called; one that failed may be called again. */
function leaving(pool: Pool, lease: Lease): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= settle(pool, lease).finally(() => {
      running = undefined;
      pool.options.live.delete(lease.id);
    }));
}

/** Ends the order, brings home what changed, and only then forgets it. Every part may be repeated. */
async function settle(pool: Pool, lease: Lease): Promise<void> {
  const { options, leases } = pool;
  const { host, root, id, folders } = lease;
  if (!leases.all().some((one) => one.id === id)) return;
  try {
    if (root !== undefined) {
      await endAndFetch(pool, lease, root);
      const removed = await tellHost(options, host, removeScript({ root }));
      if (removed.exit !== 0)
        throw new Trouble(
          "sandbox-failed",
          `${root} on ${host.name} cannot be removed: ${howItFailed("rm", removed)}`,
        );
    }
  } catch (error) {
    const isConfigured = options.hosts.some(({ name }) => name === host.name);
    // Taken out of the configuration: the operator says that it is gone for good.
    if (!isUnreachable(error) || isConfigured) throw lost(error, folders.length);
  }
  await rm(stateOf(pool, id), { recursive: true, force: true });
  leases.give(id);
}

async function endAndFetch(pool: Pool, lease: Lease, root: string): Promise<void> {
  const { options, leases } = pool;
  const { id, host, folders } = lease;
  const state = stateOf(pool, id);
  const sent = await whatWasSent(state);
  const names = sent === undefined ? [] : folders.map(({ name }) => name);
  const end = async (take?: (stream: Readable) => Promise<void>): Promise<void> => {
    const ended = await tellHost(options, host, endScript({ root }, names, lastName), take);
    if (ended.exit === 0 || (ended.exit === neverThere && sent === undefined)) return;
    if (ended.exit === neverThere)
      throw new Trouble(
        "sandbox-lost",
        `${root} is gone from ${host.name}, and with it what the agent made there`,
        {
          permanent: true,
        },
      );
    throw new Trouble(
      "sandbox-failed",
      `an order on ${host.name} cannot be ended and brought home: ${howItFailed(options.binary, ended)}`,
    );
  };
  if (names.length === 0) return await end();
  try {
    await bringHome(state, folders, receiveLimits, end);
  } catch (error) {
    // What must not be taken is not asked for again: the order is over, and what it made is given up.
    if (!(error instanceof Trouble) || !error.permanent) throw error;
    await tellHost(options, host, removeScript({ root }));
    await rm(state, { recursive: true, force: true });
    leases.give(id);
    throw error;
  }
}

function lost(error: unknown, folders: number): unknown {
  if (!isUnreachable(error)) return error;
  const what = folders > 0 ? "and what it changed is brought home" : "";
  return new Trouble(
    error.code,
    `${error.message}. Until it answers, nothing is started in its stead: first the order there is ended ${what}. If the host is gone for good, take it out of FORGEHAND_SSH_HOSTS and start forgehand again`,
    { cause: error, ...(error.retryAt === undefined ? {} : { retryAt: error.retryAt }) },
  );
}

/** What an earlier order left behind in the same worktree, or under the same mark, is settled before a new one begins. */
async function settleBefore(pool: Pool, order: ProcessOrder, plan: TravelPlan): Promise<void> {
  const homes = new Set(plan.home.map(({ home }) => home));
  for (const lease of pool.leases.all()) {
    const concerns = lease.cwd === order.cwd || lease.folders.some(({ home }) => homes.has(home));
    if (!concerns || pool.options.live.has(lease.id)) continue;
    await settleStray(pool, lease);
  }
}

async function settleStray(pool: Pool, lease: Lease): Promise<void> {
  const isMine = isOurs(lease.owner);
  if (!isMine && !isDead(lease.owner))
    throw new Trouble(
      "sandbox-busy",
      `another forgehand (pid ${lease.owner.pid} on ${lease.owner.host}) has an agent at work for ${lease.cwd} on ${lease.host.name}`,
      {
        retryAt: pool.options.clock.now() + fullMs,
      },
    );
  if (!isMine && pool.leases.adopt(lease, thisProcess()) === "lost") return await settleBusy(pool, lease);
  pool.options.live.add(lease.id);
  try {
    await settle(pool, lease);
  } finally {
    pool.options.live.delete(lease.id);
  }
}

function settleBusy(pool: Pool, lease: Lease): Promise<never> {
  return Promise.reject(
    new Trouble(
      "sandbox-busy",
      `what ${lease.host.name} holds for ${lease.cwd} is being brought home by another forgehand`,
      {
        retryAt: pool.options.clock.now() + fullMs,
      },
    ),
  );
}

async function recover(pool: Pool): Promise<void> {
  const failures: unknown[] = [];
  for (const lease of pool.leases.all())
    if (isStray(pool, lease)) await settleStray(pool, lease).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

const hasStrays = (pool: Pool): boolean => pool.leases.all().some((lease) => isStray(pool, lease));

/** Nobody is at work for it any more: a process of ours that is gone, or we ourselves when we could not leave it. */
const isStray = ({ options }: Pool, { id, owner }: Lease): boolean =>
  !options.live.has(id) && (isOurs(owner) || isDead(owner));

function isOurs(owner: Lease["owner"]): boolean {
  const { pid, startedAt, host } = thisProcess();
  return owner.pid === pid && owner.startedAt === startedAt && owner.host === host;
}

const full = ({ hosts, clock }: SshOptions): Trouble =>
  new Trouble(
    "sandbox-full",
    `every ssh host has as many agents as it may (${hosts.map(({ name, cap }) => `${name}: ${cap}`).join(", ")}); it is tried again by itself`,
    { retryAt: clock.now() + fullMs },
  );

const stateOf = ({ options }: Pool, id: string): string => join(options.stateDir, "ssh", id);

async function probe(options: SshOptions): ReturnType<Sandbox["probe"]> {
  const answers = await Promise.all(options.hosts.map((host) => askHost(options, host)));
  const why = answers.flatMap(({ why }) => why ?? []).join("; ");
  // What a host could have and has not is no fault, but to be known.
  const wishes = answers.flatMap(({ wish }) => wish ?? []).join("; ");
  const version = answers.find((answer) => answer.version !== undefined)?.version;
  return {
    found: answers.some(({ usable }) => usable === "yes"),
    version: wishes === "" ? version : `${version ?? ""} (${wishes})`.trim(),
    why: why === "" ? undefined : why,
  };
}
