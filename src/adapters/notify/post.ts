/** One request to a service that people are told by. The operator named its address; nothing it answers leads elsewhere. */
import { Trouble, type Clock } from "../../ports.ts";
import { unknownOutcome } from "../../ports-notify.ts";
import { redactKnown } from "../../secrets.ts";

/** A service that says nothing for so long is dead. */
export const notifyTimeoutMs = 10_000;
/** Answers are short; the rest is not read. */
const longestAnswer = 16_384;
const longestReason = 300;
/** No service asks to be left alone for longer. */
const longestWaitMs = 24 * 3_600_000;

export interface Wire {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Pick<Clock, "now">;
  readonly timeoutMs?: number | undefined;
}
export interface Posting {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: string;
  /** Not to be said in an error. */
  readonly secrets: readonly string[];
}

/** Posts JSON and answers what came back. Throws `Trouble` for everything but success. */
export async function postJson(wire: Wire, { url, headers, body, secrets }: Posting): Promise<string> {
  const redacted = redactKnown([url, ...secrets]);
  let response: Response;
  let text: string;
  try {
    response = await wire.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8", "user-agent": "forgehand", ...headers },
      body,
      // What is sent is for this address alone, and its secrets with it.
      redirect: "manual",
      signal: AbortSignal.timeout(wire.timeoutMs ?? notifyTimeoutMs),
    });
    text = await startOf(response);
  } catch (error) {
    throw lost(error, redacted);
  }
  if (response.ok) return text;
  throw refused(response, text, redacted, wire.clock.now());
}

async function startOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestAnswer) break;
  }
  return text.slice(0, longestAnswer);
}

/** Codes of what went wrong before anything was sent. */
const beforeSending =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_TLS_\w+|ERR_SSL_\w+)$/u;

function lost(error: unknown, redacted: (text: string) => string): Trouble {
  // `fetch failed` says nothing; what is behind it does.
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why =
    error instanceof Error && error.name === "TimeoutError"
      ? "no answer in time"
      : `no answer (${redacted(code === "" ? (cause instanceof Error ? cause.message : String(cause)) : code).slice(0, longestReason)})`;
  return beforeSending.test(code)
    ? new Trouble("notify-unavailable", `It could not be reached: ${why}.`)
    : new Trouble(unknownOutcome, `Whether it arrived is not known: ${why}.`);
}

function refused(response: Response, text: string, redacted: (text: string) => string, now: number): Trouble {
  const { status, headers } = response;
  const said = redacted(text.replace(/\s+/gu, " ").trim()).slice(0, longestReason);
  const reason = `status ${status}${said === "" ? "" : `: ${said}`}`;
  if (status >= 300 && status < 400)
    return new Trouble("notify-redirected", `It redirects (status ${status}), which is not followed.`, {
      permanent: true,
    });
  const retryAt = waitIn(headers.get("retry-after"), text, now);
  if (status === 429)
    return new Trouble("notify-limited", `Its rate limit is reached (${reason}).`, {
      retryAt: retryAt ?? now + 60_000,
    });
  if (status >= 500 || status === 408)
    return new Trouble(
      "notify-unavailable",
      `It has trouble of its own (${reason}).`,
      retryAt === undefined ? {} : { retryAt },
    );
  return new Trouble("notify-refused", `It refused the message (${reason}).`, { permanent: true });
}

/** Until when it wants to be left alone: the header in seconds or as a date, or what Discord and Telegram say in the body. */
function waitIn(header: string | null, text: string, now: number): number | undefined {
  const seconds = Number(header ?? Number.NaN);
  const inHeader =
    header === null ? undefined : Number.isNaN(seconds) ? Date.parse(header) : now + seconds * 1000;
  const [, inBody] = /"retry_after"\s*:\s*(\d{1,6}(?:\.\d{1,6})?)/u.exec(text) ?? [];
  const at = inHeader ?? (inBody === undefined ? undefined : now + Math.ceil(Number(inBody) * 1000));
  return at === undefined || Number.isNaN(at) || at <= now ? undefined : Math.min(at, now + longestWaitMs);
}
