/**
 * A home of its own for each run of an agent. What a session needs to be resumed outlives the run, in a folder of that
 * session; everything else, a copy of the login included, goes with the run, or with the next start after a crash. Of an
 * agent whose sessions lie we do not know where, the whole home is kept, and the login is a link into the run's folder.
 *
 *     <root>/<runtime>/<id>/kept/...       what outlives a run
 *     <root>/<runtime>/<id>/run-<pid>-<start>-<number>/{home,tmp,lent}
 *     <root>/<runtime>/by-session/<hash>   holds the id
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Trouble, type Clock } from "../../ports.ts";
import type { AgentSays, SessionId, WorkOrder } from "../../ports-agents.ts";
import { authorityFiles } from "../agents/environment.ts";
import { failed, type RuntimeFacts } from "../agents/failure.ts";
import { clearDoors, clearLodgings, doorPrefix, removeWhole, runFolder } from "./lodging-clear.ts";
import { keep, lend, put, realFolder } from "./lodging-put.ts";
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

/** Lets a runtime be asked something in a home such as its runs find, which is gone afterwards. */
export async function inSpareHome<Result>(
  quarters: Quarters,
  name: string,
  furnisher: Furnisher,
  clock: Clock,
  ask: (env: Readonly<Record<string, string>>) => Promise<Result>,
): Promise<Result> {
  const asking = { resume: undefined, access: "read", cwd: tmpdir() } as const;
  const place = await lodge({ ...quarters, network: "open" }, asking, name, furnisher, clock);
  try {
    return await ask(place.lodged.env);
  } finally {
    await place.close();
    await removeWhole(place.own);
  }
}

/**
 * For a runtime whose sessions lie we do not know where: its home is its session's. A key in its environment lets it in, or
 * the files of the operator's home that are named as its login.
 */
export const unknownFurnisher = (
  title: string,
  env: Readonly<Record<string, string>>,
  login: () => Promise<Readonly<Record<string, string>>> = async () => ({}),
): Furnisher => ({
  keeps: "home",
  furnish: async () => ({ files: {}, login: await login(), kept: [], env }),
  upstream: async () => {
    throw new Trouble("no-way-to-model", noWayToModel(title), { permanent: true });
  },
});
const noWayToModel = (title: string): string =>
  `${title} cannot ask its model through our proxy: set FORGEHAND_SANDBOX_NETWORK=open, or choose another runtime`;

/** Is there a key to lend? */
export const opensModel = (furnisher: Furnisher): Promise<boolean> =>
  furnisher.upstream().then(
    () => true,
    () => false,
  );

async function lodge(
  { sandbox, network, limits, root }: Quarters,
  order: Pick<WorkOrder, "resume" | "access" | "cwd">,
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
  const home = join(keepsHome ? join(own, "kept") : folder, "home");
  const tmp = join(folder, "tmp");
  const door = network === "model" ? await openDoor(furnisher) : undefined;
  const close = async (): Promise<void> => {
    await door?.close();
    await removeWhole(folder);
  };
  try {
    await mkdir(tmp, { recursive: true, mode: 0o700 });
    if (keepsHome) await realFolder(own, "kept/home");
    else await mkdir(home, { recursive: true, mode: 0o700 });
    // Its age is how long nobody has lived there.
    await utimes(own, clock.now() / 1000, clock.now() / 1000);
    const { files, login = {}, kept, env, read = [] } = await furnisher.furnish(home, door?.seen);
    for (const path of kept) await keep(join(home, path), own, path);
    const bring = async (brought: Readonly<Record<string, string>>, mode: number): Promise<void> => {
      for (const [path, text] of Object.entries(brought))
        if (keepsHome) await lend(home, path, { folder, text, mode });
        else await put(join(home, path), text, mode);
    };
    await bring(files, 0o600);
    await bring(login, 0o400);
    const writesTree = order.access === "write";
    const lodged: Lodged = {
      sandbox,
      home,
      folder,
      door: door?.seen,
      env: { ...env, HOME: home, TMPDIR: tmp },
      confinement: {
        write: [...(writesTree ? [order.cwd] : []), own],
        read: [...(writesTree ? [] : [order.cwd]), ...authorityFiles(env), ...read],
        network,
        model: door?.route,
        limits,
      },
    };
    return { lodged, own, close, remember: (session: SessionId) => point(house, session, id) };
  } catch (error) {
    await close();
    throw error;
  }
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
