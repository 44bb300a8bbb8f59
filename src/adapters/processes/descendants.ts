/** Follows everything that grows from a process, so that nothing outlives it by leaving its tree or its environment. */
import {
  endProcess,
  gone,
  isIn,
  isOfOurUser,
  ourLine,
  processAt,
  processIds,
  runIdOf,
  workspaceAt,
} from "./process-table.ts";
import type { ProcessSeen } from "./process-table.ts";

/**
 * Between two looks at who is there. Only who is new is read: on a busy host with a hundred processes this costs about a
 * third of a second of CPU a minute, however many agents are followed.
 */
const lookMs = 100;
/** Rounds of ending survivors: one that forks while it is being ended is caught by the next. */
const endRounds = 5;

interface Family {
  readonly runId: string;
  readonly folder: string | undefined;
  /** Start of the process itself: nothing older is its descendant. */
  readonly since: number;
  readonly members: Map<number, ProcessSeen>;
}

/** All that are followed in this process share one look. */
const families = new Set<Family>();
const known = new Set<number>();
let looking: NodeJS.Timeout | undefined;

/** A process that is followed. */
export interface Followed {
  /** Who belongs to it, as of the last look. */
  members(): readonly number[];
  /** Ends whoever is left of it: its descendants, whoever carries its `RUN_ID`, whoever is at work in its folder. */
  end(): Promise<readonly number[]>;
  /** It is over; call it last. */
  leave(): void;
}

/** Follows a process from its start; to be called in the same turn as it is started. */
export function follow(child: {
  readonly pid: number | undefined;
  readonly runId: string;
  /** Whoever is at work in it belongs to the process; undefined where other people work too. */
  readonly folder: string | undefined;
}): Followed {
  const first = child.pid === undefined ? undefined : processAt(child.pid);
  const family: Family = {
    runId: child.runId,
    folder: child.folder === undefined ? undefined : workspaceAt(child.folder),
    since: first?.start ?? Number.POSITIVE_INFINITY,
    members: new Map(first === undefined ? [] : [[first.pid, first]]),
  };
  families.add(family);
  looking ??= setInterval(look, lookMs).unref();
  return {
    members: () => [...family.members.keys()],
    end: () => endFamily(family),
    leave: () => {
      families.delete(family);
      if (families.size > 0) return;
      clearInterval(looking);
      looking = undefined;
      known.clear();
    },
  };
}

/** Ends whoever of our user is at work in these folders; for a time when nobody should be. */
export async function endThoseIn(folders: readonly string[]): Promise<readonly number[]> {
  const found = folders.flatMap((folder) => workspaceAt(folder) ?? []);
  return endAll(() =>
    found.length === 0
      ? []
      : strangers(undefined).filter(({ pid }) => found.some((folder) => isIn(pid, folder, "closely"))),
  );
}

/** Ends whoever carries this `RUN_ID` and is not followed: what a process of ours that is gone left, or what hid well. */
export function endMarked(runId: string): Promise<readonly number[]> {
  return endAll(() => strangers(undefined).filter(({ pid }) => runIdOf(pid) === runId));
}

function endFamily(family: Family): Promise<readonly number[]> {
  const { members, runId, folder, since } = family;
  return endAll(() => {
    const others = strangers(family).filter(
      ({ pid, start }) =>
        runIdOf(pid) === runId || (start >= since && folder !== undefined && isIn(pid, folder, "closely")),
    );
    return [...members.values(), ...others];
  });
}

/** Ends what is found, looking again until nothing is; answers which. */
export async function endAll(find: () => readonly ProcessSeen[]): Promise<readonly number[]> {
  const ended: ProcessSeen[] = [];
  for (let round = 0; round < endRounds; round += 1) {
    const found = new Map(find().map((one) => [one.pid, one]));
    const now = [...found.values()].filter((one) => endProcess(one) === "ended");
    if (now.length === 0) break;
    ended.push(...now);
    await gone(now);
  }
  return ended.map(({ pid }) => pid);
}

/**
 * Processes of our user that are neither us nor in another family that is still at work. Only who was there when families
 * were looked through is among them: who began since may belong to one.
 */
function strangers(but: Family | undefined): readonly ProcessSeen[] {
  const there = look();
  const spared = new Set(ourLine());
  for (const family of families) if (family !== but) for (const pid of family.members.keys()) spared.add(pid);
  return there.flatMap((pid) => {
    const found = spared.has(pid) || !isOfOurUser(pid) ? undefined : processAt(pid);
    return found ?? [];
  });
}

/** Reads who is new, and takes in whoever belongs to a family; answers who is there. */
function look(): readonly number[] {
  const there = processIds();
  // Whoever is remembered while nobody looks could be somebody else by the next look.
  if (families.size === 0) return there;
  const now = new Set(there);
  for (const pid of known) if (!now.has(pid)) known.delete(pid);
  for (const { members } of families)
    for (const [pid, { group, session }] of members)
      // Who led a group or a session may be gone before those who stay in it.
      if (!now.has(pid) && group !== pid && session !== pid) members.delete(pid);
  let fresh: ProcessSeen[] = [];
  for (const pid of now) {
    if (known.has(pid)) continue;
    known.add(pid);
    const found = processAt(pid);
    if (found !== undefined) fresh.push(found);
  }
  for (let taken = -1; taken !== 0;) {
    const rest = fresh.filter((one) => !takenIn(one, descends));
    taken = fresh.length - rest.length;
    fresh = rest;
  }
  // Its parent was gone before we looked; it may not have shed everything yet.
  for (const one of fresh)
    // Agents side by side in one run carry the same mark: then its folder tells whose it is.
    if (!takenIn(one, isMarkedAtHome) && !takenIn(one, isMarked)) takenIn(one, isAtHome);
  return there;
}

function takenIn(one: ProcessSeen, belongs: (one: ProcessSeen, family: Family) => boolean): boolean {
  for (const family of families) {
    if (one.start < family.since || !belongs(one, family)) continue;
    family.members.set(one.pid, one);
    return true;
  }
  return false;
}

/** A child of a member, or in a group or session that one leads or led. */
const descends = ({ pid, parent, group, session, start }: ProcessSeen, { members }: Family): boolean =>
  members.get(pid)?.start === start ||
  [parent, group, session].some((other) => {
    const member = members.get(other);
    if (member === undefined) return false;
    // Gone is fine; somebody else under its pid is not.
    const there = processAt(other);
    return there === undefined || there.start === member.start;
  });

const isMarked = ({ pid }: ProcessSeen, { runId }: Family): boolean => runIdOf(pid) === runId;

const isAtHome = ({ pid }: ProcessSeen, { folder }: Family): boolean =>
  folder !== undefined && isOfOurUser(pid) && isIn(pid, folder, "standing");

const isMarkedAtHome = (one: ProcessSeen, family: Family): boolean =>
  isMarked(one, family) && isAtHome(one, family);
