/** Runs git with nothing of the host's or the repository's configuration in force. */
import { execa } from "execa";
import { Trouble } from "../ports.ts";
import type { Place } from "./git-paths.ts";

const safe: readonly (readonly [string, string])[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.sshCommand", "false"],
  ["core.pager", "cat"],
  ["protocol.ext.allow", "never"],
  ["protocol.ssh.allow", "never"],
  ["submodule.recurse", "false"],
  ["fetch.recurseSubmodules", "false"],
  ["commit.gpgSign", "false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["safe.bareRepository", "all"],
];

/** What one git process is given besides its arguments. */
export interface GitOrder {
  readonly in: Place | { readonly mirror: string };
  /** `Basic …`; lives only in the environment of this one process. */
  readonly auth?: { readonly url: string; readonly header: string } | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}
/** Runs one git command and returns its output, or throws `Trouble`. */
export type Git = (order: GitOrder, ...argv: readonly string[]) => Promise<string>;

/** A git that sees this search path and nothing else of the host's environment. */
export function gitRunner(path: string, timeoutMs: number): Git {
  return async (order, ...argv) => {
    const config = [...safe];
    if (order.auth)
      config.push([`http.${order.auth.url}.extraHeader`, `Authorization: ${order.auth.header}`]);
    const environment: Record<string, string> = {
      PATH: path,
      HOME: "/nonexistent",
      LC_ALL: "C",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "",
      SSH_ASKPASS: "",
      GIT_CONFIG_COUNT: String(config.length),
      ...order.environment,
    };
    for (const [index, [key, value]] of config.entries()) {
      environment[`GIT_CONFIG_KEY_${index}`] = key;
      environment[`GIT_CONFIG_VALUE_${index}`] = value;
    }
    // The git directory is named outright, so a `.git` an agent wrote is never consulted.
    environment["GIT_DIR"] = "admin" in order.in ? order.in.admin : order.in.mirror;
    if ("path" in order.in) environment["GIT_WORK_TREE"] = order.in.path;
    const done = await execa("git", argv, {
      cwd: "path" in order.in ? order.in.path : order.in.mirror,
      env: environment,
      extendEnv: false,
      stdin: "ignore",
      timeout: timeoutMs,
      killDescendants: true,
      forceKillAfterDelay: 3000,
      reject: false,
      stripFinalNewline: false,
      maxBuffer: 64 * 1024 * 1024,
    });
    if (done.failed)
      throw troubleOf(argv[0] ?? "", done.timedOut ? "it took too long" : done.stderr, order.auth?.header);
    return done.stdout;
  };
}

function troubleOf(verb: string, stderr: string, secret: string | undefined): Trouble {
  let text = stderr
    .replace(/(https?:\/\/)[^/@\s]+@/g, "$1")
    .trim()
    .slice(-1000);
  if (secret) text = text.replaceAll(secret, "[secret]");
  const say = (code: string, why: string, permanent: boolean) =>
    new Trouble(code, `git ${verb}: ${why} ${text}`, { permanent });
  if (/Authentication failed|could not read Username|error: 40[13]/.test(stderr))
    return say("git-auth", "the forge refused our credentials.", false);
  if (/repository .* not found|error: 404/i.test(stderr))
    return say("git-missing-repo", "the repository is not there for us.", true);
  if (/No space left|Disk quota exceeded/.test(stderr)) return say("disk-full", "the disk is full.", false);
  if (
    /Could not resolve|Failed to connect|Connection (refused|reset)|unable to access|early EOF|took too long/.test(
      stderr,
    )
  )
    return say("git-network", "the forge was not reachable.", false);
  return say("git-failed", "it failed.", false);
}
