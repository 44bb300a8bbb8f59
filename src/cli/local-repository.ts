/** A repository of this host, looked at before anything is done with it: what must be there, and what is worth a word. */
import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { personGit, type PersonGit } from "../adapters/local/person-git.ts";
import { isDead } from "../adapters/owner.ts";
import { findPlace, localFolder, type LocalPlace } from "../adapters/local/place.ts";
import { openRecords, writeWhole } from "../adapters/local/records.ts";
import type { TicketFolders } from "../adapters/local/ticket-folder.ts";
import type { Environment } from "../config-environment.ts";
import { exitCodes, Problem } from "../problems.ts";
import { ownSettings } from "./own-settings.ts";
import { localEnvironment } from "./local-place.ts";
import { operator } from "./operator.ts";
import { Failure } from "./output.ts";
import { ownerOf } from "./stop-serving.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface LocalRepository {
  readonly place: LocalPlace;
  /** The checkout somebody stands in. */
  readonly top: string;
  /** Everything of it that forgehand keeps. */
  readonly folder: string;
  readonly folders: TicketFolders;
  readonly environment: Environment;
  readonly operator: string;
  readonly git: PersonGit;
  readonly env: Env;
}

/** The repository around a folder. Throws a `Problem` where there is none to work with. */
export function openRepository(env: Env, from: string): LocalRepository {
  const place = findPlace(from);
  if (place === undefined) throw new Problem("local-no-repository", { path: resolve(from) });
  if (place.top === undefined) throw new Problem("local-bare", { path: place.gitDir });
  const read = ownSettings(env);
  const folder = localFolder(resolve(read.dataDir), place);
  const checkout = basename(place.gitDir) === ".git" ? dirname(place.gitDir) : place.top;
  return {
    place,
    top: place.top,
    folder,
    folders: { own: join(folder, "tickets"), inRepo: join(checkout, ".forgehand", "tickets") },
    environment: localEnvironment(read, folder),
    operator: operator(),
    git: personGit({ searchPath: env["PATH"] ?? "/usr/bin:/bin", env }),
    env,
  };
}

/** Makes its folder. */
export function makeLocalFolder({ folder, place, top }: LocalRepository): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    writeWhole(join(folder, "repository.json"), `${JSON.stringify({ gitDir: place.gitDir, top })}\n`);
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new Problem("local-read-only", { path: folder, why }, { cause });
  }
}

/** Whether tickets of this repository are served here without being asked to be. */
export function hasTickets({ environment, folders }: LocalRepository): boolean {
  return [environment.database, folders.own, ...(folders.inRepo === undefined ? [] : [folders.inRepo])].some(
    isThere,
  );
}
const isThere = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

const Chosen = z.object({ base: z.string().min(1) });
const chosenFile = "base.json";

export interface Ground {
  /** The branch that tickets grow from and are merged into. */
  readonly base: string;
  /** What the person should know, a line each. */
  readonly notes: readonly string[];
}

