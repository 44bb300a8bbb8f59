import type { Loop } from "./loop.ts";
import { openLoop } from "./loop.ts";
import { dayStart, leftOf, pursesOf, reserveOf, type DayCaps, type Payer } from "./day.ts";
import type { Blocked } from "../store/blockers.ts";
import { linearIssueOf } from "../state-machine/ticket-id.ts";
import type { Upon } from "../state-machine/ticket.ts";
import type { Stored } from "../store/tickets.ts";
import { holdIfBlocked } from "./blockers.ts";
import { awaitingOnboarding } from "./onboarding.ts";
import { followStacks, stackFor } from "./stack.ts";
import type { RepoRules, Workshop } from "./workshop.ts";

export interface Candidate {
  readonly ticket: string;
  readonly repo: number;
  /** Rework goes before new work: finish before you start. */
  readonly isRework: boolean;
  /** 1 to 4; who has none goes last. */
  readonly priority: number | undefined;
  readonly queuedAt: number;
  readonly reserveUsd: number;
  /** Whose day pays for it, by name. */
  readonly purses: readonly string[];
}
export interface Room {
  /** Agents this host may run at once, and how many do. */
  readonly agents: number;
  readonly working: number;
  readonly workingIn: ReadonlyMap<number, number>;
  readonly agentsIn: (repo: number) => number;
  /** What is left of the day in each purse that has a cap. */
  readonly leftUsd: ReadonlyMap<string, number>;
}

/**
 * Who may start now: rework first, then the repository with the fewest at work, then by priority, then who waited longest.
 * Money is set aside as it is promised, so that a batch never passes a day's cap.
 */
export function choose(candidates: readonly Candidate[], room: Room): readonly Candidate[] {
  const chosen: Candidate[] = [];
  const workingIn = new Map(room.workingIn);
  let slots = room.agents - room.working;
  const left = new Map(room.leftUsd);
  const pays = ({ purses, reserveUsd }: Candidate): boolean =>
    purses.every((purse) => reserveUsd <= (left.get(purse) ?? Infinity));
  const waiting = [...candidates];
  while (slots > 0 && waiting.length > 0) {
    waiting.sort(
      (one, other) =>
        Number(other.isRework) - Number(one.isRework) ||
        (workingIn.get(one.repo) ?? 0) - (workingIn.get(other.repo) ?? 0) ||
        (one.priority ?? last) - (other.priority ?? last) ||
        one.queuedAt - other.queuedAt ||
        byNumber.compare(one.ticket, other.ticket),
    );
    const index = waiting.findIndex(
      (candidate) => (workingIn.get(candidate.repo) ?? 0) < room.agentsIn(candidate.repo) && pays(candidate),
    );
    const [next] = index === -1 ? [] : waiting.splice(index, 1);
    if (next === undefined) break;
    chosen.push(next);
    workingIn.set(next.repo, (workingIn.get(next.repo) ?? 0) + 1);
    slots -= 1;
    for (const purse of next.purses) left.set(purse, (left.get(purse) ?? Infinity) - next.reserveUsd);
  }
  return chosen;
}

/** #9 before #10. */
const byNumber = new Intl.Collator("en", { numeric: true });
/** After every priority there is. */
const last = 5;

/** What blocks a ticket is asked about again after this time, should nobody tell us that it is done. */
const doubtMs = 300_000;

/** Looks again at least this often, because a day turns and labels of other tickets change. */
const lookMs = 30_000;
/** And this soon while anything is halted. */
const haltLookMs = 2_000;
/** And this soon while a ticket waits for its old worktree to go. */
const cleanLookMs = 1_000;

/** Grants slots: an inbox item per granted ticket, named by the version it was granted to, so that it is granted once. */
export function openSchedule(shop: Workshop): Loop {
  const { store, clock, limits, log } = shop;
  return openLoop({
    name: "schedule",
    clock,
    log,
    work: async () => {
      const now = clock.now();
      let again = now + lookMs;
      const halts = await store.halts();
      // An operator lifts a halt in another process, which cannot poke us.
      if (halts.everything.length + halts.repos.length > 0) again = now + haltLookMs;
      if (halts.everything.length > 0) return again;
      await followStacks(shop);
      const granted = await store.grantedSlots();
      const queued = await store.ticketsAtHand(["Ready", "Rework"]);
      const paused = await store.ticketsWithTimer("objections");
      // What the outbox still has to drop must be gone before a run works there.
      const unclean = await store.ticketsToClean();
      const blocked = await stillBlocked(shop, queued, now);
      if (queued.some(({ ticket }) => unclean.has(ticket.id))) again = now + cleanLookMs;
      const out = new Set((await shop.linear.tokens.signedOut()).map(({ workspace }) => workspace));
      const unsettled = await awaitingOnboarding(
        store,
        queued.map(({ repo }) => repo),
      );
      const waiting = queued.filter(
        (stored) =>
          isFree(stored) &&
          // Proposed to its people and not agreed to yet; what has begun is finished.
          (isRework(stored) || !unsettled.has(stored.repo)) &&
          // Nothing new begins where it could not be told of; who is at work ends the turn.
          !out.has(linearIssueOf(stored.ticket.id)?.workspace ?? "") &&
          !granted.has(stored.ticket.id) &&
          !unclean.has(stored.ticket.id) &&
          !(isRework(stored) && paused.has(stored.ticket.id)) &&
          !blocked.has(stored.ticket.id),
      );
      if (waiting.length === 0) return again;
      const halted = new Set(halts.repos.map(({ repo }) => repo));
      // A slot that was granted is taken, whether or not its ticket has heard of it.
      const working = [
        ...(await store.ticketsAtHand(["Gate", "In Progress", "Adversarial Review"])),
        ...queued.filter(({ ticket }) => granted.has(ticket.id)),
      ];
      const repos = new Map(
        (await store.knownRepos()).map((repo) => {
          const rules = shop.rulesOf(repo);
          return [repo.id, { ...rules, owner: repo.owner }];
        }),
      );
      const spending = await store.spendingSince(dayStart(now));
      await warnOnce(
        shop,
        spending.reduce((sum, { spentUsd }) => sum + spentUsd, 0),
        now,
      );
      const candidates = waiting.flatMap((stored) => {
        const rules = repos.get(stored.repo);
        return rules === undefined || rules.problems.length > 0 || halted.has(stored.repo)
          ? []
          : [candidateOf(stored, rules, limits)];
      });
      const chosen = choose(candidates, {
        agents: limits.agents,
        working: working.length,
        workingIn: countBy(working),
        agentsIn: (repo) => repos.get(repo)?.config.limits.concurrency ?? 1,
        leftUsd: leftOf(
          spending,
          candidates.map(({ payer }) => payer),
          limits,
        ),
      });
      const ready = waiting.filter(({ ticket }) => chosen.some((one) => one.ticket === ticket.id));
      const answers = await Promise.all(ready.map((stored) => grant(shop, stored)));
      if (answers.includes("yes")) shop.poke("intake");
      // A slot that one could not take is another's.
      return answers.includes("no") ? now : again;
    },
  });
}

