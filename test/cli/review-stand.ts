/** A repository with a change in it, and agents that play their part. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cacheFolder, program, start, type Ended, type Running } from "./run.ts";

export interface ReviewStand {
  readonly dir: string;
  readonly repo: string;
  git(...argv: readonly string[]): string;
  write(path: string, text: string): void;
  /** Commits everything, on this branch. */
  commit(branch: string, words: string): string;
  /** What the agents play. */
  scenes(...parts: readonly object[]): void;
  review(
    argv: readonly string[],
    more?: { readonly env?: Record<string, string>; readonly input?: string; readonly cwd?: string },
  ): Promise<Ended>;
  /** The same, to be interrupted. */
  start(argv: readonly string[]): Running;
  close(): void;
}

export const finding = {
  title: "Two is wrong",
  body: "It must be three.",
  grade: "blocker",
  path: "a.txt",
  line: 2,
  kind: "Correctness",
};
export const fails = { answer: { verdict: "fail", findings: [finding], summary: "Not so." } };
export const passes = { answer: { verdict: "pass", findings: [], summary: "Well done." } };

/** `main` with one file, and `feature`, checked out, which adds a line to it. */
export function openStand(): ReviewStand {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "review-cli-")));
  const repo = join(dir, "repo");
  mkdirSync(repo);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: join(dir, "home"),
    XDG_STATE_HOME: join(dir, "state"),
    XDG_CACHE_HOME: cacheFolder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "ann",
    GIT_AUTHOR_EMAIL: "ann@example.org",
    GIT_COMMITTER_NAME: "ann",
    GIT_COMMITTER_EMAIL: "ann@example.org",
    FORGEHAND_SCENES: join(dir, "scenes.json"),
  };
  mkdirSync(env.HOME);
  const git = (...argv: readonly string[]): string =>
    execFileSync("git", [...argv], { cwd: repo, env, encoding: "utf8" }).trim();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), text);
  };
  const commit = (branch: string, words: string): string => {
    if (git("branch", "--show-current") !== branch) git("checkout", "-q", "-B", branch);
    git("add", "-A");
    git("commit", "-q", "--allow-empty", "-m", words);
    return git("rev-parse", "HEAD");
  };
  git("init", "-q", "-b", "main");
  write("a.txt", "one\n");
  commit("main", "first");
  write("a.txt", "one\ntwo\n");
  commit("feature", "Add two");
  const stand: ReviewStand = {
    dir,
    repo,
    git,
    write,
    commit,
    scenes: (...parts) => writeFileSync(env.FORGEHAND_SCENES, JSON.stringify(parts)),
    review: async (argv, { env: more = {}, input = "", cwd = repo } = {}) => {
      const done = await execa(process.execPath, [program, "review", ...argv], {
        cwd,
        env: { ...env, ...more },
        extendEnv: false,
        input,
        reject: false,
        stripFinalNewline: false,
      });
      return { code: done.exitCode ?? null, out: done.stdout, err: done.stderr };
    },
    start: (argv) => start(["review", ...argv], env, repo),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
  stand.scenes({ role: "review", steps: [passes] });
  return stand;
}

/** What is read of the report as JSON. */
export interface Reported {
  readonly data: {
    readonly verdict: string;
    readonly exit: number;
    readonly summary: string;
    readonly base: string;
    readonly head: string;
    readonly findings: readonly {
      readonly id: string;
      readonly source: string;
      readonly rule: string;
      readonly path: string | null;
      readonly line: number | null;
    }[];
  };
}
export const reported = async (stand: ReviewStand, ...argv: readonly string[]): Promise<Reported> =>
  JSON.parse((await stand.review([...argv, "--json"])).out) as Reported;
