import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Environment } from "../config-environment.ts";
import { problemOf } from "../problems.ts";
import { bad, badly, ok, warn, type Finding } from "./doctor-finding.ts";
import { checkMode } from "./doctor-modes.ts";

const run = promisify(execFile);
const gitLimitMs = 20_000;
/** What package.json asks for. */
const leastNode = [22, 14] as const;
/** The first that takes its whole configuration from the environment, which is how it gets a token. */
const leastGit = [2, 32] as const;
/** The oldest that our tests run with. */
const triedGit = [2, 39] as const;
const fewBytes = 2 * 1024 ** 3;
const noBytes = 200 * 1024 ** 2;

export async function checkHost(environment: Environment): Promise<readonly Finding[]> {
  return [
    atLeast(process.versions.node, leastNode)
      ? ok(`node ${process.versions.node}`)
      : bad(
          "usage",
          `node ${process.versions.node} is too old`,
          "install node 24 (https://nodejs.org), at least 22.14",
        ),
    ...(await checkGit()),
    ...checkDataDir(resolve(environment.dataDir)),
  ];
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [one = 0, two = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return one > major || (one === major && two >= minor);
}

async function checkGit(): Promise<readonly Finding[]> {
  let version: string;
  try {
    const { stdout } = await run("git", ["--version"], { timeout: gitLimitMs });
    version = /\d+\.\d+(?:\.\d+)*/u.exec(stdout)?.[0] ?? "0.0";
  } catch {
    return [bad("usage", "git is not on the PATH", "install git, for example `apt-get install git`")];
  }
  if (!atLeast(version, leastGit))
    return [
      bad(
        "usage",
        `git ${version} is too old: at least ${leastGit.join(".")} is needed`,
        "install a newer git",
      ),
    ];
  const trouble = await tryWorktree();
  return [
    trouble === undefined
      ? triedOr(version)
      : bad(
          "failed",
          `git ${version} cannot make a worktree below ${tmpdir()}: ${trouble}`,
          "look at the permissions and the free space there, or set TMPDIR to another folder",
        ),
  ];
}

const triedOr = (version: string): Finding =>
  atLeast(version, triedGit)
    ? ok(`git ${version}, worktrees work`)
    : warn(
        `git ${version}, worktrees work; forgehand is tested with ${triedGit.join(".")} and newer`,
        "install a newer git",
      );

/** A real one, in a throw-away repository. */
async function tryWorktree(): Promise<string | undefined> {
  let dir: string | undefined;
  try {
    dir = await mkdtemp(join(tmpdir(), "forgehand-doctor-"));
    const here = join(dir, "repo");
    const who = ["-c", "user.name=forgehand", "-c", "user.email=forgehand@localhost"];
    const git = (...argv: string[]) => run("git", argv, { timeout: gitLimitMs });
    await git("init", "-q", here);
    await git(
      "-C",
      here,
      ...who,
      "-c",
      "commit.gpgSign=false",
      "commit",
      "-q",
      "--allow-empty",
      "-m",
      "start",
    );
    await git("-C", here, "worktree", "add", "-q", "--detach", join(dir, "tree"));
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.trim().split("\n").at(-1) ?? "it failed") : String(error);
  } finally {
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  }
}

function checkDataDir(path: string): readonly Finding[] {
  const there = nearest(path);
  const isMade = there === path;
  if (!mayWrite(there))
    return [
      bad(
        "permission",
        isMade
          ? `the data folder ${path} cannot be written by this user`
          : `the data folder ${path} is not there and cannot be made: ${there} is closed to this user`,
        `mkdir -p ${path} && chown "$(id -un)" ${path}, as a user who may; or set FORGEHAND_DATA_DIR to another folder`,
      ),
    ];
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const room = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return [
    isMade
      ? checkMode({ path, what: `the data folder ${path}`, to: "others", mode: "700" })
      : ok(`data folder ${path} (made by \`forgehand up\`)`),
    free < noBytes
      ? bad("failed", `the disk of ${path} is full: ${room}`, "free space there")
      : free < fewBytes
        ? warn(`the disk of ${path} is nearly full: ${room}`, "free space there")
        : ok(room),
  ];
}

function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Could `up` listen? Only worth asking while nobody of ours does. */
export async function checkPort({ host, port }: Environment): Promise<Finding> {
  return await new Promise((settle) => {
    const server = createServer();
    server.once("error", (error) => {
      const problem = problemOf(error, { host, port });
      settle(
        problem === undefined
          ? bad(
              "usage",
              `cannot listen on ${host}:${port}: ${error.message}`,
              "set FORGEHAND_HOST or FORGEHAND_PORT",
            )
          : badly(problem),
      );
    });
    server.listen(port, host, () => server.close(() => settle(ok(`${host}:${port} is free`))));
  });
}
