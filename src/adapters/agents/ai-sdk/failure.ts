import type { Instant } from "../../../ports.ts";
import type { AgentOutcome } from "../../../ports-agents.ts";
import {
  causeOf,
  causeOfStatus,
  failed,
  failureOf,
  type FailureCode,
  type RuntimeFacts,
} from "../failure.ts";

type Failed = Extract<AgentOutcome, { is: "failed" }>;

/** No named delay is believed beyond this. */
const longestDelayMs = 6 * 60 * 60_000;
/** Causes inside causes that are looked at. */
const deepest = 5;

/** What a server's own words tell better than its status. */
const telling: ReadonlySet<FailureCode> = new Set(["quota", "context", "model-unknown", "refused"]);

/** The failure behind whatever a call to a model threw or streamed as an error. */
export function callFailure(error: unknown, runtime: RuntimeFacts, now: Instant): Failed {
  const said = wordsOf(error);
  const status = numberIn(error, "statusCode");
  const cause = causeOf(said);
  const code =
    cause !== undefined && telling.has(cause)
      ? cause
      : status === undefined || status < 400
        ? (cause ?? "stream")
        : (causeOfStatus(status) ?? (status === 404 ? "model-unknown" : status === 408 ? "stream" : cause));
  if (code === undefined)
    return failed(
      "give-up",
      "request-rejected",
      `the model's server rejected what ${runtime.title} asked (${status}: ${said.slice(0, 400)})`,
    );
  const failure = failureOf(code, runtime, said, now);
  const delayMs = namedDelayMs(error, now);
  return delayMs === undefined || failure.how !== "retry" ? failure : { ...failure, retryAt: now + delayMs };
}

/** Everything the error and its causes say, once. */
function wordsOf(error: unknown): string {
  const said = new Set<string>();
  let at: unknown = error;
  for (let depth = 0; depth < deepest && at !== undefined && at !== null; depth += 1) {
    const message = typeof at === "string" ? at : fieldOf(at, "message");
    const type = fieldOf(at, "type") ?? fieldOf(at, "code");
    for (const words of [type, message]) if (typeof words === "string" && words !== "") said.add(words);
    at = fieldOf(at, "cause") ?? fieldOf(at, "error");
  }
  return said.size > 0 ? [...said].join(": ") : JSON.stringify(error) || String(error);
}

/** How long the server itself asks to wait; undefined when it does not. */
export function namedDelayMs(error: unknown, now: Instant): number | undefined {
  const headers = fieldOf(error, "responseHeaders");
  const header = (name: string): string | undefined => {
    const value = fieldOf(headers, name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const ms = Number(header("retry-after-ms") ?? Number.NaN);
  const after = header("retry-after") ?? "";
  const seconds = after === "" ? Number.NaN : Number(after);
  const named = Number.isFinite(ms)
    ? ms
    : Number.isFinite(seconds)
      ? seconds * 1_000
      : Date.parse(after) - now;
  return Number.isFinite(named) ? Math.min(longestDelayMs, Math.max(1_000, named)) : undefined;
}

// Any object may be asked for any field; what comes is unknown.
const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;

function numberIn(value: unknown, name: string): number | undefined {
  const found = fieldOf(value, name);
  return typeof found === "number" ? found : undefined;
}
