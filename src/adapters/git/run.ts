/** Runs git with nothing of the host's or the repository's configuration in force. */
import { Readable } from "node:stream";
import { execa } from "execa";
import { simpleGit } from "simple-git";
import type { Place } from "./paths.ts";
import { gitTrouble } from "./trouble.ts";

const safe: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.sshCommand", "false"],
  ["core.pager", "cat"],
  // A forged commit graph could show other parents than the commits have.
  ["core.commitGraph", "false"],
  ["protocol.ext.allow", "never"],
  ["protocol.ssh.allow", "never"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["commit.gpgSign", "false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["safe.bareRepository", "all"],
  // Git would take the credential along to whatever host it is sent to.
  ["http.followRedirects", "false"],
];
/**
 * What a repository could say of the way to this remote, said otherwise: what stands in the environment outranks it. No
 * proxy, no other address for a name, no certificate left unread.
 */
const straightTo = (url: string): readonly (readonly [string, string])[] => [
  ["http.proxy", ""],
  [`http.${url}.proxy`, ""],
  [`remote.${url}.proxy`, ""],
  ["http.curloptResolve", ""],
  [`http.${url}.sslVerify`, "true"],
];
/** simple-git asks for each of these by name because a stranger's value would run code; the values are ours. */
const permitted = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeFilter: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeHooksPath: true,
  allowUnsafeMergeDriver: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
} as const;
const maxOutputBytes = 64 * 1024 * 1024;

/** What one git process is given besides its arguments. */
export interface GitOrder {
  readonly in: Place | { readonly mirror: string };
  /** Present for every order that speaks to a remote; the header lives only in the environment of this one process. */
  readonly network?: { readonly url: string; readonly header: string | undefined };
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** More settings that hold against the repository's own. */
  readonly settings?: readonly (readonly [string, string])[];
  /** Given what it says on stderr, piece by piece. */
  readonly heard?: (said: string) => void;
  /** Exit codes besides 0 that are an answer. */
  readonly answers?: readonly number[];
}
/** Runs one git command and returns its output, or throws `Trouble`. */
export type Git = (order: GitOrder, ...argv: readonly string[]) => Promise<string>;

/** A git that sees this search path and nothing else of the host's environment. */
export function gitRunner(searchPath: string, timeoutMs: number): Git {
  return async (order, ...argv) => {
    const environment = environmentOf(order, searchPath);
    return order.network === undefined
      ? runLocal(order, argv, environment, timeoutMs)
      : runRemote(order, argv, environment, timeoutMs);
  };
}

async function runLocal(
  order: GitOrder,
  argv: readonly string[],
  environment: Record<string, string>,
  timeoutMs: number,
): Promise<string> {
  const stop = new AbortController();
  let tooMuch: string | undefined;
  let bytes = 0;
  let close = (): void => undefined;
  const end = (why: string): void => {
    tooMuch ??= why;
    stop.abort();
    // Whatever it has left behind may hold its output open for as long as it likes.
    close();
  };
  const silence = setTimeout(() => end("it took too long"), timeoutMs);
  try {
    const said = await simpleGit({
      baseDir: folderOf(order),
      trimmed: false,
      allowEnvironment: Object.keys(environment),
      unsafe: permitted,
      abort: stop.signal,
      input: () => order.input,
      // Its word is whole once its output has ended, and not some time after its end.
      completion: { onClose: true, onExit: false },
      // Left alone, a failure without a word on stderr would pass for success.
      errors: (error, { exitCode }) =>
        order.answers?.includes(exitCode) === true
          ? undefined
          : (error ?? (exitCode === 0 ? undefined : new Error(endedWith(exitCode)))),
    })
      .env(environment)
      .outputHandler((_command, stdout, stderr) => {
        close = () => {
          for (const stream of [stdout, stderr]) if (stream instanceof Readable) stream.destroy();
        };
        stderr.on("data", (chunk: Buffer) => {
          silence.refresh();
          order.heard?.(chunk.toString("utf8"));
        });
        stdout.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          silence.refresh();
          if (bytes > maxOutputBytes) end(`it said more than ${maxOutputBytes} bytes`);
        });
        // To simple-git one that has said nothing may yet say something: it waits 50 ms more.
        stdout.once("end", () => stdout.emit("data", Buffer.alloc(0)));
      })
      .raw([...argv]);
    if (tooMuch === undefined) return said;
    throw new Error(tooMuch);
  } catch (error) {
    throw gitTrouble(argv[0] ?? "", tooMuch ?? String(error), undefined);
  } finally {
    clearTimeout(silence);
  }
}

/** A process that a signal ended has no code, whatever the types say. */
const endedWith = (code: number | null): string =>
  code === null ? "it was killed" : `it ended with ${code}`;

async function runRemote(
  order: GitOrder,
  argv: readonly string[],
  environment: Record<string, string>,
  timeoutMs: number,
): Promise<string> {
  const done = await execa("git", withoutTheirHooks(argv, order.network?.url), {
    cwd: folderOf(order),
    env: environment,
    extendEnv: false,
    stdin: "ignore",
    timeout: timeoutMs,
    killDescendants: true,
    forceKillAfterDelay: 3000,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: maxOutputBytes,
  });
  if (!done.failed) return done.stdout;
  const why = done.timedOut
    ? "it took too long"
    : done.stderr || (done.code ?? `it ended with ${done.exitCode}`);
  throw gitTrouble(argv[0] ?? "", why, order.network?.header);
}

/** A repository of this host takes a push in a process of ours, in which its own hooks would run. */
const withoutTheirHooks = (argv: readonly string[], url: string | undefined): readonly string[] =>
  argv[0] === "push" && url?.startsWith("file:") === true
    ? ["push", "--receive-pack=git -c core.hooksPath=/dev/null -c gc.auto=0 receive-pack", ...argv.slice(1)]
    : argv;

const folderOf = (order: GitOrder): string => ("path" in order.in ? order.in.path : order.in.mirror);

/** Nor is a worktree's `commondir` consulted, which says where its configuration, refs and objects are. */
const placedBy = ({ mirror, admin, path }: Place): Record<string, string> => ({
  ...(admin === mirror ? {} : { GIT_COMMON_DIR: mirror }),
  GIT_WORK_TREE: path,
});

function environmentOf(order: GitOrder, searchPath: string): Record<string, string> {
  const config = [...safe, ...(order.settings ?? [])];
  const { network } = order;
  if (network !== undefined) config.push(...straightTo(network.url));
  if (network?.header !== undefined)
    config.push([`http.${network.url}.extraHeader`, `Authorization: ${network.header}`]);
  const environment: Record<string, string> = {
    PATH: searchPath,
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    // An agent can write replacements and grafts into the mirror; what we read is what the remote has.
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "/nonexistent",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "",
    SSH_ASKPASS: "",
    GIT_CONFIG_COUNT: String(config.length),
    // The git directory is named outright, so a `.git` an agent wrote is never consulted.
    GIT_DIR: "admin" in order.in ? order.in.admin : order.in.mirror,
    ...("path" in order.in ? placedBy(order.in) : {}),
    ...order.environment,
  };
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}
