/** The bare mirror of a repository, and what the remote itself says of its branches. */
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Trouble } from "../../ports.ts";
import type { Remote } from "../../ports.ts";
import type { SeenTips } from "../../ports-threads.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import { contain, discard, kindAt, textOf, placeOf, requireSha, verify } from "./paths.ts";
import type { Place } from "./paths.ts";
import { nothing, resolve } from "./commits.ts";
import { remoteRefs } from "./ls-refs.ts";
import type { Git } from "./run.ts";
import { mirrorPath, networkTo, together } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** The mirror's whole configuration: written over whatever an agent may have put there. */
const mirrorConfig = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
/** Files in a mirror that change what git shows or runs, and that we never write. */
const neverOurs = ["hooks", "info", "shallow", "commondir", "objects/info/alternates"];

/** Suffix of a mirror that is being made. */
export const halfMirror = ".making";

/** The mirror of this repository, made when missing, its configuration ours. */
export async function mirrorFor(yard: Yard, remote: Remote): Promise<string> {
  const mirror = mirrorPath(yard, remote);
  contain(yard.root, mirror);
  return yard.locked(mirror, async () => {
    if (kindAt(mirror) === "nothing") {
      // Renamed when whole, so that a crash leaves no half mirror under the real name.
      const half = `${mirror}${halfMirror}`;
      await rm(half, { recursive: true, force: true });
      await mkdir(half, { recursive: true, mode: 0o700 });
      await yard.git({ in: { mirror: half } }, "init", "--bare", "--template=");
      await rename(half, mirror);
      yard.known.forget(mirror);
    }
    await trustMirror(mirror);
    return mirror;
  });
}

/** Puts the mirror's configuration back to ours, and takes away what could change what git shows. */
export async function trustMirror(mirror: string): Promise<void> {
  const path = join(mirror, "config");
  await together(neverOurs.map((name) => discard(join(mirror, name))));
  if (textOf(path) === mirrorConfig.trim()) return;
  // Whole at once, and through no link that takes its place meanwhile.
  const ours = `${path}.${randomUUID()}`;
  await writeFile(ours, mirrorConfig, { flag: "wx" });
  if (kindAt(path) === "directory") await discard(path);
  await rename(ours, path);
}

/**
 * Begins each order to a remote with a configuration of ours, though an agent wrote in the mirror while the token was fetched.
 * Against one that writes there all the time stands what `run.ts` says of the network.
 */
export const trusting =
  (git: Git): Git =>
  async (order, ...argv) => {
    if (order.network !== undefined) await trustMirror(order.in.mirror);
    return await git(order, ...argv);
  };

/** The place of a worktree that was handed out before, refused when its ties were changed since. */
export async function opened(yard: Yard, path: string): Promise<Place> {
  const at = placeOf(yard.root, path);
  verify(at);
  await trustMirror(at.mirror);
  return at;
}

/** Asks the remote where its branches are: refs in the mirror are an agent's to forge. */
export async function lookAt(yard: Yard, mirror: string, remote: Remote, branch: string): Promise<SeenTips> {
  const network = await networkTo(yard, remote, "read");
  const main = `refs/heads/${remote.repo.defaultBranch}`;
  const found = await remoteRefs(yard, { in: { mirror }, network }, [main, `refs/heads/${branch}`]);
  const tip = found.get(main);
  if (tip === undefined)
    throw new Trouble(
      "git-no-default",
      `${remote.repo.owner}/${remote.repo.name} has no branch ${remote.repo.defaultBranch}. Push a first commit to it, or name another default branch.`,
      { permanent: true },
    );
  if (yard.records.defaultTip(mirror) !== tip) await yard.records.keepDefaultTip(mirror, tip);
  if (remote.upon !== undefined) requireSha(remote.upon);
  return { default: tip, branch: found.get(`refs/heads/${branch}`), base: remote.upon ?? tip };
}

