import { Trouble } from "../../ports.ts";
import type { Instant } from "../../ports.ts";

/** Where and why a call was made, so that an error can say what to do. */
export interface Call {
  /** `merge a pull request` */
  readonly doing: string;
  /** `in owner/name`, or `for App 7`. */
  readonly where: string;
  /** `contents: write, pull_requests: write` */
  readonly needs: string;
  readonly installation: number | undefined;
  /** What to look at when it is gone, where that is not the installation. */
  readonly check?: string;
  readonly now: Instant;
}

/** GitHub asks for a minute of silence when it names no other time. */
const quietMs = 60_000;

/** HTTP status of an answer that Octokit threw; undefined for anything else, a lost connection included. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("response" in error) || !isRecord(error.response)) return undefined;
  return typeof error.response["status"] === "number" ? error.response["status"] : undefined;
}

/** The URL that an answer came from in the end, redirects followed; undefined for anything that is no answer. */
export function answeredAt(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("response" in error) || !isRecord(error.response)) return undefined;
  return typeof error.response["url"] === "string" ? error.response["url"] : undefined;
}

/** Undefined in place of an answer with one of these statuses: some absences are facts, not trouble. */
export async function unless<Result>(
  statuses: readonly number[],
  work: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    const status = statusOf(error);
    if (status !== undefined && statuses.includes(status)) return undefined;
    throw error;
  }
}

/** What GitHub said, without the link to its manual. */
export function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.replace(/ - https?:\/\/\S+$/, "");
}

/** Turns whatever Octokit threw into Trouble with a code, a time to try again, and the next step. */
export function asTrouble(error: unknown, call: Call): unknown {
  // A mistake of ours is no outage: it keeps its own words.
  if (error instanceof Trouble || !isAnswer(error)) return error;
  const status = statusOf(error);
  const what = `GitHub could not ${call.doing} ${call.where}`;
  const said = saidBy(error);
  const retryAt = limitedUntil(error, status, call.now);
  if (retryAt !== undefined) {
    return new Trouble("github-rate-limited", `${what}: rate limit reached (${said}).`, {
      cause: error,
      retryAt,
    });
  }
  const graphql = graphqlTypes(error);
  if (graphql.includes("FORBIDDEN")) return forbidden(error, call, what, said);
  const seen = graphql.includes("NOT_FOUND") ? 404 : graphql.length > 0 ? 422 : status;
  if (seen === undefined || seen >= 500) {
    return new Trouble(
      "github-unavailable",
      `${what}: ${seen === undefined ? "no answer" : `status ${seen}`} (${said}).`,
      { cause: error },
    );
  }
  // GitHub hides an App it does not know behind a 404.
  switch (/integration not found/i.test(said) ? 401 : seen) {
    case 401:
      return new Trouble(
        "github-auth",
        `${what}: it does not accept our credentials (${said}). Check the App's id and private key with \`forgehand doctor\`.`,
        { cause: error, permanent: true },
      );
    case 403:
      return forbidden(error, call, what, said);
    case 404:
    case 410:
      return new Trouble(
        "github-gone",
        `${what}: it is gone, or the App may not see it (${said}). Check ${call.check ?? "that the App is installed there"}.`,
        { cause: error, permanent: true },
      );
    case 409:
      return new Trouble("github-conflict", `${what}: ${said}`, { cause: error });
    default:
      return new Trouble("github-rejected", `${what}: it rejected the request (${said}).`, {
        cause: error,
        permanent: true,
      });
  }
}

/** Octokit gives a lost connection the status 500 and no response; a GraphQL error has neither, only its list. */
function isAnswer(error: unknown): error is Error {
  return (
    error instanceof Error &&
    ("status" in error || error.name === "TimeoutError" || graphqlTypes(error).length > 0)
  );
}

/** `FORBIDDEN`, `UNPROCESSABLE`, … of a GraphQL answer that carried errors; empty for anything else. */
export function graphqlTypes(error: unknown): readonly string[] {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) return [];
  return error.errors.map((each: unknown) =>
    isRecord(each) && typeof each["type"] === "string" ? each["type"] : "UNKNOWN",
  );
}

function forbidden(error: unknown, call: Call, what: string, said: string): Trouble {
  const wanted = headerOf(error, "x-accepted-github-permissions")?.replaceAll("=", ": ") ?? call.needs;
  const installation = call.installation === undefined ? "" : ` Installation ${call.installation}:`;
  const why = /suspended/i.test(said)
    ? `${installation} the App is suspended there; its owner can lift that in the settings of the installation.`
    : /archived/i.test(said)
      ? " The repository is archived and read-only."
      : /not accessible by integration/i.test(said)
        ? `${installation} the App lacks ${wanted}. Add it to the App's permissions, then accept the request in the settings of the installation; \`forgehand doctor\` lists what is missing.`
        : "";
  return new Trouble("github-forbidden", `${what}: ${said}.${why}`, { cause: error, permanent: true });
}

function limitedUntil(error: unknown, status: number | undefined, now: Instant): Instant | undefined {
  if (status !== 403 && status !== 429) {
    return graphqlTypes(error).includes("RATE_LIMITED") ? (resetOf(error, now) ?? now + quietMs) : undefined;
  }
  const after = Number(headerOf(error, "retry-after"));
  if (Number.isFinite(after) && after > 0) return now + after * 1000;
  if (headerOf(error, "x-ratelimit-remaining") === "0") return resetOf(error, now) ?? now + quietMs;
  if (status === 429 || /secondary rate limit|rate limit exceeded|abuse detection/i.test(saidBy(error))) {
    return now + quietMs;
  }
  return undefined;
}

function resetOf(error: unknown, now: Instant): Instant | undefined {
  const reset = Number(headerOf(error, "x-ratelimit-reset"));
  return Number.isFinite(reset) && reset > 0 ? Math.max(reset * 1000, now) : undefined;
}

function headerOf(error: unknown, name: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // A GraphQL error carries its headers beside its data, a REST error inside its response.
  const bearer = "response" in error && isRecord(error.response) ? error.response : {};
  const headers = isRecord(bearer["headers"])
    ? bearer["headers"]
    : "headers" in error && isRecord(error.headers)
      ? error.headers
      : {};
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
