/** A ticket's worktree: made once, found as it was left, and never deleted while it may hold work. */
import { mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Hooked, Remote, Worktree } from "../../ports.ts";
import type { SeenTips } from "../../ports-threads.ts";
import type { Sha, TicketId } from "../../state-machine/ticket.ts";
import { compare } from "./compare.ts";
import { fetchTips, lookAt, mirrorFor } from "./mirror.ts";
import { openedWide } from "./modes.ts";
import { discard, kindAt, requireBranch, verify } from "./paths.ts";
import type { Place } from "./paths.ts";
import { isOursAlone } from "./update.ts";
import type { TreeRecord } from "./records.ts";
import { placeTrouble } from "./trouble.ts";
import { contains, grownFrom, mergeBase, nothing, resolve } from "./commits.ts";
import { treePlace } from "./yard.ts";
import type { Yard } from "./yard.ts";

/** The ticket's worktree on its branch, with everything the remote has on it. */
export async function prepare(
  yard: Yard,
  order: {
    readonly ticket: TicketId;
    readonly remote: Remote;
    readonly branch: string;
    readonly hooks: Hooked;
    /** Asked for when it is not given. What was seen some time ago moves nothing that stands here. */
    readonly seen?: SeenTips | undefined;
  },
): Promise<Worktree> {
  const { remote, branch } = order;
  requireBranch(branch);
  const mirror = await mirrorFor(yard, remote);
  const at = treePlace(yard, remote, order.ticket);
  await standing(yard, at);
  const look = () => lookAt(yard, mirror, remote, branch);
  let tips = order.seen ?? (await look());
  const { record, head } = await yard.locked(mirror, async () => {
    const found = await standing(yard, at);
    const where = found === "whole" ? at : { mirror };
    const names = [`refs/heads/${branch}`, "HEAD"];
    const fetch = () => fetchTips(yard, where, remote, { branch, tips, names });
    const [local, checkedOut] = await fetch().catch(async (error: unknown) => {
      if (order.seen === undefined) throw error;
      // What was seen then can be had from nobody any more.
      tips = await look();
      return await fetch();
    });
    const tree = { branch, tips, local, upon: remote.upon };
    if (found === "whole") {
      const isStill = order.seen !== undefined;
      return catchUp(yard, at, { ...tree, head: checkedOut, isStill });
    }
    if (found === "half-made") await clear(yard, at);
    return make(yard, at, tree);
  });
  const isHooking = !record.hooked && order.hooks.afterCreate !== undefined;
  if (!record.hooked) {
    // Kept only after it succeeded: the hook runs again after a crash in it.
    await yard.hook("after_create", order.hooks.afterCreate, at, order.hooks);
    await yard.records.keepTree(at, { ...record, hooked: true });
  }
  const base = await grownFrom(yard, at, { head, from: tips.base });
  // A hook may take minutes, in which people push.
  return {
    path: at.path,
    head,
    base,
    branch,
    seen: isHooking || order.seen !== undefined ? undefined : tips,
  };
}

/** What there is at a worktree's place. Anything that may hold somebody's work and is not ours to read is trouble. */
export async function standing(yard: Yard, at: Place): Promise<"nothing" | "half-made" | "whole"> {
  const kind = kindAt(at.path);
  if (kind !== "nothing" && kind !== "directory")
    throw placeTrouble(
      "git-path",
      `${at.path} is a ${kind} where a worktree belongs. Move it away and try again.`,
    );
  if (kind === "nothing" || (await readdir(at.path)).length === 0) return "nothing";
  const record = yard.records.tree(at);
  if (record?.is === "making") {
    if (await isUntouched(yard, at, record)) return "half-made";
    throw leftover(at, "making it was cut short, and files in it were changed since");
  }
  if (kindAt(at.admin) === "nothing") throw leftover(at, "its git data is missing from the mirror");
  if (kindAt(join(at.admin, "locked")) !== "nothing") throw leftover(at, "somebody locked it");
  verify(at);
  return "whole";
}

const leftover = (at: Place, why: string) =>
  placeTrouble(
    "git-leftover",
    `${at.path} holds files, but ${why}. Save what matters from it, remove the directory and try again.`,
  );

