/** Git as the person at this host would run it in their own checkout, but for hooks, which stay off. */
import { execa } from "execa";

export interface PersonGitOptions {
  readonly searchPath: string;
  /** The person's variables that git reads its settings by; nothing else of their environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
export interface PersonSaid {
  readonly ok: boolean;
  readonly out: string;
  readonly err: string;
}
/** Runs one command in a folder; a failure is an answer. */
export type PersonGit = (folder: string, ...argv: readonly string[]) => Promise<PersonSaid>;

const gitMs = 5 * 60_000;
const kept = ["HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME"];
const settings = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["commit.gpgSign", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["submodule.recurse", "false"],
  ["merge.autoStash", "false"],
] as const;

/** A git with the person's own settings, filters among them, so that their checkout reads as if they had merged themselves. */
export function personGit({ searchPath, env }: PersonGitOptions): PersonGit {
  const variables = Object.fromEntries(
    kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  const config = Object.fromEntries(
    settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  );
  return async (folder, ...argv) => {
    const done = await execa("git", argv, {
      cwd: folder,
      env: {
        ...variables,
        ...config,
        GIT_CONFIG_COUNT: String(settings.length),
        PATH: searchPath,
        LC_ALL: "C",
        GIT_TERMINAL_PROMPT: "0",
      },
      extendEnv: false,
      stdin: "ignore",
      timeout: gitMs,
      reject: false,
    });
    return {
      ok: !done.failed,
      out: done.stdout,
      err: done.stderr === "" ? (done.shortMessage ?? "") : done.stderr,
    };
  };
}
