/** Which folders of this host an order needs elsewhere, where they lie there, and which of them come home. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { ProcessOrder } from "../processes/agent-process.ts";
import type { Confinement } from "./sandbox.ts";
import type { Travelling } from "./tree-home.ts";
import type { TreeListing } from "./tree-listing.ts";
import type { SentFolder } from "./tree-pack.ts";

export interface TravelPlan {
  /** None lies in another; a single file travels in a folder of its own. */
  readonly sent: readonly SentFolder[];
  /** Those that may be written; a name may lead into what is sent. */
  readonly home: readonly Travelling[];
  /** What would have to lie where for every path to be as it is here; outer ones first. */
  readonly mounts: readonly {
    readonly at: string;
    readonly name: string;
    readonly may: "read" | "write";
    readonly is: "file" | "folder";
  }[];
  /** What a path of this host is called there, given the folder everything is laid into. */
  pathsBelow(root: string): ReadonlyMap<string, string>;
  /** The listings of what comes home out of those of what was sent. */
  sentHome(listings: readonly TreeListing[]): readonly TreeListing[];
  /** The working folder is a repository's here. */
  readonly git: "repository" | "none";
}

/** Git stays here: the `.git` at the top of a worktree neither goes nor comes. */
const staysHere = ".git";

/** Plans the journey. What does not exist is not sent, unless the order may write it. */
export function travelPlan(order: Pick<ProcessOrder, "cwd">, { write, read }: Confinement): TravelPlan {
  const writable = outermost(write.map(real));
  const given = [...write, ...read, order.cwd];
  const wanted = given.map(real).filter((path) => existsSync(path) || writable.includes(path));
  const roots = outermost(wanted);
  const nameOf = (path: string): string => {
    const at = roots.findIndex((root) => isWithin(path, root));
    const root = roots[at] ?? "";
    return isFile(root) ? `f${at}/${basename(root)}` : `f${at}${path.slice(root.length)}`;
  };
  const keepers = [...new Set([...writable, real(order.cwd)])].map((path) => `${nameOf(path)}/${staysHere}`);
  const home = writable.map((path) => ({ name: nameOf(path), home: path, without: [staysHere] }));
  const places = [...new Set([...roots, ...writable, ...given])];
  return {
    mounts: places
      .filter((at) => roots.some((root) => isWithin(real(at), root)))
      .map((at) => ({
        at,
        name: nameOf(real(at)),
        may: writable.some((path) => isWithin(real(at), path)) ? ("write" as const) : ("read" as const),
        is: isFile(at) ? ("file" as const) : ("folder" as const),
      }))
      .toSorted((one, other) => one.at.length - other.at.length),
    sent: roots.map((from) => ({ name: nameOf(from), from, without: keepers })),
    home,
    pathsBelow: (root) =>
      new Map(
        [...given, ...given.map(real)]
          .filter((path) => roots.some((one) => isWithin(real(path), one)))
          .map((path) => [path, `${root}/${nameOf(real(path))}`]),
      ),
    sentHome: (listings) => home.map(({ name }) => part(listings, name)),
    git: existsSync(join(order.cwd, staysHere)) ? "repository" : "none",
  };
}

function part(listings: readonly TreeListing[], name: string): TreeListing {
  const [root = "", ...rest] = name.split("/");
  const listing = listings[Number(root.slice(1))] ?? new Map();
  const prefix = rest.length === 0 ? "" : `${rest.join("/")}/`;
  return new Map(
    [...listing].flatMap(([path, entry]) =>
      path.startsWith(prefix) ? [[path.slice(prefix.length), entry]] : [],
    ),
  );
}

/** Without those that lie in another. */
function outermost(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => other !== path && isWithin(path, other)));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