/** Fetches the two branches, unless what they point at is here already; then says what these names are here. */
export async function fetchTips(
  yard: Yard,
  where: { readonly mirror: string },
  remote: Remote,
  order: { readonly branch: string; readonly tips: SeenTips; readonly names?: readonly string[] },
): Promise<readonly (Sha | undefined)[]> {
  const { branch, tips, names = [] } = order;
  const wanted = [tips.default, tips.base, ...(tips.branch === undefined ? [] : [tips.branch])];
  // One process answers both questions.
  const look = async () => {
    const found = await resolve(yard, where, [...wanted, ...names]);
    return found.slice(0, wanted.length).includes(undefined) ? undefined : found.slice(wanted.length);
  };
  const here = await look();
  if (here !== undefined) return here;
  const main = remote.repo.defaultBranch;
  const branches = tips.branch === undefined ? [main] : [...new Set([main, branch])];
  await fetchRefs(yard, where.mirror, remote, branches);
  if (tips.base !== tips.default) await fetchCommit(yard, where.mirror, remote, tips.base);
  const fetched = await look();
  if (fetched !== undefined) return fetched;
  throw new Trouble("git-moving", `The branches of ${remote.url} moved while they were read.`);
}

async function fetchRefs(
  yard: Yard,
  mirror: string,
  remote: Remote,
  branches: readonly string[],
): Promise<void> {
  const order = { in: { mirror }, network: await networkTo(yard, remote, "read") };
  const argv = [
    "fetch",
    "--no-tags",
    "--no-write-fetch-head",
    remote.url,
    ...branches.map((name) => `+refs/heads/${name}:refs/remotes/origin/${name}`),
  ];
  try {
    await yard.git(order, ...argv);
  } catch (error) {
    if (!(error instanceof Trouble) || !/cannot lock ref|unable to (create|resolve)/.test(error.message))
      throw error;
    // An old branch `a` stands in the way of a new `a/b`. These refs are a convenience for agents; nothing is decided by them.
    await rm(join(mirror, "refs", "remotes"), { recursive: true, force: true });
    await yard.git(order, ...argv);
  }
}

/** Makes sure that this commit is here; asks the remote only when it is not. */
export async function fetchCommit(yard: Yard, mirror: string, remote: Remote, head: Sha): Promise<void> {
  if ((await resolve(yard, { mirror }, [head]))[0] !== undefined) return;
  const order = { in: { mirror }, network: await networkTo(yard, remote, "read") };
  const main = remote.repo.defaultBranch;
  await lookAt(yard, mirror, remote, main);
  await yard.git(
    order,
    "fetch",
    "--no-tags",
    "--no-write-fetch-head",
    remote.url,
    `+refs/heads/${main}:refs/remotes/origin/${main}`,
    head,
  );
}

/** A head, here, with its files and what it is compared with; one process says it all where nothing has to be fetched. */
export async function headAndBase(
  yard: Yard,
  mirror: string,
  remote: Remote,
  head: Sha,
): Promise<{ readonly tree: Sha; readonly from: Sha }> {
  if (remote.upon !== undefined) requireSha(remote.upon);
  const look = async () => {
    const known = remote.upon ?? yard.records.defaultTip(mirror);
    const [tree, from] = await resolve(yard, { mirror }, [`${head}^{tree}`, known ?? nothing]);
    return tree === undefined || from === undefined ? undefined : { tree, from };
  };
  const here = await look();
  if (here !== undefined) return here;
  await fetchCommit(yard, mirror, remote, head);
  await knownBase(yard, mirror, remote);
  const fetched = await look();
  if (fetched !== undefined) return fetched;
  throw new Trouble("git-moving", `The branches of ${remote.url} moved while they were read.`);
}

/** What a head is compared with: the default branch where it was when the remote was last asked, or what it is stacked on. */
async function knownBase(yard: Yard, mirror: string, remote: Remote): Promise<Sha> {
  if (remote.upon !== undefined) {
    requireSha(remote.upon);
    await fetchCommit(yard, mirror, remote, remote.upon);
    return remote.upon;
  }
  const known = yard.records.defaultTip(mirror);
  if (known !== undefined && (await resolve(yard, { mirror }, [known]))[0] !== undefined) return known;
  const main = remote.repo.defaultBranch;
  const tips = await lookAt(yard, mirror, remote, main);
  await fetchTips(yard, { mirror }, remote, { branch: main, tips });
  return tips.default;
}
