import type { CheckFact, PullFacts } from "../ports.ts";
import type { PendingCheck } from "../state-machine/explain.ts";
import type { Ticket } from "../state-machine/ticket.ts";
import type { Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";

/** Written by us below. */
interface Kept {
  readonly head: string;
  readonly pending: readonly PendingCheck[];
}
const keyOf = (ticket: string): string => `pending checks ${ticket}`;
/** Characters of a name, which the repository chooses. */
const maxName = 60;
/** Checks that are kept; a matrix has hundreds, and each report of one is a write. */
const maxKept = 50;

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
  if (before === text || (before === undefined && kept.pending.length === 0)) return;
  await store.remember(key, text);
}

/** Those that hold a merge: where any are required, only they do. Each once, and first those that nothing has reported. */
function pendingOf(checks: readonly CheckFact[]): readonly PendingCheck[] {
  const someAreRequired = checks.some(({ required }) => required);
  const open = checks.filter(({ is, required }) => is === "pending" && (required || !someAreRequired));
  const named = (is: PendingCheck["is"]): readonly PendingCheck[] =>
    [
      ...new Set(open.filter(({ isMissing }) => (isMissing === true) === (is === "unreported")).map(nameOf)),
    ].map((name) => ({ name, is }));
  return [...named("unreported"), ...named("running")].slice(0, maxKept);
}
const nameOf = ({ name }: CheckFact): string =>
  name
    .replaceAll(/[\s`]+/gu, " ")
    .trim()
    .slice(0, maxName)
    .toWellFormed();

/** Which checks hold this ticket's head from being merged, as last read. */
export async function keptPending(store: Store, ticket: Ticket): Promise<readonly PendingCheck[]> {
  if (ticket.state !== "Merging") return [];
  const text = await store.recall(keyOf(ticket.id));
  const kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
  return kept !== undefined && kept.head === ticket.head ? kept.pending : [];
}
