/** Makes a host ready for orders, and tells what it offers. */
import { basename, dirname } from "node:path";
import { asset } from "../../assets.ts";
import { Trouble } from "../../ports.ts";
import { word } from "./remote-scripts.ts";
import type { Confinement } from "./sandbox.ts";
import { isUnreachable, tellHost, type SshClient } from "./ssh-connection.ts";
import type { SshHost } from "./ssh-hosts.ts";
import { howItFailed, type ToolAnswer } from "../processes/tool-run.ts";
import type { TravelPlan } from "./travel-plan.ts";

/** Our side of the way to the model, which runs there under that host's own node. */
export const modelBridge = asset("adapters/sandboxes/model-bridge.mjs");

interface Offer {
  /** Bubblewrap works there. */
  readonly bubblewrap: "yes" | "no";
  readonly git: "yes" | "no";
  readonly missing: readonly string[];
}
export interface PreparedHost extends Offer {
  /** Folder of our orders there; absolute and real. */
  readonly house: string;
  /** Of the user there, its home; real. */
  readonly home: string | undefined;
}

/** How bubblewrap is called on every host. */
const confining = [
  "--unshare-user",
  "--disable-userns",
  "--unshare-pid",
  "--die-with-parent",
  "--cap-drop",
  "ALL",
];
const needed = ["tar", "timeout", "grep", "sed", "ls", "cut", "sort", "env", "mkdir", "rm", "find"];

const look = ({
  searchPath,
}: SshHost): string => `${searchPath === undefined ? "" : `PATH=${word(searchPath)}:$PATH\n`}uname -s | sed 's/^/system=/'
for tool in ${needed.join(" ")}; do command -v "$tool" >/dev/null 2>&1 || echo "missing=$tool"; done
if bwrap ${confining.join(" ")} --ro-bind / / --dev /dev --proc /proc prlimit --nproc=1000 -- env --default-signal=TERM true >/dev/null 2>&1; then echo bubblewrap=yes; fi
if command -v git >/dev/null 2>&1; then echo git=yes; fi
`;

/** Makes the folder for this house's orders there; removes those that nobody knows any more. */
export async function prepareHost(
  client: SshClient,
  host: SshHost,
  names: { readonly house: string; readonly known: readonly string[] },
): Promise<PreparedHost> {
  const spared = names.known.map((id) => `! -name ${word(id)}`).join(" ");
  const script = `${look(host)}umask 077
mkdir -p ${word(`${host.root}/${names.house}`)} && cd ${word(host.root)} && cd ${word(names.house)} && echo "house=$(pwd -P)" || exit 1
(cd && echo "home=$(pwd -P)")
find . -mindepth 1 -maxdepth 1 -type d -mtime +1 ${spared} -exec rm -rf {} + 2>/dev/null
exit 0
`;
  const answer = await tellHost(client, host, script);
  const said = valuesIn(answer);
  const [house] = said("house");
  const [home] = said("home");
  const offer = offerIn(answer);
  if (answer.exit !== 0 || house === undefined)
    throw new Trouble(
      "sandbox-failed",
      `no folder can be made below ${host.root} on ${host.name}: ${howItFailed("sh", answer)}. Give the user there a folder it may write, with ?root=/path behind the host`,
    );
  if (!/^\/[\w./+-]+$/u.test(house))
    throw new Trouble(
      "sandbox-failed",
      `the folder ${JSON.stringify(house)} on ${host.name} has a name that a shell could misread; choose another with ?root=/path behind the host`,
      { permanent: true },
    );
  const wrong = wrongWith(host, offer, said("system"));
  if (wrong !== undefined) throw new Trouble("sandbox-failed", wrong, { permanent: true });
  return { ...offer, house, home };
}

/** The system there, as far as programs need it; not homes, nor what else lies there. */
const system = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/etc",
  "/opt",
  "/nix",
  "/run/systemd/resolve",
];
const inside = "/run/forgehand";

/**
 * What stands before the program there. With bubblewrap every path is as it is here, and nothing else of the host but its
 * system is to be seen; without it, an order that may use the network runs as that host's user among all it has.
 */
