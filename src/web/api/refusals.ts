/** How the API says no: one envelope, `{ error: { code, message } }`, for every status. */
import type { Context } from "hono";
import { z } from "zod";

/** What each status is called, and what it means, in the document as in every answer. */
export const refusals = {
  400: ["invalid_request", "Something in the request is not as it has to be; `details` name each place."],
  401: ["unauthorized", "No session and no token came with the request, or it is over."],
  403: ["forbidden", "The session or token does not reach so far, or the request came from another page."],
  404: ["not_found", "There is no such thing, or nothing of it is for this session or token to see."],
  405: ["method_not_allowed", "The path is there and takes other methods; `Allow` names them."],
  409: ["conflict", "It is not possible as things stand now; the message says how they stand."],
  413: ["too_large", "The body is longer than anything that is taken."],
  415: ["not_json", "The body is something else than JSON."],
  422: [
    "key_reused",
    "This `Idempotency-Key` was given with another order; or, as `unclear`, the order says too little.",
  ],
  429: ["too_many", "Too much at once; `Retry-After` says how many seconds to wait."],
  500: ["failed", "The request failed; the log of forgehand says why."],
  503: ["busy", "The database is busy for a moment; `Retry-After` says how many seconds to wait."],
} as const satisfies Readonly<Record<number, readonly [code: string, says: string]>>;
export type RefusalStatus = keyof typeof refusals;

export const envelope = z
  .object({
    error: z.object({
      code: z.string().meta({ description: "For programs: stays the same.", examples: ["not_found"] }),
      message: z.string().meta({ description: "For people: may be worded otherwise tomorrow." }),
      details: z
        .array(z.object({ at: z.string(), message: z.string() }))
        .optional()
        .meta({ description: "Each place that is wrong: `query.limit`, `body.seen`." }),
    }),
  })
  .meta({ id: "Error" });

export interface Refusal {
  readonly refused: RefusalStatus;
  /** Where it is another than the status's own. */
  readonly code?: string | undefined;
  readonly message: string;
  readonly details?: readonly { readonly at: string; readonly message: string }[] | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export const refuse = (
  refused: RefusalStatus,
  message: string,
  more: Omit<Refusal, "refused" | "message"> = {},
): Refusal => ({ refused, message, ...more });

const standing: Readonly<Partial<Record<RefusalStatus, Readonly<Record<string, string>>>>> = {
  401: { "www-authenticate": 'Bearer realm="forgehand"' },
  429: { "retry-after": "60" },
  503: { "retry-after": "2" },
};

export const refusalAnswer = (context: Context, { refused, code, message, details, headers }: Refusal) =>
  context.json(
    { error: { code: code ?? refusals[refused][0], message, ...(details === undefined ? {} : { details }) } },
    refused,
    { ...standing[refused], ...headers },
  );

/** Somebody else writes, or reads in a way that keeps us from writing: it passes. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  /^SQLITE_(?:BUSY|LOCKED)/u.test(error.code);
