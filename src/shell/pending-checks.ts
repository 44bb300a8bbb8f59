import type { CheckFact, PullFacts } from "../ports.ts";
import type { PendingChecks } from "../state-machine/explain.ts";
import type { Ticket } from "../state-machine/ticket.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { shown } from "../untrusted.ts";

/** Written by us below. */
interface Kept {
  readonly head: string;
  readonly pending: PendingChecks;
}
const keyOf = (ticket: string): string => `checks pending ${ticket}`;
/** Characters of a name, which the repository chooses. */
const maxName = 60;
/** Checks whose names are kept and told; a matrix has hundreds, and of more there is the number. */
const maxNamed = 5;

/** Keeps which checks of a pull request are not over, for every place that tells what its ticket waits for. */
export async function keepPending(
  store: Store,
  stored: Stored | undefined,
  pull: PullFacts | undefined,
): Promise<void> {
  if (stored === undefined || pull === undefined || pull.head !== stored.ticket.head) return;
  const kept: Kept = { head: pull.head, pending: pendingOf(pull.checkList) };
  const key = keyOf(stored.ticket.id);
  const before = await store.recall(key);
  const text = JSON.stringify(kept);
  if (before === text || (before === undefined && kept.pending.count === 0)) return;
  await store.remember(key, text);
}

/** Those that hold a merge: where any are required, only they do. Each once, and first those that nothing has reported. */
function pendingOf(checks: readonly CheckFact[]): PendingChecks {
  const someAreRequired = checks.some(({ required }) => required);
  const open = checks.filter(({ is, required }) => is === "pending" && (required || !someAreRequired));
  const missing = new Set(open.flatMap(({ name, isUnreported }) => (isUnreported === true ? name : [])));
  const running = new Set(open.flatMap(({ name, isUnreported }) => (isUnreported === true ? [] : name)));
  return {
    count: missing.size + running.size,
    named: [
      ...[...missing].map((name) => ({ name: nameOf(name), is: "unreported" as const })),
      ...[...running].map((name) => ({ name: nameOf(name), is: "running" as const })),
    ].slice(0, maxNamed),
  };
}
/** Whoever can run anything on the pull request's head names it. */
function nameOf(given: string): string {
  const name = shown(given)
    .replaceAll(/[\s`]+/gu, " ")
    .trim();
  // Not through the middle of a character.
  const cut = name.slice(0, maxName).replace(/[\uD800-\uDBFF]$/u, "");
  return cut === "" ? "(unnamed)" : cut;
}

/** Which checks hold this ticket's head from being merged, as last read. */
export async function keptPending(store: Store, ticket: Ticket): Promise<PendingChecks | undefined> {
  if (ticket.state !== "Merging") return undefined;
  const text = await store.recall(keyOf(ticket.id));
  const kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
  return kept !== undefined && kept.head === ticket.head ? kept.pending : undefined;
}
