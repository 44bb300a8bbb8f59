/** Notices what people did beside a repository of this host: to files of tickets, and to branches. */
import type { FoundTicket } from "./ticket-folder.ts";
import { filesIn, stampOf } from "./ticket-folder.ts";
import { newRecord, readable, seenIn, settled, type LocalDesk } from "./tracker.ts";
import type { TicketRecord } from "./records.ts";

/** What a file shows that was not there when it was last seen. */
export type FileNews =
  | { readonly type: "labelled" | "unlabelled"; readonly label: string }
  | { readonly type: "issue.edited" | "issue.reopened" | "issue.deleted" }
  | { readonly type: "issue.closed"; readonly how: "completed" | "declined" };

export interface FileDelivery {
  /** Names this change for ever, so that telling of it again changes nothing. */
  readonly id: string;
  readonly number: number;
  readonly news: readonly FileNews[];
  /** As it read when it was noticed; undefined when it is gone. */
  readonly found: FoundTicket | undefined;
}

/** Labels by which people choose come before the one that releases what they chose. */
const release = "agent-ready";

/**
 * Compares the files with what was seen, at each call, and tells the difference; whoever is told keeps it before it counts
 * as seen.
 */
export function watchFiles(
  desk: LocalDesk,
  tell: (delivery: FileDelivery) => Promise<void>,
): () => Promise<void> {
  let stamp: string | undefined;
  let missing: ReadonlySet<number> = new Set();
  return async () => {
    const now = stampOf(desk.folders);
    if (now === stamp && missing.size === 0) return;
    const numbers = filesIn(desk.folders);
    for (const number of numbers.keys()) {
      const found = readable(desk.folders, number);
      if (found !== undefined) await noticeOne(desk, number, found, tell);
    }
    const gone = desk.records
      .all()
      .flatMap((one) =>
        one.is === "ticket" && !one.isGone && one.seen !== undefined && !numbers.has(one.number) ? [one] : [],
      );
    // Editors replace a file by taking it away first: it is gone when it is still gone at the next look.
    for (const record of gone.filter(({ number }) => missing.has(number)))
      await noticeGone(desk, record, tell);
    missing = new Set(gone.filter(({ number }) => !missing.has(number)).map(({ number }) => number));
    stamp = now;
  };
}

async function noticeOne(
  desk: LocalDesk,
  number: number,
  first: FoundTicket,
  tell: (delivery: FileDelivery) => Promise<void>,
): Promise<void> {
  const before = desk.records.ticket(number);
  const record = settled(desk, before ?? newRecord(number));
  const found = before?.intent === undefined ? first : readable(desk.folders, number);
  if (found === undefined) return;
  const now = seenIn(found.ticket);
  const news = newsOf(record, now);
  if (news.length === 0 && record.seen !== undefined && !record.isGone) return;
  const revision = record.revision + 1;
  // With the text, for a person may write once more before a killed process has kept what it saw.
  const id = `local:${desk.repo.id}:${number}:${revision}:${seenIn(found.ticket).spec.slice(0, 16)}:${now.labels.join(",")}:${now.closed ?? ""}`;
  if (news.length > 0) await tell({ id, number, news, found });
  // Nothing waits between the reading of this record and its keeping but the telling: what we wrote ourselves meanwhile counts.
  const latest = settled(desk, desk.records.ticket(number) ?? record);
  const at = desk.clock.now();
  const isEdited = record.seen !== undefined && record.seen.spec !== now.spec;
  desk.records.keep({
    ...latest,
    revision,
    isGone: false,
    seen: latest.history.length === record.history.length ? now : merged(latest, record, now),
    history: [...latest.history, ...saidIn(news).map((said) => ({ ...said, by: desk.operator, at }))],
    ...(isEdited ? { textChangedAt: at } : {}),
  });
}

type Seen = NonNullable<TicketRecord["seen"]>;

/** What people are known to want now, with what we ourselves wrote while that was told. */
function merged(latest: TicketRecord, record: TicketRecord, now: Seen): Seen {
  const ours = latest.history.slice(record.history.length);
  const removed = new Set(ours.filter(({ is }) => is === "removed").map(({ label }) => label));
  const added = ours
    .filter(({ is, label }) => is === "set" && !now.labels.includes(label))
    .map(({ label }) => label);
  return { ...now, labels: [...now.labels.filter((label) => !removed.has(label)), ...new Set(added)] };
}

function newsOf({ seen, isGone }: TicketRecord, now: Seen): readonly FileNews[] {
  const before = seen?.labels ?? [];
  const set = now.labels.filter((label) => !before.includes(label));
  const isReleased = set.includes(release);
  return [
    ...(isGone ? [{ type: "issue.reopened" } as const] : []),
    ...(seen !== undefined && seen.spec !== now.spec ? [{ type: "issue.edited" } as const] : []),
    ...before
      .filter((label) => !now.labels.includes(label))
      .map((label) => ({ type: "unlabelled", label }) as const),
    ...set.filter((label) => label !== release).map((label) => ({ type: "labelled", label }) as const),
    ...(isReleased ? [{ type: "labelled", label: release } as const] : []),
    ...(seen !== undefined && seen.closed !== now.closed
      ? [
          now.closed === undefined
            ? ({ type: "issue.reopened" } as const)
            : ({ type: "issue.closed", how: now.closed } as const),
        ]
      : []),
  ];
}

const saidIn = (news: readonly FileNews[]) =>
  news.flatMap((one) =>
    one.type === "labelled" || one.type === "unlabelled"
      ? [{ label: one.label, is: one.type === "labelled" ? ("set" as const) : ("removed" as const) }]
      : [],
  );

async function noticeGone(
  desk: LocalDesk,
  record: TicketRecord,
  tell: (delivery: FileDelivery) => Promise<void>,
): Promise<void> {
  const id = `local:${desk.repo.id}:${record.number}:${record.revision + 1}:gone`;
  await tell({ id, number: record.number, news: [{ type: "issue.deleted" }], found: undefined });
  const latest = desk.records.ticket(record.number) ?? record;
  desk.records.keep({ ...latest, revision: record.revision + 1, isGone: true });
}
