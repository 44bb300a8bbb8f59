import type { LinearError } from "@linear/sdk";
import { Trouble } from "../../ports.ts";
import { isLinearError } from "./sdk.ts";

/** Where and why Linear was asked, so that an error can say what to do. */
export interface LinearCall {
  /** `read an issue` */
  readonly doing: string;
  /** Id of the workspace. */
  readonly workspace: string;
  readonly now: number;
  /** Takes secrets out of what Linear said, before it is cut. */
  readonly scrub: (text: string) => string;
}

/** How long Linear is left alone when it names no time. */
const quietMs = 60_000;

/** The code of the first GraphQL error; Linear answers `RATELIMITED` with HTTP 400, so the status alone says nothing. */
function codeOf(error: LinearError): string {
  const [first] = error.raw?.response?.errors ?? [];
  const code: unknown = (first?.extensions as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** What Linear said, in one line and within reason. */
function saidBy(error: LinearError, scrub = (text: string): string => text): string {
  const said = (error.errors ?? []).map(({ message }) => message).filter((message) => message !== "");
  const text = said.length > 0 ? said.join("; ") : error.message;
  return scrub(text).replaceAll(/\s+/gu, " ").slice(0, 300);
}

/** Whether Linear does not take the token. */
export const isRefusedToken = (error: unknown): boolean =>
  isLinearError(error) &&
  (error.status === 401 || /^(?:AUTHENTICATION_ERROR|UNAUTHENTICATED)$/u.test(codeOf(error)));

/**
 * Whether the issue or comment that was asked about does not exist, or no longer; a missing state or label is another
 * matter, and so is another issue that an answer in part lacks.
 */
export const isGone = (
  error: unknown,
  what: "Issue" | "Comment" | "User" | "AgentSession" | "AgentActivity",
): boolean =>
  isLinearError(error) &&
  !hasData(error) &&
  new RegExp(`Entity not found: ${what}\\b|Could not find referenced ${what}\\b`, "iu").test(saidBy(error));

/** Whether a new thing was refused because its id is taken already. */
export const isTaken = (error: unknown): boolean =>
  isLinearError(error) && /\bconflict on insert\b|\balready exists\b|\bduplicate\b/iu.test(saidBy(error));

/** Whether Linear judged the input and refused it. */
export const isInvalid = (error: unknown): boolean =>
  isLinearError(error) &&
  !hasData(error) &&
  (String(error.type) === "InvalidInput" || String(error.type) === "UserError");

/** The headers of an answer that was thrown. */
export const headersOf = (error: unknown): Headers | undefined =>
  isLinearError(error) ? error.raw?.response?.headers : undefined;

/** Some fields came and others did not. */
function hasData(error: LinearError): boolean {
  const data: unknown = error.data;
  return typeof data === "object" && data !== null && Object.values(data).some((value) => value !== null);
}

/** Turns whatever the SDK threw into Trouble with a code, a time to try again, and the next step. */
export function asLinearTrouble(error: unknown, { doing, workspace, now, scrub }: LinearCall): unknown {
  if (error instanceof Trouble || !isLinearError(error)) return error;
  const what = `Linear could not ${doing} in workspace ${workspace}`;
  const said = saidBy(error, scrub);
  // Its own request is left out: it holds what we were about to say.
  const options = { cause: new Error(said) };
  if (codeOf(error) === "RATELIMITED" || String(error.type) === "Ratelimited")
    return new Trouble("linear-rate-limited", `${what}: rate limit reached (${said}).`, {
      ...options,
      retryAt: limitedUntil(error, now),
    });
  if (isRefusedToken(error))
    return new Trouble(
      "linear-auth",
      `${what}: it does not accept our token (${said}). Run \`forgehand auth linear --refresh\`; if the application was removed there, install it again with \`forgehand auth linear\`.`,
      options,
    );
  if (hasData(error))
    return new Trouble("linear-partial", `${what}: it answered only in part (${said}).`, options);
  switch (String(error.type)) {
    case "Forbidden":
    case "FeatureNotAccessible":
      return new Trouble(
        "linear-forbidden",
        `${what}: our application may not (${said}). Let it into the team in Linear's settings, or install it again with \`forgehand auth linear\`.`,
        { ...options, permanent: true },
      );
    case "InvalidInput":
    case "UserError":
    case "GraphqlError":
      return new Trouble("linear-refused", `${what}: it refused (${said}).`, { ...options, permanent: true });
    default:
      return new Trouble(
        "linear-unavailable",
        `${what}: ${error.status === undefined ? "no answer" : `status ${error.status}`} (${said}).`,
        options,
      );
  }
}

function limitedUntil(error: LinearError, now: number): number {
  const header = Number(headersOf(error)?.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(header) && header > 0) return now + header * 1000;
  return now + quietMs;
}
