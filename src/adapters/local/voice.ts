/** What forgehand says of tickets of this host: kept beside them, to be read in the terminal. */
import type { Key, Voice } from "../../ports.ts";
import type { AnyRecord } from "./records.ts";
import { newRecord, type LocalDesk } from "./tracker.ts";

export function localVoice({ records, clock }: Pick<LocalDesk, "records" | "clock">): Voice {
  const recordOf = (number: number): AnyRecord => records.any(number) ?? newRecord(number);
  return {
    upsertComment: async (_key, { number }, marker, body) => {
      const record = recordOf(number);
      const known = record.comments.find((one) => one.marker === marker);
      const id = known?.id ?? 1 + Math.max(0, ...record.comments.map((one) => one.id));
      if (known?.body !== body) {
        const comment = { id, marker, body, at: known?.at ?? clock.now() };
        records.keep({ ...record, comments: [...record.comments.filter((one) => one.id !== id), comment] });
      }
      return id;
    },
    react: async (_key, { number }, comment, content) => {
      // Nobody but us comments here.
      if (comment !== undefined) return;
      const record = recordOf(number);
      if (!record.reactions.includes(content))
        records.keep({ ...record, reactions: [...record.reactions, content] });
    },
    writeCheck: async (_key, _repo, head, { name, status, conclusion, title, summary }) =>
      records.keepCheck({
        head,
        name,
        status,
        ...(conclusion === undefined ? {} : { conclusion }),
        title,
        summary,
      }),
    // Here what is wrong with a configuration stands where people look: `explain` tells it.
    writeNotice: async () => 0,
    closeNotice: async () => undefined,
    postReview: async (key, { number }, head, body, findings) => {
      const pull = records.pull(number);
      if (pull === undefined || pull.reviews.some(({ marker }) => marker === key)) return;
      const review = {
        marker: key,
        head,
        at: clock.now(),
        body,
        findings: findings.map((one) => ({ ...one, thread: "open" as const })),
      };
      records.keep({
        ...pull,
        reviews: [...pull.reviews, { ...review, findings: review.findings.map(withoutGaps) }],
      });
    },
    updateFindings: async (_key: Key, { number }, changed) => {
      const pull = records.pull(number);
      if (pull === undefined) return;
      const now = new Map(changed.map((one) => [one.id, one]));
      const reviews = pull.reviews.map((review) => ({
        ...review,
        findings: review.findings.map((finding) => {
          const said = finding.id === undefined ? undefined : now.get(finding.id);
          return said === undefined ? finding : { ...finding, body: said.body, thread: said.thread };
        }),
      }));
      if (JSON.stringify(reviews) !== JSON.stringify(pull.reviews)) records.keep({ ...pull, reviews });
    },
    replyInThread: async () => undefined,
    resolveThread: async () => undefined,
  };
}

/** An id that nobody gave is left out. */
const withoutGaps = <Finding extends { readonly id?: string | undefined }>({ id, ...rest }: Finding) => ({
  ...rest,
  ...(id === undefined ? {} : { id }),
});