/** Git alone wrote here: nothing was added, and at most the one file it was writing when it was killed is cut short. */
async function isUntouched(yard: Yard, at: Place, record: TreeRecord): Promise<boolean> {
  if ((await resolve(yard, { mirror: at.mirror }, [record.start]))[0] === undefined) return false;
  const { changed, missing, extra } = await compare(
    yard,
    { ...at, admin: at.mirror },
    record.start,
    "with ignored",
  );
  return extra.length === 0 && (changed.length === 0 || (changed.length === 1 && missing.length > 0));
}

interface Branch {
  readonly branch: string;
  readonly tips: SeenTips;
  /** Where the branch is in the mirror. */
  readonly local: Sha | undefined;
  readonly upon: Sha | undefined;
}
interface Found {
  readonly record: TreeRecord;
  readonly head: Sha;
}

async function make(yard: Yard, at: Place, { branch, tips, local, upon }: Branch): Promise<Found> {
  const start = await startOf(yard, at, local, tips);
  const ground = await groundOf(yard, at, { tips, head: start, record: undefined });
  const record: TreeRecord = { is: "making", branch, start, hooked: false, ground, upon };
  await clear(yard, at);
  await mkdir(dirname(at.path), { recursive: true });
  await yard.records.keepTree(at, record);
  await yard.git(
    { in: { mirror: at.mirror } },
    "worktree",
    "add",
    "--no-track",
    "-B",
    branch,
    at.path,
    start,
  );
  const whole: TreeRecord = { ...record, is: "whole" };
  await yard.records.keepTree(at, whole);
  return { record: whole, head: start };
}

/** Where a branch starts: at its own unpublished work when there is any, else where the remote has it. */
async function startOf(yard: Yard, at: Place, local: Sha | undefined, tips: SeenTips): Promise<Sha> {
  const theirs = tips.branch ?? tips.base;
  if (local === undefined) return theirs;
  return (await contains(yard, { mirror: at.mirror }, { older: local, newer: theirs })) ? theirs : local;
}

/** Takes over what others pushed to the branch, as long as nothing of ours is in the way. */
async function catchUp(
  yard: Yard,
  at: Place,
  {
    branch,
    tips,
    local,
    upon,
    head,
    isStill,
  }: Branch & { readonly head: Sha | undefined; readonly isStill: boolean },
): Promise<Found> {
  if (head === undefined)
    throw placeTrouble(
      "git-tampered",
      `No commit is checked out in ${at.path}. Check out ${branch} there and try again.`,
    );
  const known = yard.records.tree(at);
  // The record was lost: what we can see is whole, and nothing counts as published until the remote says so.
  const record: TreeRecord = known ?? { is: "whole", branch, start: head, hooked: false };
  const standsOn = async (now: Sha): Promise<Found> => {
    const ground = await groundOf(yard, at, { tips, head: now, record });
    // What was never published is put upon another base by `takeTheirs`, which can leave something to be settled.
    const next = tips.branch === undefined ? { ...record, ground } : { ...record, ground, upon };
    if (known === undefined || ground !== known.ground || next.upon !== known.upon)
      await yard.records.keepTree(at, next);
    return { record: next, head: now };
  };
  const theirs = tips.branch;
  if (isStill || theirs === undefined || head !== local || head === theirs) return standsOn(head);
  const isBehind = await contains(yard, at, { older: head, newer: theirs });
  const isReplaced =
    !isBehind && record.published === head && (await isOursAlone(yard, at, tips.base, theirs));
  if (!isBehind && !isReplaced) return standsOn(head);
  if ((await yard.git({ in: at }, "status", "--porcelain", "-z")) !== "") return standsOn(head);
  // All that stood here was published, and the host itself wrote it anew upon the newest base.
  if (isReplaced) {
    await openedWide(yard, at, () => yard.git({ in: at }, "reset", "--hard", theirs));
    return standsOn(theirs);
  }
  await openedWide(yard, at, () =>
    yard.git({ in: at }, "merge", "--ff-only", "--no-stat", "--no-verify", theirs),
  );
  return standsOn(theirs);
}

