import type { Instant } from "../../ports.ts";
import type { AgentOutcome } from "../../ports-agents.ts";
import type { ProcessEnd } from "../processes/agent-process.ts";

type Failed = Extract<AgentOutcome, { is: "failed" }>;

/** What a reason for a person needs to know of the runtime. */
export interface RuntimeFacts {
  /** As a person calls it: "Claude Code". */
  readonly title: string;
  readonly binary: string;
  readonly install: string;
  readonly login: string;
}
export type FailureCode =
  | "logged-out"
  | "forbidden"
  | "quota"
  | "rate-limit"
  | "server"
  | "stream"
  | "context"
  | "refused"
  | "model-unknown"
  | "session-unknown"
  | "not-a-repository"
  | "other-version"
  | "agent-failed";

/** How long a rate limit that names no delay is given. */
const rateLimitMs = 60_000;
/** No named delay is believed beyond this. */
const longestDelayMs = 6 * 60 * 60_000;
/** Kept of a runtime's own words. */
const longestQuote = 400;

interface Verdict {
  readonly how: Failed["how"];
  readonly says: (runtime: RuntimeFacts) => string;
}
const verdicts: Readonly<Record<FailureCode, Verdict>> = {
  "logged-out": {
    how: "blocked",
    says: ({ title, login }) => `${title} is not logged in: ${login}, then retry the ticket`,
  },
  forbidden: {
    how: "blocked",
    says: ({ title }) =>
      `${title}'s account may not do this: give the account access to the model, then retry the ticket`,
  },
  quota: {
    how: "blocked",
    says: ({ title }) =>
      `${title}'s account has no quota left: check its plan and billing, then retry the ticket`,
  },
  "rate-limit": {
    how: "retry",
    says: ({ title }) => `${title} was asked to slow down; it is tried again by itself`,
  },
  server: {
    how: "retry",
    says: ({ title }) => `the model's servers failed under ${title}; it is tried again by itself`,
  },
  stream: {
    how: "retry",
    says: ({ title }) => `the model's answer to ${title} broke off; it is tried again by itself`,
  },
  context: {
    how: "give-up",
    says: ({ title }) =>
      `the work does not fit into the context window of ${title}: split the ticket or shorten its text`,
  },
  refused: {
    how: "give-up",
    says: ({ title }) =>
      `the model behind ${title} refused this order: reword the ticket or choose another runtime`,
  },
  "model-unknown": {
    how: "blocked",
    says: ({ title }) =>
      `${title} does not know the configured model: correct its name, then retry the ticket`,
  },
  "session-unknown": {
    how: "give-up",
    says: ({ title }) => `${title} no longer knows the session to continue; a new one has to be started`,
  },
  "not-a-repository": {
    how: "give-up",
    says: ({ title }) => `${title} was started outside a git repository: the worktree is gone or damaged`,
  },
  "other-version": {
    how: "blocked",
    says: ({ title, install }) =>
      `${title} does not know how it was called, so its version is none that was tested: install it anew with \`${install}\`, then retry the ticket`,
  },
  "agent-failed": {
    how: "retry",
    says: ({ title }) => `${title} failed without naming a known cause; it is tried again by itself`,
  },
};

/** Free text of the runtimes, most telling first. Only their own error texts are judged, never a model's words. */
const signs: readonly (readonly [RegExp, FailureCode])[] = [
  [/no conversation found with session id|no rollout found for thread/iu, "session-unknown"],
  [/not inside a trusted directory|--skip-git-repo-check/iu, "not-a-repository"],
  [
    /quota exceeded|insufficient[_ ]quota|credit balance|billing|usage limit|out of credits|\b402\b/iu,
    "quota",
  ],
  [
    /\b401\b|unauthori[sz]ed|fail(?:ed|ure) to authenticate|authentication|invalid (?:x-)?api[ -]key|no api[ -]key|not logged in|please run \/login|(?:token|session)(?: has)? expired|missing environment variable/iu,
    "logged-out",
  ],
  [/context window|context[_ ]length|prompt(?: is)? too long/iu, "context"],
  [/\b429\b|too many requests|rate[ _-]?limit/iu, "rate-limit"],
  [/safeguards flagged|usage policy|content policy|\brefus(?:al|ed to)\b/iu, "refused"],
  [/model\b.{0,80}(?:not found|does not exist|not supported|no access)|model_not_found/iu, "model-unknown"],
  [/\b403\b|forbidden|permission_error/iu, "forbidden"],
  [
    /stream (?:disconnected|closed)|econnreset|econnrefused|connection|malformed|could not parse|timed? ?out|socket|enotfound|\bterminated\b/iu,
    "stream",
  ],
  [/\b5\d\d\b|overloaded|high demand|server[ _-](?:error|side)|temporar/iu, "server"],
];

