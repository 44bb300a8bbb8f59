/** Bubblewrap: the same files under the same names, but only those an order needs, and no other process to be seen. */
import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { asset } from "../../assets.ts";
import type { ProcessOrder } from "../processes/agent-process.ts";
import { endMarked } from "../processes/descendants.ts";
import { programAt } from "../processes/program.ts";
import { gitView } from "./git.ts";
import { limiter } from "./limits.ts";
import { programFolders, systemFolders, systemMounts } from "./system.ts";
import type { Confinement, Sandbox } from "./sandbox.ts";

export interface BubblewrapOptions {
  /** `bwrap`, or where it lies. */
  readonly binary: string;
  readonly searchPath: string;
  /** The operator's home, the data folder: hidden wherever they lie, and never shown for a program's sake. */
  readonly secret: readonly string[];
  /** Further folders of the host that every order may read, such as a toolchain's. */
  readonly read: readonly string[];
}

const run = promisify(execFile);
const probeMs = 10_000;
const install = "install it with `apt-get install bubblewrap`, or your system's own command";
const bridge = asset("adapters/sandboxes/model-bridge.mjs");
/** Inside, where nothing else is. */
const socketInside = "/run/forgehand/model";
/** No privilege, no namespace of the host's but perhaps its network, and no life after ours. */
const apart = [
  "--unshare-all",
  "--unshare-user",
  "--disable-userns",
  "--die-with-parent",
  "--cap-drop",
  "ALL",
  "--hostname",
  "forgehand",
];
/** Private, and gone with the order. */
const emptied = ["/tmp", "/var/tmp", "/dev/shm"];
const mib = 1024 * 1024;
/** Of /tmp and /dev/shm together with all other memory, where nothing else is said. */
const tmpMb = 1024;

/**
 * SIGTERM goes to the whole group: bubblewrap itself must outlive it, or the agent would be killed before it could put its
 * session in order. The empty file stands for what must not be read.
 */
const launcher = `trap "" TERM; exec 9</dev/null; exec "$@"`;

/** Read-only system, one writable worktree, its own processes, and a network of nothing or of one model. */
export function bubblewrapSandbox(options: BubblewrapOptions): Sandbox {
  const { binary, searchPath } = options;
  return {
    name: "bubblewrap",
    enter: async (order, confinement) => {
      const bwrap = programAt(binary, searchPath);
      if (bwrap === undefined) throw new Error(`\`${binary}\` is not on the search path: ${install}`);
      const { limits, write } = confinement;
      const program = programAt(order.file, order.env["PATH"], order.cwd);
      const leave = async (): Promise<void> => void (await endMarked(order.runId));
      // What is not there fails by its own name, and not for want of a look: it may be there by then.
      if (program === undefined)
        return { order: { ...order, file: `/nowhere/${basename(order.file)}` }, leave };
      const isSecret = (path: string): boolean =>
        [...options.secret, ...write].some((one) => isWithin(real(one), path)) ||
        write.some((one) => isWithin(path, real(one)));
      const programs = programFolders(program, order.env["PATH"], isSecret);
      const inside = [
        ...limiter(limits, "one-namespace"),
        ...bridged(confinement),
        // Ignored signals are inherited.
        "/usr/bin/env",
        "--default-signal=TERM",
        nameInside(program, programs),
        ...order.args,
      ];
      const mounts = bubblewrapArguments(order, confinement, options, programs);
      return {
        order: {
          ...order,
          file: "/bin/sh",
          args: ["-c", launcher, "sh", bwrap, ...mounts, "--", ...inside],
          allowance: { limits, folders: write },
        },
        leave,
      };
    },
    probe: () => probe(options),
  };
}

