/**
 * A home of its own for each run of an agent. What a session needs to be resumed outlives the run, in a folder of that
 * session; everything else, a copy of the login included, goes with the run, or with the next start after a crash.
 *
 *     <root>/<runtime>/<id>/kept/...       what outlives a run
 *     <root>/<runtime>/<id>/run-<pid>-<start>-<number>/{home,tmp}
 *     <root>/<runtime>/by-session/<hash>   holds the id
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { Trouble, type Clock } from "../ports.ts";
import type { Agent, AgentSays, SessionId, WorkOrder } from "../ports-agents.ts";
import { authorityFiles } from "./agent-environment.ts";
import { failed, type RuntimeFacts } from "./agent-failure.ts";
import { clearDoors, clearLodgings, doorPrefix, removeWhole, runFolder } from "./lodging-clear.ts";
import { openModelProxy, type ModelUpstream } from "./model-proxy.ts";
import type { Quarters } from "./premises.ts";
import type { Confinement, ModelRoute, Sandbox } from "./sandbox.ts";

/** What a runtime finds in its home, as the quarters need it. */
export interface Furniture {
  /** Files by their path below the home. */
  readonly files: Readonly<Record<string, string>>;
  /** The same, of what lets it in: nobody is meant to write them. */
  readonly login?: Readonly<Record<string, string>>;
  /** Folders below the home that outlive the run. */
  readonly kept: readonly string[];
  /** The runtime's whole environment but for HOME and TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Files and folders beside the system's own that it needs. */
  readonly read?: readonly string[];
}
export interface Furnisher {
  /** `home`: nobody knows which of its files are a session's, so all of them outlive the run; `folders` when left out. */
  readonly keeps?: "folders" | "home";
  /** The door is there when the model is reached through our proxy alone: then no login is in the home. */
  furnish(home: string, model: ModelDoor | undefined): Promise<Furniture>;
  /** Throws a permanent `Trouble` when there is nothing to lend. */
  upstream(): Promise<ModelUpstream>;
}
export interface ModelDoor {
  /** Root of the model's API, as seen from inside. */
  readonly url: string;
  /** Stands for the key. */
  readonly token: string;
}

/** One run's place. */
export interface Lodged {
  readonly sandbox: Sandbox;
  readonly confinement: Confinement;
  readonly home: string;
  /** For files of ours that the agent must be able to read; gone with the run. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** There when the model is reached through our proxy alone. */
  readonly door: ModelDoor | undefined;
}

/** On the loopback of a sandbox, where nobody else is. */
const modelPort = 4180;

/** Lets an agent work in quarters; without any, where and as whom we work ourselves. */
export async function* inQuarters(
  quarters: Quarters | undefined,
  order: WorkOrder,
  runtime: RuntimeFacts & { readonly name: string },
  furnisher: Furnisher,
  clock: Clock,
  work: (place: Lodged | undefined) => AsyncIterable<AgentSays>,
): AsyncGenerator<AgentSays> {
  if (quarters === undefined) return yield* work(undefined);
  let place: Awaited<ReturnType<typeof lodge>>;
  try {
    place = await lodge(quarters, order, runtime.name, furnisher, clock);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const outcome =
      error instanceof Trouble && error.permanent
        ? failed("blocked", error.code, reason)
        : failed("retry", "lodging", `no place could be made for ${runtime.title} to work in: ${reason}`);
    yield { type: "result", outcome };
    return;
  }
  try {
    for await (const said of work(place.lodged)) {
      // Before it is heard: what is remembered elsewhere must be found here.
      if (said.type === "session") await place.remember(said.id).catch(() => undefined);
      yield said;
    }
  } finally {
    // The work is done either way; what could not be removed is, at the next start.
    await place.close().catch(() => undefined);
  }
}

/**
 * For a runtime whose login and sessions lie we do not know where. On this host as it is, it keeps the home it has; in a
 * sandbox its home is its session's, and a key in its environment lets it in.
 */
export const unknownFurnisher = (title: string, env: Readonly<Record<string, string>>): Furnisher => ({
  keeps: "home",
  furnish: async () => ({ files: {}, kept: [], env }),
  upstream: async () => {
    throw new Trouble("no-way-to-model", noWayToModel(title), { permanent: true });
  },
});
const noWayToModel = (title: string): string =>
  `${title} cannot ask its model through our proxy: set FORGEHAND_SANDBOX_NETWORK=open, or choose another runtime`;