/** Where our own writing begins: never at a commit that only this host has, for an agent may have made it. */
async function groundOf(
  yard: Yard,
  at: Place,
  {
    tips,
    head,
    record,
  }: { readonly tips: SeenTips; readonly head: Sha; readonly record: TreeRecord | undefined },
): Promise<Sha> {
  const where = { mirror: at.mirror };
  const isOn = (older: Sha): Promise<boolean> => contains(yard, where, { older, newer: head });
  if (tips.branch !== undefined && (await isOn(tips.branch))) {
    // Somebody took commits back that we stood on: they are not ours to write again.
    const stoodOn = record?.ground;
    const isTakenBack =
      stoodOn !== undefined &&
      (await isOn(stoodOn)) &&
      (await contains(yard, where, { older: tips.branch, newer: stoodOn }));
    return isTakenBack ? stoodOn : tips.branch;
  }
  if (record?.ground !== undefined) return record.ground;
  if (record?.published !== undefined && (await isOn(record.published))) return record.published;
  return (await mergeBase(yard, where, head, tips.base)) ?? tips.base;
}

/** Removes the worktree, unless that could lose something. */
export async function drop(
  yard: Yard,
  order: { readonly ticket: TicketId; readonly remote: Remote; readonly hooks: Hooked },
): Promise<"dropped" | { readonly is: "kept"; readonly why: string }> {
  const { remote } = order;
  const mirror = await mirrorFor(yard, remote);
  const at = treePlace(yard, remote, order.ticket);
  const found = await standing(yard, at);
  const record = yard.records.tree(at);
  if (found === "whole") {
    const branch = record?.branch ?? "";
    const why = await unpublished(yard, at, remote, record);
    if (why !== undefined) return { is: "kept", why };
    await yard.hook("before_remove", order.hooks.beforeRemove, at, order.hooks);
    await yard.locked(mirror, async () => {
      await clear(yard, at);
      // A branch left behind would shadow what the remote has when the ticket comes back.
      if (branch !== "") await yard.git({ in: { mirror } }, "update-ref", "-d", `refs/heads/${branch}`);
    });
  } else await yard.locked(mirror, () => clear(yard, at));
  await yard.records.forget(at);
  return "dropped";
}

/** Why this worktree holds something that exists nowhere else; undefined when the remote has it all. */
async function unpublished(
  yard: Yard,
  at: Place,
  remote: Remote,
  record: TreeRecord | undefined,
): Promise<string | undefined> {
  const branch = record?.branch;
  const [head, tip] = await resolve(yard, at, [
    "HEAD",
    branch === undefined ? nothing : `refs/heads/${branch}`,
  ]);
  if (head === undefined) return `no commit is checked out in ${at.path}`;
  const { changed, missing, extra } = await compare(yard, at, head, "without ignored");
  const files = [...changed, ...missing, ...extra];
  if (files.length > 0)
    return `uncommitted changes in ${at.path}: ${files.slice(0, 3).join(", ")}${files.length > 3 ? ", …" : ""}`;
  const tips = await lookAt(yard, at.mirror, remote, branch ?? remote.repo.defaultBranch);
  const asked = { branch: branch ?? remote.repo.defaultBranch, tips };
  await yard.locked(at.mirror, () => fetchTips(yard, { mirror: at.mirror }, remote, asked));
  const safe = [tips.default, ...(tips.branch === undefined ? [] : [tips.branch])];
  // Another ticket's head, which that one published.
  if (record?.upon !== undefined) safe.push(record.upon);
  // A squash merge leaves our commits on no branch; that the remote once took them is then all that can be known.
  if (tips.branch === undefined && record?.published !== undefined) safe.push(record.published);
  for (const ours of new Set([head, tip ?? head])) {
    const kept = await Promise.all(safe.map((newer) => contains(yard, at, { older: ours, newer })));
    if (!kept.includes(true))
      return `commits in ${at.path} up to ${ours.slice(0, 7)} that the remote does not have`;
  }
  return undefined;
}

/** Deletes the worktree and its git data, whatever they are and however they were closed. */
export async function clear(yard: Yard, at: Place): Promise<void> {
  await openedWide(yard, at, async () => {
    for (const path of [at.path, at.admin]) await discard(path);
  });
}
