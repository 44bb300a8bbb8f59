/** The hosts agents may run on: as an operator writes them, and which of them an order gets. */

export interface SshHost {
  /** As written, without its options: what a person knows it by. */
  readonly name: string;
  /** `user@host`, or what the ssh configuration calls it. */
  readonly target: string;
  readonly port: number | undefined;
  /** Orders at once. */
  readonly cap: number;
  /** Folder there that orders lie in; below the user's home unless absolute. */
  readonly root: string;
  /** Put before the search path there. */
  readonly searchPath: string | undefined;
}

const defaultCap = 2;
const defaultRoot = ".forgehand";
const mostOrders = 1_000;

/**
 * Reads `user@host:port?cap=2&root=/srv/agents&path=/opt/node/bin`, several with commas between. Answers what is wrong in
 * a sentence instead, for the setting's own message.
 */
export function readSshHosts(text: string): readonly SshHost[] | { readonly wrong: string } {
  const hosts: SshHost[] = [];
  for (const part of text.split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const host = readHost(part);
    if ("wrong" in host) return host;
    if (hosts.some(({ name }) => name === host.name)) return { wrong: `${host.name} is named twice` };
    hosts.push(host);
  }
  return hosts.length === 0
    ? { wrong: "it names no host; write user@host, with commas between several" }
    : hosts;
}

function readHost(part: string): SshHost | { readonly wrong: string } {
  const [name = "", query = ""] = part.split("?", 2);
  // Neither a leading `-`, which ssh would read as an option, nor anything a shell would.
  const found = /^((?:[A-Za-z_][\w.-]*@)?(?:[A-Za-z0-9][\w.-]*|\[[0-9A-Fa-f:.]+\]))(?::(\d{1,5}))?$/u.exec(
    name,
  );
  const target = found?.[1]?.replaceAll(/[[\]]/gu, "");
  const port = found?.[2] === undefined ? undefined : Number(found[2]);
  if (target === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    return { wrong: `${name} is no host; write user@host or user@host:port` };
  const options = new Map<string, string>();
  for (const pair of query === "" ? [] : query.split("&")) {
    const [key = "", value = ""] = pair.split("=", 2);
    if (!["cap", "root", "path"].includes(key))
      return { wrong: `${name} has no option ${key}; there is cap, root and path` };
    options.set(key, value);
  }
  const cap = Number(options.get("cap") ?? defaultCap);
  if (!Number.isInteger(cap) || cap < 1 || cap > mostOrders)
    return { wrong: `${name}: cap is a whole number from 1 to ${mostOrders}` };
  const root = options.get("root") ?? defaultRoot;
  if (!/^[\w./+-]+$/u.test(root) || root.startsWith("-") || root.split("/").includes(".."))
    return { wrong: `${name}: root is a folder's path of letters, digits and ._+-/` };
  const searchPath = options.get("path");
  if (searchPath !== undefined && !/^\/[^\0]*$/u.test(searchPath))
    return { wrong: `${name}: path begins with /` };
  return { name, target, port, cap, root, searchPath };
}

/**
 * Hosts in the order in which they are to be tried: the previous one of this worktree first, then who has most of its
 * room free. Full ones are not in it.
 */
export function hostsToTry(
  hosts: readonly SshHost[],
  taken: ReadonlyMap<string, number>,
  previous: string | undefined,
): readonly SshHost[] {
  const share = ({ name, cap }: SshHost): number => (taken.get(name) ?? 0) / cap;
  return hosts
    .filter((host) => share(host) < 1)
    .toSorted(
      (one, other) =>
        Number(other.name === previous) - Number(one.name === previous) || share(one) - share(other),
    );
}
