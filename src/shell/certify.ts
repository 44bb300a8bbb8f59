import { certificateOf, isSealOf, standingAsk } from "../certificate/compose.ts";
import { Trouble, type CheckFact, type PullFacts } from "../ports.ts";
import { digest } from "../review/canonical.ts";
import { redact } from "../secrets.ts";
import type { ChecksSeen, Cost, MergeFacts } from "../state-machine/evidence.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Line } from "../store/ledger.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Act, Answer } from "./act.ts";
import { buildersOf } from "./built-by.ts";
import { workersOf } from "./workers.ts";

/** More checks than this on one head are counted and not named, so that a certificate stays a page. */
const maxChecks = 200;
const maxNameLength = 120;

/** The checks of a head as they stand, without what must not be told. */
export function checksSeen(checks: readonly CheckFact[]): ChecksSeen {
  const list = checks
    .map(({ name, conclusion, app }) => ({
      name: redact(name).slice(0, maxNameLength),
      conclusion: conclusion ?? "pending",
      app: app ?? null,
    }))
    .toSorted((one, other) => keyOf(one).localeCompare(keyOf(other), "en"));
  return { list: list.slice(0, maxChecks), omitted: Math.max(0, list.length - maxChecks) };
}
const keyOf = ({ name, app }: { readonly name: string; readonly app: string | null }): string =>
  `${name}\n${app ?? ""}`;

/**
 * Writes into the inbox how it stands right before the forge is asked to merge: it is read before any news of the merge
 * can arrive. Repeated tries that find the same write nothing.
 */
export async function putOnRecord(
  { shop, key, effect, stored }: Act<Extract<OutboxEffect, { type: "merge.try" }>>,
  pull: PullFacts,
  method: string | undefined,
): Promise<void> {
  const now = shop.clock.now();
  const asked: TicketEvent = {
    type: "merge.asked",
    head: effect.head,
    base: pull.base,
    method: method ?? "unknown",
    checks: checksSeen(pull.checkList),
  };
  const body = JSON.stringify(asked);
  const lines = await shop.store.linesOf(stored.ticket.id);
  const standing = standingAsk(lines, effect.head);
  if (standing !== undefined && JSON.stringify(standing.event) === body) return;
  // Named by what it says and what was said before, so that a try that a crash cut short is not told twice.
  const before = lines.findLast(({ event }) => event.type === "merge.asked")?.seq ?? 0;
  await shop.store.receive({
    id: `asked:${key}:${before}:${digest(asked)}`,
    source: "performer",
    name: asked.type,
    ticket: stored.ticket.id,
    body,
    receivedAt: now,
  });
  shop.poke("intake");
}

/** Reads what is known of a merge only afterwards, and seals the certificate over it and the ledger's lines. */
export async function certifyMerge(
  act: Act<Extract<OutboxEffect, { type: "merge.certify" }>>,
): Promise<Answer> {
  const { shop, stored, effect } = act;
  const lines = await shop.store.linesOf(stored.ticket.id);
  const merged = lines.findLast(
    ({ event }) => event.type === "pr.merged" && event.head === effect.merged && event.merge === effect.merge,
  );
  if (merged === undefined) return { is: "dropped", note: "the ledger knows of no such merge" };
  const sealed = lines.find((line) => isSealOf(line, merged));
  if (sealed !== undefined) return { is: "done", note: `certified in line ${sealed.seq}` };
  const facts = await factsOf(act, lines, merged);
  const { hash } = certificateOf(lines, merged, facts);
  const { merged: head, merge } = effect;
  return {
    is: "done",
    note: `certificate ${hash.slice(0, 12)}`,
    news: [{ type: "merge.certified", head, merge, facts, certificate: hash }],
  };
}

async function factsOf(
  act: Act<Extract<OutboxEffect, { type: "merge.certify" }>>,
  lines: readonly Line[],
  merged: Line,
): Promise<MergeFacts> {
  const { shop, stored, repo, effect } = act;
  const number = pullBefore(lines, merged);
  const sessions = await shop.store.sessionsOf(stored.ticket.id);
  const [pull, commit] = await Promise.all([
    number === undefined ? undefined : shown(shop.forge.pull({ repo, number })),
    effect.merge === "" ? undefined : shown(shop.forge.commit(repo, effect.merge)),
  ]);
  const by = pull?.mergedBy;
  const kind = kindOf(by, shop.app.login);
  return {
    ref: stored.ref,
    pull: pull === undefined ? null : { number: pull.number, url: pull.url, base: pull.baseBranch },
    commit: commit === undefined ? null : { tree: commit.tree, parents: [...commit.parents] },
    by: {
      login: by ?? null,
      kind,
      permission:
        by === undefined || kind !== "person"
          ? null
          : ((await shown(shop.forge.permission(repo, by))) ?? null),
    },
    checks: checksSeen(pull?.checkList ?? []),
    makers: workersOf(buildersOf({ lines, sessions }, effect.merged)),
    cost: costOf(sessions),
  };
}

/** The pull request that this merge was of. */
export const pullBefore = (lines: readonly Line[], merged: Line): number | undefined =>
  lines
    .flatMap(({ event, seq }) => (event.type === "pr.opened" && seq < merged.seq ? [event.pull] : []))
    .at(-1);

/** What the forge will never show leaves a gap in the certificate; it keeps nothing else from being certified. */
async function shown<Shown>(reading: Promise<Shown>): Promise<Shown | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Trouble && error.permanent) return undefined;
    throw error;
  }
}

function kindOf(login: string | undefined, own: string): MergeFacts["by"]["kind"] {
  if (login === undefined) return "unknown";
  if (login.toLowerCase() === own.toLowerCase()) return "forgehand";
  return login.endsWith("[bot]") ? "bot" : "person";
}

/** Rounded to millionths, as prices are. */
function costOf(sessions: readonly SessionSummary[]): Cost {
  const sum = (of: (session: SessionSummary) => number): number =>
    sessions.reduce((total, session) => total + of(session), 0);
  return {
    usd: Math.round(sum(({ usd }) => usd) * 1_000_000) / 1_000_000,
    guessed: sessions.some(({ pricedBy }) => pricedBy === "guess"),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    sessions: sessions.length,
  };
}
