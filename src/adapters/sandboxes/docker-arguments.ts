/** What `docker run` is told, so that an order gets a container with nothing it does not need. */
import { existsSync, realpathSync } from "node:fs";
import { asset } from "../../assets.ts";
import { Trouble } from "../../ports.ts";
import type { ProcessOrder } from "../processes/agent-process.ts";
import { gitView } from "./git.ts";
import type { Confinement } from "./sandbox.ts";

export interface DockerContainer {
  readonly name: string;
  readonly image: string;
  /** Such as gVisor's `runsc`; the engine's own when left out. */
  readonly runtime: string | undefined;
  /** `uid:gid`, so that what it writes in the worktree is ours. */
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

const bridge = asset("adapters/sandboxes/model-bridge.mjs");
const bridgeInside = "/run/forgehand/model-bridge.mjs";
const socketInside = "/run/forgehand/model.sock";
/** Of /tmp, unless memory is limited to less. */
const tmpMb = 1024;
/** No secrets; by value, for docker itself needs variables of these names. */
const plain: ReadonlySet<string> = new Set(["HOME", "TMPDIR", "LANG", "LC_ALL", "TERM", "CI", "NO_COLOR"]);

/** All that follows `docker`. Variables are given by name alone: their values are in the environment of the client. */
export function dockerArguments(
  container: DockerContainer,
  order: Pick<ProcessOrder, "file" | "args" | "cwd" | "env">,
  confinement: Confinement,
): readonly string[] {
  const { name, image, runtime, user, labels } = container;
  const { network, model, limits } = confinement;
  const bridged = network === "model" && model !== undefined;
  const command = bridged
    ? ["node", bridgeInside, socketInside, String(model.port), order.file, ...order.args]
    : [order.file, ...order.args];
  const [entrypoint = order.file, ...rest] = command;
  return [
    "run",
    "--rm",
    "--init",
    "--interactive",
    "--pull",
    "never",
    "--name",
    name,
    ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
    ...(runtime === undefined ? [] : ["--runtime", runtime]),
    "--user",
    user,
    "--workdir",
    order.cwd,
    "--hostname",
    "forgehand",
    "--read-only",
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    // What the agent says is ours to keep, not the engine's.
    "--log-driver",
    "none",
    "--network",
    network === "open" ? "bridge" : "none",
    ...flag("--memory", limits.memoryMb, "m"),
    // No swap beyond it.
    ...flag("--memory-swap", limits.memoryMb, "m"),
    ...flag("--cpus", limits.cpus, ""),
    ...flag("--pids-limit", limits.processes, ""),
    ...(limits.diskMb === undefined ? [] : ["--ulimit", `fsize=${limits.diskMb * 1024 * 1024}`]),
    ...tmpfs("/tmp", Math.min(tmpMb, limits.memoryMb ?? tmpMb)),
    ...homeArguments(order.env["HOME"], confinement),
    ...mounts(order.cwd, confinement),
    ...(bridged ? [...bind(bridge, bridgeInside, "read"), ...bind(model.socket, socketInside, "read")] : []),
    ...variables(order.env).flatMap((variable) => ["--env", variable]),
    "--entrypoint",
    entrypoint,
    image,
    ...rest,
  ];
}

/** The variables the client has to carry for the container. */
export function carriedVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isCarried(name)));
}
// The search path is the image's own; what begins so would tell docker where its engine is.
const isCarried = (name: string): boolean =>
  !plain.has(name) && !["PATH", "RUN_ID"].includes(name) && !name.startsWith("DOCKER_");

const variables = (env: Readonly<Record<string, string>>): readonly string[] => [
  ...Object.entries(env).flatMap(([name, value]) => (plain.has(name) ? [`${name}=${value}`] : [])),
  ...Object.keys(carriedVariables(env)),
  "RUN_ID",
];

function mounts(cwd: string, { write, read }: Confinement): readonly string[] {
  const git = [...new Set([cwd, ...write])].map((folder) => gitView(real(folder)));
  return [
    ...read.filter((path) => existsSync(path)).flatMap((path) => bind(real(path), path, "read")),
    ...write.flatMap((path) => bind(real(path), path, "write")),
    ...git.flatMap(({ hidden, seen, blank }) => [
      ...(hidden === undefined ? [] : tmpfs(hidden, 1)),
      ...seen.filter((path) => !isFolderOf(path, cwd, write)).flatMap((path) => bind(path, path, "read")),
      // A repository's configuration may hold a token: an empty one stands in its place.
      ...(blank === undefined ? [] : bind("/dev/null", blank, "read")),
    ]),
  ];
}

/** The `.git` file of a worktree is there already, with its folder. */
const isFolderOf = (path: string, cwd: string, write: readonly string[]): boolean =>
  [cwd, ...write].some((folder) => path === `${real(folder)}/.git` || path === `${folder}/.git`);

function homeArguments(home: string | undefined, { write, read }: Confinement): readonly string[] {
  const isThere = [...write, ...read, "/tmp"].some((path) => home === path || home?.startsWith(`${path}/`));
  return home === undefined || isThere || home === "/" ? [] : tmpfs(home, tmpMb);
}

function bind(from: string, to: string, may: "read" | "write"): readonly string[] {
  const fields = ["type=bind", `source=${from}`, `target=${to}`, ...(may === "read" ? ["readonly"] : [])];
  return ["--mount", fields.map(field).join(",")];
}

/** Docker reads a mount as one line of CSV. */
const field = (text: string): string => (/[",\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function tmpfs(path: string, sizeMb: number): readonly string[] {
  if (/[:,]/u.test(path))
    throw new Trouble(
      "sandbox-order",
      `${path} cannot be a folder of a container: rename it without \`:\` and \`,\``,
      {
        permanent: true,
      },
    );
  return ["--tmpfs", `${path}:rw,exec,nosuid,nodev,mode=1777,size=${sizeMb}m`];
}

const flag = (name: string, value: number | undefined, unit: string): readonly string[] =>
  value === undefined ? [] : [name, `${value}${unit}`];
const real = (path: string): string => (existsSync(path) ? realpathSync(path) : path);