/** The cause a runtime's own error text speaks of; undefined when it speaks of none we know. */
export function causeOf(text: string): FailureCode | undefined {
  // An address may hold any number and any word.
  const bare = text.replaceAll(/https?:\/\/\S+/gu, "");
  return signs.find(([sign]) => sign.test(bare))?.[1];
}

/** The cause behind an HTTP status; undefined when a status alone does not tell. */
export function causeOfStatus(status: number): FailureCode | undefined {
  if (status === 401) return "logged-out";
  if (status === 402) return "quota";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate-limit";
  return status >= 500 ? "server" : undefined;
}

/** A failure by its cause, in plain words with the next step and what the runtime itself said. */
export function failureOf(code: FailureCode, runtime: RuntimeFacts, said: string, now: Instant): Failed {
  const { how, says } = verdicts[code];
  const why = `${says(runtime)}${quote(said)}`;
  if (code !== "rate-limit") return { is: "failed", how, code, why };
  return { is: "failed", how, code, why, retryAt: now + delayIn(said) };
}

/** What the process itself tells before any stream is judged; undefined when it ended by itself. */
export function processFailure(end: ProcessEnd, runtime: RuntimeFacts): Failed | undefined {
  const { title, binary, install } = runtime;
  if (end.failedToStart !== undefined) {
    const what = end.failedToStart === "ENOENT" ? "not found" : `not startable (${end.failedToStart})`;
    return failed(
      "blocked",
      "runtime-absent",
      `${title} is absent: \`${binary}\` is ${what}. Install it with \`${install}\``,
    );
  }
  switch (end.stopped) {
    case "aborted":
      return failed("give-up", "aborted", `${title} was stopped because the run was`);
    case "stalled":
      return failed(
        "retry",
        "stalled",
        `${title} said nothing for too long and was stopped; it is tried again by itself`,
      );
    case "too long":
      return failed(
        "unfinished",
        "turn-limit",
        `${title} used up the time of one turn; the session can go on`,
      );
    case "memory":
    case "processes":
    case "disk":
      return failed("give-up", `${end.stopped}-limit`, `${title} ${exceeded[end.stopped]} and was stopped`);
    case undefined:
      return undefined;
  }
}

/** What a process did that was ended for a limit of this host. */
export const exceeded = {
  memory: "took more memory than FORGEHAND_AGENT_MEMORY_MB allows",
  processes: "started more processes than FORGEHAND_AGENT_PROCESSES allows",
  disk: "wrote more than FORGEHAND_AGENT_DISK_MB allows",
} as const;

/** A command line that this version does not understand. */
const misunderstood = /\b(?:unexpected argument|unknown option|unrecognized (?:option|subcommand))/iu;

/** A stream that ended without an answer: killed from outside, or just over. */
export function endedWithoutAnswer(end: ProcessEnd, runtime: RuntimeFacts, now: Instant): Failed {
  const isUsage = (end.exit === 1 || end.exit === 2) && misunderstood.test(end.stderr);
  const cause = isUsage ? "other-version" : causeOf(end.stderr);
  if (cause !== undefined && end.exit !== 0) return failureOf(cause, runtime, end.stderr.trim(), now);
  const killed =
    end.signal ?? (end.exit !== undefined && end.exit > 128 ? `signal ${end.exit - 128}` : undefined);
  if (killed !== undefined)
    return failed(
      "retry",
      "killed",
      `${runtime.title} was ended from outside (${killed}); it is tried again by itself`,
    );
  const why = `${runtime.title} ended with exit code ${end.exit} and no result; it is tried again by itself`;
  return failed("retry", "no-result", `${why}${quote(end.stderr)}`);
}

/** A failure written out. */
export function failed(how: Failed["how"], code: string, why: string): Failed {
  return { is: "failed", how, code, why };
}

function quote(said: string): string {
  const line = said.replaceAll(/\s+/gu, " ").trim();
  if (line === "") return "";
  return ` (it said: ${line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line})`;
}

function delayIn(said: string): number {
  const named =
    /(?:try again|retry|retry-after)\D{0,12}?(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec|seconds?|m|min|minutes?|h|hours?)\b/iu.exec(
      said,
    );
  if (named === null) return rateLimitMs;
  const unit = (named[2] ?? "s").toLowerCase();
  const unitMs =
    unit.startsWith("ms") || unit.startsWith("mil")
      ? 1
      : unit.startsWith("s")
        ? 1_000
        : unit.startsWith("m")
          ? 60_000
          : 3_600_000;
  return Math.min(longestDelayMs, Math.max(1_000, Math.ceil(Number(named[1]) * unitMs)));
}
