/** Makes a host ready for orders, and tells what it offers. */
import { fileURLToPath } from "node:url";
import { basename } from "node:path";
import { Trouble } from "../ports.ts";
import { word } from "./remote-scripts.ts";
import type { Confinement } from "./sandbox.ts";
import { isUnreachable, tellHost, type SshClient } from "./ssh-connection.ts";
import type { SshHost } from "./ssh-hosts.ts";
import { howItFailed, type ToolAnswer } from "./tool-run.ts";

/** Our side of the way to the model, which runs there under that host's own node. */
export const modelBridge = fileURLToPath(new URL("./model-bridge.mjs", import.meta.url));

interface Offer {
  /** Bubblewrap works there. */
  readonly bubblewrap: "yes" | "no";
  readonly git: "yes" | "no";
  readonly missing: readonly string[];
}
export interface PreparedHost extends Offer {
  /** Folder of our orders there; absolute and real. */
  readonly house: string;
  /** Holds the orders of everybody. */
  readonly base: string;
  /** Folder of the user's own keys there. */
  readonly keys: string | undefined;
}

const needed = ["tar", "timeout", "grep", "sed", "ls", "cut", "sort", "env", "mkdir", "rm", "find"];

const look = ({ searchPath }: SshHost): string => `${searchPath === undefined ? "" : `PATH=${word(searchPath)}:$PATH\n`}uname -s | sed 's/^/system=/'
for tool in ${needed.join(" ")}; do command -v "$tool" >/dev/null 2>&1 || echo "missing=$tool"; done
if bwrap --unshare-pid --ro-bind / / --dev /dev --proc /proc true >/dev/null 2>&1; then echo bubblewrap=yes; fi
if [ -d "$HOME/.ssh" ]; then echo "keys=$HOME/.ssh"; fi
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
mkdir -p ${word(`${host.root}/${names.house}`)} && cd ${word(host.root)} && echo "base=$(pwd -P)" && cd ${word(names.house)} && echo "house=$(pwd -P)" || exit 1
find . -mindepth 1 -maxdepth 1 -type d -mtime +1 ${spared} -exec rm -rf {} + 2>/dev/null
exit 0
`;
  const answer = await tellHost(client, host, script);
  const said = valuesIn(answer);
  const [house] = said("house");
  const [base] = said("base");
  const offer = offerIn(answer);
  if (answer.exit !== 0 || house === undefined || base === undefined)
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
  return { ...offer, house, base, keys: said("keys")[0] };
}

/** What stands before the program there, once it is known where it works. */
export function confinedBy(
  place: PreparedHost,
  root: string,
  { network, model }: Confinement,
  host: SshHost,
): (cwd: string) => readonly string[] {
  const { base, keys } = place;
  if (place.bubblewrap === "no") {
    if (network === "open") return () => [];
    throw new Trouble(
      "sandbox-failed",
      `${host.name} cannot close the network for an agent: install bubblewrap there (\`apt-get install bubblewrap\`) and allow user namespaces, or set FORGEHAND_SANDBOX_NETWORK=open`,
      { permanent: true },
    );
  }
  const bridge =
    network === "model" && model !== undefined
      ? ["node", `${root}/${basename(modelBridge)}`, `${root}/model.sock`, String(model.port)]
      : [];
  return (cwd) => [
    "bwrap",
    "--die-with-parent",
    ...["--unshare-pid", "--unshare-ipc", "--unshare-uts"],
    ...(network === "open" ? [] : ["--unshare-net"]),
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"],
    // Neither the user's own keys nor the orders of others.
    ...[...(keys === undefined ? [] : [keys]), base].flatMap((path) => ["--tmpfs", path]),
    ...["--bind", root, root, "--chdir", cwd, "--"],
    ...bridge,
  ];
}

/** Is the host to be used at all, and what would make it better. Never throws. */
export async function askHost(
  client: SshClient,
  host: SshHost,
): Promise<{
  readonly usable: "yes" | "no";
  readonly version: string | undefined;
  readonly why: string | undefined;
}> {
  try {
    const answer = await tellHost(client, host, `${look(host)}ssh -V 2>&1 | sed 's/^/version=/'\n`);
    const said = valuesIn(answer);
    const offer = offerIn(answer);
    const version = /OpenSSH_([\w.]+)/u.exec(said("version")[0] ?? "")?.[1];
    const wrong = wrongWith(host, offer, said("system"));
    if (wrong !== undefined) return { usable: "no", version, why: wrong };
    const wish = [
      ...(offer.bubblewrap === "yes"
        ? []
        : ["bubblewrap, without which an agent there sees all that its user sees"]),
      ...(offer.git === "yes" ? [] : ["git, without which an agent there has no history to look at"]),
    ];
    const why = wish.length === 0 ? undefined : `${host.name} has no ${wish.join(" and no ")}`;
    return { usable: "yes", version, why };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { usable: "no", version: undefined, why: error.message };
  }
}

function wrongWith(host: SshHost, { missing }: Offer, system: readonly string[]): string | undefined {
  if (system[0] !== "Linux")
    return `${host.name} runs ${system[0] ?? "an unknown system"}: an ssh host has to run Linux, for an agent's processes are found by /proc`;
  if (missing.length > 0) return `${host.name} lacks ${missing.join(", ")}: install coreutils, findutils, grep, sed and tar there`;
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