type Probed = Awaited<ReturnType<Agent["probe"]>>;
/** Of such a runtime, what was found on this host, unless its quarters leave it no way to its model. */
export async function probeUnknown(
  quarters: Quarters | undefined,
  title: string,
  probe: () => Promise<Probed>,
): Promise<Probed> {
  const found = await probe();
  return quarters?.network === "model" && found.found && found.why === undefined
    ? { ...found, why: noWayToModel(title), problem: "unusable" }
    : found;
}

/** Is there a key to lend? */
export const opensModel = (furnisher: Furnisher): Promise<boolean> =>
  furnisher.upstream().then(
    () => true,
    () => false,
  );

async function lodge(
  { sandbox, network, limits, root }: Quarters,
  order: WorkOrder,
  name: string,
  furnisher: Furnisher,
  clock: Clock,
) {
  await mkdir(join(root, name, "by-session"), { recursive: true, mode: 0o700 });
  const house = await realpath(join(root, name));
  await clearLodgings(house, clock.now());
  await clearDoors(tmpdir());
  const id = (order.resume && (await idOf(house, order.resume))) ?? randomBytes(8).toString("hex");
  const own = join(house, id);
  const folder = join(own, runFolder(randomBytes(4).toString("hex")));
  const keepsHome = furnisher.keeps === "home";
  const home = keepsHome ? join(own, "kept", "home") : join(folder, "home");
  const tmp = join(folder, "tmp");
  const door = network === "model" ? await openDoor(furnisher) : undefined;
  const close = async (): Promise<void> => {
    await door?.close();
    await removeWhole(folder);
  };
  try {
    for (const path of [home, tmp]) await mkdir(path, { recursive: true, mode: 0o700 });
    // Its age is how long nobody has lived there.
    await utimes(own, clock.now() / 1000, clock.now() / 1000);
    const { files, login = {}, kept, env, read = [] } = await furnisher.furnish(home, door?.seen);
    for (const path of kept) await keep(join(home, path), join(own, "kept", path));
    for (const [path, text] of Object.entries(files)) await put(join(home, path), text, 0o600);
    for (const [path, text] of Object.entries(login)) await put(join(home, path), text, 0o400);
    const writesTree = order.access === "write";
    const lodged: Lodged = {
      sandbox,
      home,
      folder,
      door: door?.seen,
      env: keepsHome && sandbox.name === "local" ? env : { ...env, HOME: home, TMPDIR: tmp },
      confinement: {
        write: [...(writesTree ? [order.cwd] : []), own],
        read: [...(writesTree ? [] : [order.cwd]), ...authorityFiles(env), ...read],
        network,
        model: door?.route,
        limits,
      },
    };
    return { lodged, close, remember: (session: SessionId) => point(house, session, id) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function put(at: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(at), { recursive: true, mode: 0o700 });
  await writeFile(at, text, { mode });
}

/** The folder below the home is a link into the session's own, so that nothing has to be saved when a run ends. */
async function keep(at: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  await mkdir(dirname(at), { recursive: true, mode: 0o700 });
  await symlink(relative(dirname(at), to), at);
}

/** A session id comes out of an agent's stream: it never becomes part of a path as it is. */
const pointer = (house: string, session: SessionId): string =>
  join(house, "by-session", createHash("sha256").update(session).digest("hex").slice(0, 32));

async function idOf(house: string, session: SessionId): Promise<string | undefined> {
  const text = await readFile(pointer(house, session), "utf8").catch(() => "");
  return /^[0-9a-f]{16}$/u.test(text) ? text : undefined;
}

async function point(house: string, session: SessionId, id: string): Promise<void> {
  const file = pointer(house, session);
  const half = `${file}.${randomBytes(4).toString("hex")}`;
  await writeFile(half, id, { mode: 0o600, flush: true });
  await rename(half, file);
}

/** A proxy for one run, on a socket whose path is short enough for any system. */
async function openDoor(furnisher: Furnisher): Promise<{
  readonly route: ModelRoute;
  readonly seen: ModelDoor;
  close(): Promise<void>;
}> {
  const upstream = await furnisher.upstream();
  const folder = await mkdtemp(join(tmpdir(), doorPrefix()));
  const token = `forgehand-${randomBytes(24).toString("hex")}`;
  const socket = join(folder, "socket");
  const proxy = await openModelProxy({ upstream, socket, token });
  return {
    route: { socket, port: modelPort },
    seen: { url: `http://127.0.0.1:${modelPort}`, token },
    close: async () => {
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Variables = Readonly<Record<string, string>>;
/** Of these variables all but those. */
export const without = (env: Variables, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
/** Of these variables only those. */
export const only = (env: Variables, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