/** Gives a ticket its slot, unless what it depends on is not done. Named by its version, so that it is granted once. */
async function grant(shop: Workshop, stored: Stored): Promise<"yes" | "no"> {
  const { store, clock, log } = shop;
  const { id: ticket } = stored.ticket;
  const repo = isRework(stored) ? undefined : await store.repoById(stored.repo);
  let upon: Upon | undefined;
  try {
    // Once begun it is finished, whatever is opened again.
    const standing = repo && (await holdIfBlocked(shop, stored, repo));
    if (standing?.is === "blocked") return "no";
    upon = standing?.upon;
  } catch (error) {
    // Whatever it is: what one ticket's reading meets must not keep the others from their slots.
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ ticket, error: why }, "what a ticket depends on could not be read; it waits");
    const by = [{ ref: "what it depends on", is: "unseen" }] as const;
    await store.keepBlockers(ticket, { version: stored.version, at: clock.now() - doubtMs + lookMs, by });
    return "no";
  }
  await store.receive({
    id: `slot:${ticket}:${stored.version}`,
    source: "schedule",
    name: "slot.granted",
    ticket,
    body: JSON.stringify({ type: "slot.granted", ...(upon === undefined ? {} : { upon }) }),
    receivedAt: clock.now(),
  });
  return "yes";
}

/** Those of the queue that need not be asked about: blocked a short while ago, and by nothing that they can be stacked on now. */
async function stillBlocked(
  shop: Workshop,
  queued: readonly Stored[],
  now: number,
): Promise<ReadonlySet<string>> {
  const { store } = shop;
  const known = await store.blockedTickets();
  const found = new Set<string>();
  for (const stored of queued) {
    const blocked = known.get(stored.ticket.id);
    if (blocked === undefined || !isBlocked(stored, blocked, now)) continue;
    const repo = await store.repoById(stored.repo);
    const upon = repo && (await stackFor(store, stored, shop.rulesOf(repo).config, blocked.by));
    if (upon === undefined) found.add(stored.ticket.id);
  }
  return found;
}

/** As was found a short while ago, of the ticket as it still is. */
const isBlocked = (stored: Stored, known: Blocked, now: number): boolean =>
  stored.ticket.state === "Ready" && known.version === stored.version && now < known.at + doubtMs;

/** Says once a day that much has been spent; what stops is the day's cap. */
async function warnOnce({ store, limits, log }: Workshop, spentUsd: number, now: number): Promise<void> {
  if (spentUsd < limits.dayWarnUsd) return;
  const day = String(dayStart(now));
  if ((await store.setting("day-warned"))?.value === day) return;
  await store.set("day-warned", day, "schedule", now);
  log.warn(
    { spentUsd, warnUsd: limits.dayWarnUsd, stopUsd: limits.dayStopUsd },
    "much is spent today; at the stop nothing new starts until midnight UTC",
  );
}

const isFree = ({ ticket }: Stored): boolean =>
  !ticket.halted && !ticket.held && ticket.runtime !== "contested";

const isRework = ({ ticket }: Stored): boolean => ticket.state === "Rework";

const candidateOf = (
  stored: Stored,
  { config, owner }: RepoRules & { readonly owner: string },
  caps: DayCaps,
): Candidate & { readonly payer: Payer } => {
  const { ticket, repo } = stored;
  const payer: Payer = {
    id: repo,
    owner,
    workspace: linearIssueOf(ticket.id)?.workspace,
    dayUsd: config.limits.day_usd,
  };
  return {
    ticket: ticket.id,
    repo,
    payer,
    isRework: isRework(stored),
    priority: stored.priority,
    queuedAt: stored.queuedAt ?? stored.since,
    reserveUsd: reserveOf(ticket.allowance, config.limits.run_usd, payer, caps),
    purses: pursesOf(payer),
  };
};

function countBy(tickets: readonly Stored[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { repo } of tickets) counts.set(repo, (counts.get(repo) ?? 0) + 1);
  return counts;
}
