/**
 * Where branches of a remote are, asked in one request without a process: the command `ls-refs` of git's wire protocol,
 * version 2 (gitprotocol-v2(5)). Whoever does not answer it so is asked by git itself, which also says what is wrong.
 */
import type { Sha } from "../../state-machine/ticket.ts";
import type { Git, GitOrder } from "./run.ts";

type Refs = ReadonlyMap<string, Sha>;
type RemoteOrder = GitOrder & { readonly network: NonNullable<GitOrder["network"]> };

interface Asker {
  readonly git: Git;
  /** Git alone asks where it is left out. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** Where these refs of the remote are, by full name; one that it does not have is not among them. */
export async function remoteRefs(
  { git, fetch }: Asker,
  order: RemoteOrder,
  names: readonly string[],
): Promise<Refs> {
  const answer = (fetch && (await asked(fetch, order.network, names))) ?? (await listed(git, order, names));
  // Both match more than whole names.
  return new Map([...answer].filter(([name]) => names.includes(name)));
}

/** After so long git asks anew. */
const patienceMs = 3_000;
/** A name can be how thousands of others begin. */
const longestAnswer = 1024 * 1024;
const answerType = "application/x-git-upload-pack-result";

async function asked(
  fetch: typeof globalThis.fetch,
  { url, header }: RemoteOrder["network"],
  names: readonly string[],
): Promise<Refs | undefined> {
  if (!/^https?:/.test(url)) return undefined;
  try {
    const answer = await fetch(`${url}/git-upload-pack`, {
      method: "POST",
      headers: {
        ...(header === undefined ? {} : { authorization: header }),
        "content-type": "application/x-git-upload-pack-request",
        accept: answerType,
        "git-protocol": "version=2",
        // Some forges serve git to what calls itself so.
        "user-agent": "git/forgehand",
      },
      body: [
        line("command=ls-refs"),
        "0001",
        ...names.map((name) => line(`ref-prefix ${name}`)),
        "0000",
      ].join(""),
      redirect: "manual",
      signal: AbortSignal.timeout(patienceMs),
    });
    if (answer.status === 200 && answer.headers.get("content-type") === answerType)
      return refsIn(await textOf(answer));
    await answer.body?.cancel();
    return undefined;
  } catch {
    return undefined;
  }
}

/** One packet: its length in four hexadecimal digits, these included, and what it says. */
const line = (said: string): string =>
  `${(Buffer.byteLength(said) + 5).toString(16).padStart(4, "0")}${said}\n`;

async function textOf({ body }: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > longestAnswer) throw new Error("too long");
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The refs in an answer; undefined unless it is whole and nothing else: packets `<object> <name>`, then the flush packet. */
export function refsIn(answer: Buffer): Refs | undefined {
  const found = new Map<string, Sha>();
  for (let at = 0; ;) {
    const digits = answer.toString("latin1", at, at + 4);
    if (digits === "0000") return at + 4 === answer.length ? found : undefined;
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : 0;
    if (length < 5 || at + length > answer.length) return undefined;
    const said = /^([0-9a-f]{40}) (\S+)\n?$/.exec(answer.toString("utf8", at + 4, at + length));
    if (said?.[1] === undefined || said[2] === undefined) return undefined;
    found.set(said[2], said[1]);
    at += length;
  }
}

async function listed(git: Git, order: RemoteOrder, names: readonly string[]): Promise<Refs> {
  const listing = await git(order, "ls-remote", order.network.url, ...names);
  return new Map(
    listing
      .split("\n")
      .filter((one) => one.includes("\t"))
      .map((one): [string, Sha] => {
        const [sha = "", name = ""] = one.split("\t");
        return [name, sha];
      }),
  );
}