export function confinedBy(
  place: PreparedHost,
  root: string,
  host: SshHost,
  order: { readonly cwd: string; readonly home: string | undefined; readonly plan: TravelPlan },
  { network, model, limits }: Confinement,
): readonly string[] | "unconfined" {
  if (place.bubblewrap === "no") {
    if (network === "open") return "unconfined";
    throw new Trouble(
      "sandbox-failed",
      `${host.name} cannot close the network for an agent: install bubblewrap there (\`apt-get install bubblewrap\`) and allow user namespaces, or set FORGEHAND_SANDBOX_NETWORK=open`,
      { permanent: true },
    );
  }
  const { mounts } = order.plan;
  const homeIsThere = mounts.some(({ at }) => order.home === at || order.home?.startsWith(`${at}/`));
  const bridged = network === "model" && model !== undefined;
  const programs = (host.searchPath ?? "").split(":").filter((folder) => folder.startsWith("/"));
  // Other orders lie in the one, the user's own keys in the other.
  const secret = [place.house, ...(place.home === undefined ? [] : [place.home])];
  return [
    // SIGTERM goes to the whole group: bubblewrap has to outlive it, or the agent would be killed before it could hear.
    "sh",
    "-c",
    'trap "" TERM; exec "$@"',
    "sh",
    "bwrap",
    ...confining,
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    "forgehand",
    ...(network === "open" ? [] : ["--unshare-net"]),
    ...system.flatMap((path) => ["--ro-bind-try", path, path]),
    ...secret
      .filter((path) => system.some((folder) => isWithin(path, folder)))
      .flatMap((path) => ["--tmpfs", path]),
    ...programs
      .flatMap((folder) => installed(folder, secret))
      .flatMap((path) => ["--ro-bind-try", path, path]),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/var/tmp",
    "--tmpfs",
    "/dev/shm",
    ...(order.home === undefined || homeIsThere ? [] : ["--tmpfs", order.home]),
    ...mounts.flatMap(({ at, name, may }) => [
      may === "write" ? "--bind" : "--ro-bind",
      `${root}/${name}`,
      at,
    ]),
    ...(bridged
      ? [basename(modelBridge), "model.sock"].flatMap((name) => [
          "--ro-bind",
          `${root}/${name}`,
          `${inside}/${name}`,
        ])
      : []),
    "--remount-ro",
    "/",
    "--chdir",
    order.cwd,
    "--",
    ...(bridged
      ? ["node", `${inside}/${basename(modelBridge)}`, `${inside}/model.sock`, String(model.port)]
      : []),
    ...(limits.processes === undefined ? [] : ["prlimit", `--nproc=${limits.processes}`, "--"]),
    // Ignored signals are inherited.
    "env",
    "--default-signal=TERM",
  ];
}

/** Programs in a `bin` find what they need beside it. Never a folder that holds a secret one. */
const installed = (folder: string, secret: readonly string[]): readonly string[] =>
  [...(basename(folder) === "bin" ? [dirname(folder)] : []), folder]
    .filter((path) => !secret.some((one) => isWithin(one, path)))
    .slice(0, 1);

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === "/" ? folder : `${folder}/`);

/** Is the host to be used at all, and what would make it better. Never throws. */
export async function askHost(
  client: SshClient,
  host: SshHost,
): Promise<{
  readonly usable: "yes" | "no";
  readonly version: string | undefined;
  readonly why: string | undefined;
  readonly wish: string | undefined;
}> {
  try {
    const answer = await tellHost(client, host, `${look(host)}ssh -V 2>&1 | sed 's/^/version=/'\n`);
    const said = valuesIn(answer);
    const offer = offerIn(answer);
    const version = /OpenSSH_([\w.]+)/u.exec(said("version")[0] ?? "")?.[1];
    const wrong = wrongWith(host, offer, said("system"));
    if (wrong !== undefined) return { usable: "no", version, why: wrong, wish: undefined };
    const without = [
      ...(offer.bubblewrap === "yes"
        ? []
        : ["bubblewrap, without which an agent there sees all that its user sees"]),
      ...(offer.git === "yes" ? [] : ["git, without which an agent there has no history to look at"]),
    ];
    const wish = without.length === 0 ? undefined : `${host.name} has no ${without.join(" and no ")}`;
    return { usable: "yes", version, why: undefined, wish };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { usable: "no", version: undefined, why: error.message, wish: undefined };
  }
}

function wrongWith(host: SshHost, { missing }: Offer, system: readonly string[]): string | undefined {
  if (system[0] !== "Linux")
    return `${host.name} runs ${system[0] ?? "an unknown system"}: an ssh host has to run Linux, for an agent's processes are found by /proc`;
  if (missing.length > 0)
    return `${host.name} lacks ${missing.join(", ")}: install coreutils, findutils, grep, sed and tar there`;
  return undefined;
}

const offerIn = (answer: ToolAnswer): Offer => {
  const said = valuesIn(answer);
  return {
    bubblewrap: said("bubblewrap")[0] === "yes" ? "yes" : "no",
    git: said("git")[0] === "yes" ? "yes" : "no",
    missing: said("missing"),
  };
};

const valuesIn =
  ({ stdout }: ToolAnswer) =>
  (name: string): readonly string[] =>
    stdout.split("\n").flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));
