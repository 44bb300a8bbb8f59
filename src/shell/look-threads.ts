/** Words on lines of the diff that no delivery told us of. */
import type { PullRef } from "../ports.ts";
import type { Line } from "../store/ledger.ts";
import type { Say } from "../webhooks/heard.ts";
import { settledUpTo } from "../workflows/work-order.ts";
import { remarkId } from "./meaning.ts";
import { openOnes } from "./open-threads.ts";
import type { Workshop } from "./workshop.ts";

/** What each unheard remark would have said, by whom; oldest first. */
export async function unheardRemarks(
  shop: Workshop,
  pull: PullRef,
  lines: readonly Line[],
): Promise<readonly { readonly by: string; readonly says: Say }[]> {
  const known = new Set(lines.map(({ eventId }) => eventId));
  const threads = await openOnes(shop, pull);
  const remarks = threads.flatMap((thread) => {
    const root = thread.comments[0]?.id ?? 0;
    const settled = settledUpTo(thread);
    const line = thread.lines?.to;
    return thread.comments.flatMap((comment) => {
      const { id, by, kind, body, edited, review } = comment;
      const isSaid = review !== "pending" && review !== "dismissed" && edited !== "by other";
      // A command is obeyed when it is told of, and never later.
      const isOrder = !/^\s{0,3}(?:\/forgehand\b|@)/iu.test(body);
      if (kind !== "person" || id <= settled || !isSaid || !isOrder || known.has(remarkId(id))) return [];
      const on = { root, comment: id, path: thread.path, ...(line === undefined ? {} : { line }) };
      return [{ id, by, says: { type: "remarked", on, body } as const }];
    });
  });
  return remarks.toSorted((one, other) => one.id - other.id);
}