/** What stands between `bwrap` and the program. Later mounts lie over earlier ones. */
function bubblewrapArguments(
  { cwd }: Pick<ProcessOrder, "cwd">,
  { write, read, network, model, limits }: Confinement,
  { secret, read: also }: Pick<BubblewrapOptions, "secret" | "read">,
  programs: readonly string[],
): readonly string[] {
  const readable = [...programs, ...also, ...read];
  const { hidden, seen, blank } = gitView(real(cwd));
  const covered = secret.filter((one) =>
    [...systemFolders, ...readable].some((folder) => one !== folder && isWithin(real(one), real(folder))),
  );
  const size = String((limits.memoryMb ?? tmpMb) * mib);
  return [
    ...apart,
    ...(network === "open" ? ["--share-net"] : []),
    ...systemMounts().flat(),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...emptied.flatMap((path) => ["--size", size, "--tmpfs", path]),
    ...[...new Set(readable)]
      .filter((path) => existsSync(path))
      .flatMap((path) => mount("--ro-bind", path, readable)),
    ...covered.filter((path) => existsSync(path)).flatMap((path) => ["--tmpfs", real(path)]),
    ...(network === "model" && model !== undefined
      ? [model.socket, bridge, process.execPath].flatMap((path, index) => [
          "--ro-bind",
          real(path),
          index === 0 ? socketInside : path,
        ])
      : []),
    ...write.flatMap((path) => mount("--bind", path, readable)),
    ...(hidden === undefined ? [] : ["--tmpfs", hidden]),
    ...seen.flatMap((path) => ["--ro-bind", path, path]),
    ...(blank === undefined ? [] : ["--ro-bind-data", "9", blank]),
    ...(hidden === undefined ? [] : ["--remount-ro", hidden]),
    "--remount-ro",
    "/",
    "--chdir",
    real(cwd),
  ];
}

/** Without a network, the model is behind a socket; a runtime wants a port. */
const bridged = ({ network, model }: Confinement): readonly string[] =>
  network === "model" && model !== undefined
    ? [process.execPath, bridge, socketInside, String(model.port)]
    : [];

/** At its real place; where it is known by a link, that is there too, unless it lies in what is seen anyway. */
function mount(how: "--bind" | "--ro-bind", path: string, readable: readonly string[]): readonly string[] {
  const at = real(path);
  const isSeen = [...systemFolders, ...readable].some((one) => one !== path && isWithin(path, one));
  return [how, at, at, ...(at === path || isSeen ? [] : ["--symlink", at, path])];
}

/** By the name it was called, which tells some programs what to be; where only the program itself is seen, by its own. */
const nameInside = (program: string, programs: readonly string[]): string =>
  [...systemFolders, ...programs].some((folder) => isWithin(program, folder))
    ? program
    : realpathSync(program);

const isWithin = (path: string, folder: string): boolean =>
  path === folder || folder === "/" || path.startsWith(`${folder}/`);
const real = (path: string): string => (existsSync(path) ? realpathSync(path) : path);

async function probe({ binary, searchPath }: BubblewrapOptions): ReturnType<Sandbox["probe"]> {
  const bwrap = programAt(binary, searchPath);
  if (bwrap === undefined)
    return { found: false, version: undefined, why: `\`${binary}\` is not on the search path: ${install}` };
  try {
    const { stdout } = await run(bwrap, ["--version"], { timeout: probeMs });
    const version = /\d+\.\d+(?:\.\d+)?/u.exec(stdout)?.[0];
    // As an order would be run, with `true` for an agent.
    const tried = await run(bwrap, [...apart, "--ro-bind", "/", "/", "--proc", "/proc", "true"], {
      timeout: probeMs,
    }).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    if (!(tried instanceof Error)) return { found: true, version, why: undefined };
    const said = tried.message.trim().split("\n").at(-1) ?? "";
    return {
      found: true,
      version,
      why: `bubblewrap ${version ?? ""} cannot make a sandbox here (${said}): allow user namespaces with \`sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000\`; on Ubuntu also \`sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\``,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { found: false, version: undefined, why: `\`${binary}\` could not be run: ${reason}` };
  }
}
