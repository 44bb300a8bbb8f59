import type { Kept } from "../ports-host.ts";

/** Keeps the last answer of a look that takes longer than whoever asks can wait; an old one is found anew meanwhile. */
export function kept<Answer>(
  { freshMs, now }: { readonly freshMs: number; readonly now: () => number },
  look: () => Promise<Answer>,
): Kept<Answer> {
  let last: { readonly answer: Answer; readonly at: number } | undefined;
  let coming: Promise<Answer> | undefined;
  const again = (): Promise<Answer> => {
    coming ??= look()
      .then((answer) => {
        last = { answer, at: now() };
        return answer;
      })
      .finally(() => (coming = undefined));
    return coming;
  };
  return {
    again,
    now: () => {
      // What fails is tried again by whoever asks next.
      if (last === undefined || now() - last.at >= freshMs) again().catch(() => undefined);
      return last?.answer;
    },
  };
}