/** Finds what tickets stand on, and refuses a repository that agents cannot work beside. `wanted`: named by the person. */
export async function groundOf(repository: LocalRepository, wanted: string | undefined): Promise<Ground> {
  const { git, top, folder } = repository;
  await refuseUnfit(repository);
  const branches = (await git(top, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads/")).out
    .split("\n")
    .filter((name) => name !== "" && !name.startsWith("forgehand/"));
  if (branches.length === 0 && !(await git(top, "rev-parse", "--verify", "-q", "HEAD^{commit}")).ok)
    throw new Problem("local-empty", { path: top });
  const known = branches.slice(0, 10).join(", ") || "none";
  const chosen = chosenIn(folder);
  const here = (await git(top, "symbolic-ref", "-q", "--short", "HEAD")).out.trim();
  const base = wanted ?? chosen ?? (here === "" ? await remoteDefault(repository, branches) : here);
  if (base === undefined)
    throw new Problem("local-no-base", {
      why: "No branch is checked out (HEAD is detached), and no remote names one.",
      known,
    });
  if (!branches.includes(base))
    throw new Problem("local-no-base", {
      why: `There is no branch ${base}${wanted === undefined && chosen !== undefined ? " any more, which tickets were merged into so far" : ""}.`,
      known,
    });
  if (chosen !== undefined && chosen !== base) {
    await refuseServed(repository, chosen);
    if (branches.includes(chosen)) refuseOpen(repository, chosen);
  }
  if (chosen !== base) writeWhole(join(folder, chosenFile), JSON.stringify({ base }));
  return { base, notes: await notesOf(repository, base, here) };
}

function chosenIn(folder: string): string | undefined {
  try {
    return Chosen.parse(JSON.parse(readFileSync(join(folder, chosenFile), "utf8"))).base;
  } catch {
    return undefined;
  }
}

/** Whoever serves does so on one base, and would merge into it whatever was asked for here. */
async function refuseServed({ environment }: LocalRepository, chosen: string): Promise<void> {
  const owner = await ownerOf(environment.database);
  if (owner !== undefined && !isDead(owner))
    throw new Failure(
      exitCodes.locked,
      `another forgehand (process ${owner.pid}) serves this repository on ${chosen}; end it before you name another base`,
    );
}

/** Pull requests that are open on the old base would be left behind by a new one. */
function refuseOpen({ folder }: LocalRepository, chosen: string): void {
  const open = openRecords(folder)
    .all()
    .flatMap((one) => (one.is === "pull" && one.open && one.base === chosen ? [one.branch] : []));
  if (open.length > 0) throw new Problem("local-base-in-use", { base: chosen, tickets: open.join(", ") });
}

async function remoteDefault(
  { git, top }: LocalRepository,
  branches: readonly string[],
): Promise<string | undefined> {
  const said = (await git(top, "symbolic-ref", "-q", "--short", "refs/remotes/origin/HEAD")).out.trim();
  const name = said.replace(/^origin\//u, "");
  return name !== "" && branches.includes(name) ? name : undefined;
}

async function refuseUnfit({ git, top }: LocalRepository): Promise<void> {
  const is = await git(top, "rev-parse", "--is-shallow-repository", "--show-object-format");
  if (!is.ok) {
    const why = `cannot be read by git: ${is.err.replaceAll(/\s+/gu, " ").trim().slice(0, 300)}`;
    throw new Problem("local-unfit", { path: top, why, fix: "Put that right, then try again." });
  }
  const [shallow, format] = is.out.split("\n");
  if (shallow === "true")
    throw new Problem("local-unfit", {
      path: top,
      why: "is a shallow clone",
      fix: "Fetch the rest: `git fetch --unshallow`.",
    });
  if (format !== "sha1")
    throw new Problem("local-unfit", {
      path: top,
      why: `keeps its objects as ${format ?? "something else"}`,
      fix: "Only sha1 repositories are served.",
    });
  const promisor = await git(top, "config", "--get-regexp", String.raw`^remote\..*\.promisor$`);
  if (promisor.out.includes("true"))
    throw new Problem("local-unfit", {
      path: top,
      why: "is a partial clone, which lacks objects",
      fix: "Make a whole one: `git clone URL` without --filter.",
    });
}

async function notesOf(
  { git, top }: LocalRepository,
  base: string,
  here: string,
): Promise<readonly string[]> {
  const status = (await git(top, "status", "--porcelain", "--untracked-files=no")).out.trim();
  const changed = status === "" ? 0 : status.split("\n").length;
  return [
    ...(here === "" ? [`HEAD is detached; tickets grow from ${base}`] : []),
    ...(here !== "" && here !== base
      ? [`you are on ${here}; tickets grow from ${base} and are merged into it (--base BRANCH names another)`]
      : []),
    ...(changed > 0
      ? [
          `${changed} uncommitted ${changed === 1 ? "change is" : "changes are"} no part of the work: agents see what is committed on ${base}`,
        ]
      : []),
  ];
}
