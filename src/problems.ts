/** Problems an operator must act upon: what happened, why, and what to do, each with its values. */
import { localProblems } from "./problems-local.ts";
import { safetyProblems } from "./problems-safety.ts";

import { setupProblems } from "./problems-setup.ts";

/** What the process ends with; `forgehand help exit-codes` lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  cancelled: 2,
  waiting: 3,
  usage: 4,
  notFound: 5,
  permission: 6,
  budget: 7,
  blocked: 7,
  remote: 8,
  locked: 9,
  notMet: 10,
  unknown: 11,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

interface Entry {
  readonly exit: keyof typeof exitCodes;
  /** `{name}` is filled from the problem's values. */
  readonly what: string;
  readonly why: string;
  readonly do: string;
}

/** Every problem by its code. */
export const catalogue = {
  ...setupProblems,
  "environment-wrong": {
    exit: "usage",
    what: "The setting {name} is wrong: {wrong}.",
    why: "forgehand reads its own settings from the environment and starts only when they make sense.",
    do: "Set {name}, or put the value into a file and set {name}_FILE to its path. Then run `forgehand doctor`.",
  },
  "environment-unknown": {
    exit: "usage",
    what: "There is no setting {name}; did you mean {meant}?",
    why: "A misspelt setting would silently count as absent.",
    do: "Call it {meant}, or take {name} out of the environment. Then run `forgehand doctor`.",
  },
  "environment-file": {
    exit: "usage",
    what: "The file {path} that {name} points to cannot be read: {why}.",
    why: "A setting whose name ends in _FILE is read from that file at start.",
    do: "Correct the path or its permissions (it should be readable by this user only), then start again.",
  },
  "servers-wrong": {
    exit: "usage",
    what: "The file of MCP bundles is wrong at {path}: {why}",
    why: "It says which servers of tools agents may be given; a part of it that cannot be read could open more than was meant.",
    do: "Correct the file, or take it away; FORGEHAND_MCP names it (`mcp.yml` in the data folder when not set). Then run `forgehand doctor`.",
  },
  "prices-wrong": {
    exit: "usage",
    what: "The file of prices is wrong at {path}: {why}",
    why: "It says what tokens of a model cost; money that is counted wrongly passes its caps.",
    do: "Correct the file, or take it away; FORGEHAND_PRICES names it (`prices.yml` in the data folder when not set). Then run `forgehand doctor`.",
  },
  "linear-file-wrong": {
    exit: "usage",
    what: "The file on Linear is wrong at {path}: {why}",
    why: "It says where tickets are built and who may approve; a part of it that cannot be read could open more than was meant.",
    do: "Correct the file, or take it away; FORGEHAND_LINEAR_FILE names it (`linear.yml` in the data folder when not set). Then run `forgehand doctor`.",
  },
  "github-missing": {
    exit: "usage",
    what: "The GitHub App is not configured; not set: {missing}.",
    why: "Without the App's id, private key and webhook secret, forgehand can neither hear GitHub nor answer it.",
    do: 'Run `forgehand init`, which makes an App in three clicks or takes one of yours; or set {missing} from the App\'s settings page (General), each directly or as a file with _FILE. Without an account: `forgehand run "what is to be done"` in a git repository, or `forgehand demo`.',
  },
  "github-key-wrong": {
    exit: "usage",
    what: "FORGEHAND_PRIVATE_KEY is no usable RSA private key: {why}.",
    why: "The App signs its requests to GitHub with this key.",
    do: "On the App's settings page generate a new private key, save the .pem file and set FORGEHAND_PRIVATE_KEY_FILE to its path.",
  },
  "github-app-refused": {
    exit: "permission",
    what: "GitHub does not accept App {appId} with this private key ({status}).",
    why: "The key belongs to another App, was deleted, or this machine's clock is off by more than a minute.",
    do: "Compare FORGEHAND_APP_ID with the App's settings page, generate a new key if in doubt, and check the clock.",
  },
  "github-url-wrong": {
    exit: "remote",
    what: "No GitHub API answers at {url}: {why}.",
    why: "FORGEHAND_GITHUB_API_URL is the root of the REST API, for GitHub Enterprise Server `https://HOST/api/v3`.",
    do: "Correct FORGEHAND_GITHUB_API_URL, or leave it out for GitHub.com.",
  },
  "webhook-secret-wrong": {
    exit: "usage",
    what: "GitHub's deliveries are signed with another secret than FORGEHAND_WEBHOOK_SECRET.",
    why: "{count} deliveries were refused with a wrong signature; none was read.",
    do: "Set the same secret in the App's settings (General → Webhook) and here. While changing it, keep the old one in FORGEHAND_WEBHOOK_SECRET_PREVIOUS.",
  },
  "webhook-url-wrong": {
    exit: "usage",
    what: "The App's webhook URL is {url}; deliveries do not arrive here.",
    why: "GitHub posts to the URL in the App's settings, which must end in /webhooks/github and reach this process.",
    do: "Set the webhook URL in the App's settings to https://YOUR-HOST/webhooks/github and redeliver the ping.",
  },
  "permissions-missing": {
    exit: "permission",
    what: "The App lacks {missing} on {owner}.",
    why: "The installation was granted fewer permissions than app.yml asks for.",
    do: "An owner accepts them at {url}.",
  },
  "repo-not-installed": {
    exit: "permission",
    what: "The App is not installed on {repo}.",
    why: "GitHub gives access to repositories one by one, and this one is not among them.",
    do: "Add {repo} to the installation at {url}, then try again.",
  },
  "merge-impossible": {
    exit: "permission",
    what: "Nothing can ever be merged into {branch} of {repo}: {why}.",
    why: "The branch's protection asks for something forgehand does not do, and it never bypasses a rule.",
    do: "Relax that rule for the App, or leave `auto-merge` off and let a person merge.",
  },
  "config-wrong": {
    exit: "usage",
    what: "{path}:{line}:{column}: {message}",
    why: "The configuration is read from the default branch of {repo}; until it is right, nothing new starts there, and what is under way goes on under the last one that was.",
    do: "Correct it on the default branch; `forgehand config schema` prints what is allowed.",
  },
  "agents-file-wrong": {
    exit: "usage",
    what: "{faults}",
    why: "Agents beyond Claude Code and Codex are listed in this file; with a fault in it none of it counts, and nothing starts.",
    do: "Correct {path}; docs/agents.md says what an entry may hold. Then run `forgehand doctor`.",
  },
  "agents-file-unreadable": {
    exit: "usage",
    what: "The agents file {path} cannot be read: {why}.",
    why: "FORGEHAND_AGENTS names it, or it lies in the data folder as agents.yml.",
    do: "Correct FORGEHAND_AGENTS or the permissions of the file, then run `forgehand doctor`.",
  },
  "runtime-absent": {
    exit: "usage",
    what: "The runtime {runtime} is not installed: no `{binary}` on the PATH.",
    why: "The ticket, its label or the configuration asks for it.",
    do: "Install it (`npm install -g {package}`) or choose another with a `runtime/<name>` label or `runtime.default`.",
  },
  "runtime-logged-out": {
    exit: "permission",
    what: "The runtime {runtime} is not logged in: {why}.",
    why: "It answered, but its model refuses to work for this account.",
    do: "Log in once as the user forgehand runs as (`{binary}`), or set its API key, then say `forgehand retry`.",
  },
  "database-full": {
    exit: "failed",
    what: "The disk that holds {path} is full; nothing more can be recorded.",
    why: "forgehand acts only on what is safely on disk, so it waits. Nothing acknowledged is lost.",
    do: "Free space there. A forgehand that runs goes on by itself as soon as there is room; start one again that could not start or has ended.",
  },
  "database-readonly": {
    exit: "permission",
    what: "The database {path} cannot be written.",
    why: "The database, the files `-wal` and `-shm` beside it and their directory are all written; one of them, or the whole disk, is read-only for this user.",
    do: "Give this user write access to {closed}, or set FORGEHAND_DATABASE to another path.",
  },
  "database-unopenable": {
    exit: "usage",
    what: "The database {path} cannot be opened: {why}.",
    why: "The file is made at the first start, in a directory that exists; only the data folder is made with it.",
    do: "Create the directory, or set FORGEHAND_DATABASE to another path.",
  },
  "database-closed": {
    exit: "permission",
    what: "The database {path} cannot be opened: {closed} is closed to this user.",
    why: "A database is read and written by the user that forgehand runs as, and it may belong to another one.",
    do: "Give this user access (`ls -ld {closed}` shows who has it), run this as the user who has it, or set FORGEHAND_DATABASE to another path.",
  },
  "database-broken": {
    exit: "failed",
    what: "{path} is no intact forgehand database: {why}.",
    why: "The file was damaged, or it is something else.",
    do: "Put a backup in its place, or set FORGEHAND_DATABASE to another path; do not delete it before looking.",
  },
  "database-busy": {
    exit: "locked",
    what: "The database {path} is locked by another process.",
    why: "It stayed locked for longer than five seconds.",
    do: "Find the other process (`fuser {path}`) and end it, or give this one its own FORGEHAND_DATABASE.",
  },
  ...safetyProblems,
  "database-binary-absent": {
    exit: "usage",
    what: "SQLite cannot be loaded on this machine: {why}.",
    why: "Its binary comes with better-sqlite3, for Linux (glibc and musl), macOS and Windows on x64 and arm64; nothing is compiled when forgehand is installed.",
    do: "Install forgehand again for the Node that runs it (`npm install -g forgehand`), or run the container image; on another system compile it with `npx node-gyp rebuild --release --directory node_modules/better-sqlite3`.",
  },
  "second-instance": {
    exit: "locked",
    what: "Another forgehand works on {path}: process {pid} on {host}, since {since}.",
    why: "Two of them would do everything twice.",
    do: "Stop that one first (`kill {pid}`), or give this one its own FORGEHAND_DATABASE.",
  },
  "port-taken": {
    exit: "locked",
    what: "Port {port} on {host} is taken.",
    why: "Another process listens there, perhaps another forgehand.",
    do: "End it, or set FORGEHAND_PORT to a free port.",
  },
  "port-forbidden": {
    exit: "permission",
    what: "This user may not listen on port {port}.",
    why: "Ports below 1024 are kept for the system.",
    do: "Set FORGEHAND_PORT to 1024 or above and put a proxy in front.",
  },
  "secret-key-wrong": {
    exit: "usage",
    what: "The key that seals secrets in the database cannot be used ({path}): {why}.",
    why: "Tokens of Linear are kept encrypted; their key is FORGEHAND_SECRET_KEY, else the file beside the database.",
    do: "{fix}.",
  },
  "linear-missing": {
    exit: "usage",
    what: "Linear is not configured; not set: {missing}.",
    why: "Signing in as an app of your own needs its client id, and with client credentials its secret.",
    do: "Make an OAuth application in Linear (Settings, API) with the redirect URL {redirect}, then set {missing}, directly or as a file with _FILE.",
  },
  "linear-app-refused": {
    exit: "permission",
    what: "Linear does not accept the app {client}: {why}.",
    why: "Its client id or secret is wrong, or it may not do what was asked (grant, scopes, actor).",
    do: "Compare FORGEHAND_LINEAR_CLIENT_ID and FORGEHAND_LINEAR_CLIENT_SECRET with the application's page in Linear (Settings, API), then `{command}`.",
  },
  "linear-code-refused": {
    exit: "permission",
    what: "Linear did not take the code of this sign-in: {why}.",
    why: "A code is good once and for a few minutes, and only for the redirect URL it was made for.",
    do: "Run `forgehand auth linear` again.",
  },
  "linear-consent-denied": {
    exit: "permission",
    what: "Consent was not given: {why}.",
    why: "An administrator of the workspace must install the app, with all the scopes it asks for.",
    do: "Run `forgehand auth linear` again and let an administrator consent.",
  },
  "linear-no-answer": {
    exit: "cancelled",
    what: "Nobody answered within {minutes} minutes at {redirect}{more}.",
    why: "After consent Linear sends the browser to that address, which must reach this host.",
    do: "Run `forgehand auth linear` again. Is the browser elsewhere? Then forward the port first: `ssh -L PORT:localhost:PORT THIS-HOST`.",
  },
  "linear-redirect-taken": {
    exit: "locked",
    what: "This host cannot listen for {redirect}: {why}.",
    why: "Linear's answer comes there; another program has that port, or this user may not listen on it.",
    do: "End the other program, or set FORGEHAND_LINEAR_REDIRECT to another port and add the same URL to the application in Linear.",
  },
  "linear-unreachable": {
    exit: "remote",
    what: "{why}",
    why: "Nothing was changed here; the tokens that are stored stay as they are.",
    do: "Look at the network and FORGEHAND_LINEAR_API_URL, then try again: `{command}`.",
  },
  "linear-signed-out": {
    exit: "permission",
    what: "Linear workspace {name} needs a person to sign in again: {why}.",
    why: "Nothing new is dispatched for it; agents at work finish their turn.",
    do: "{fix}",
  },
  "linear-workspace-unknown": {
    exit: "notFound",
    what: "No sign-in to the Linear workspace {workspace}.",
    why: "Those there are: {known}.",
    do: "Name one of them with --workspace, or `forgehand auth linear` signs in.",
  },
  "ticket-unknown": {
    exit: "notFound",
    what: "There is no ticket {ticket}.",
    why: "Tickets are known once somebody with triage access or more, or a bot of `allow_bots`, has put `agent-ready` on their issue. From anybody else the label is refused, which the log of `forgehand up` tells.",
    do: "`forgehand ps` lists them; name one as `42`, `owner/repo#42`, `ENG-42`, `workspace/ENG-42` or by its id. If it carries the label, `forgehand doctor` shows whether deliveries arrive.",
  },
  ...localProblems,
  "ledger-broken": {
    exit: "failed",
    what: "The ledger does not hold from line {line}: {why}.",
    why: "Each line carries the hash of the one before, so a changed, missing or cut line shows.",
    do: "Compare with a backup before anything else is written; `forgehand ledger verify` says it again.",
  },
} as const satisfies Record<string, Entry>;

export type ProblemCode = keyof typeof catalogue;
export type ProblemValues = Readonly<Record<string, string | number>>;

/** A problem in words. */
export interface Told {
  readonly what: string;
  readonly why: string;
  readonly do: string;
}

/** Something the operator must put right. Its message says all three parts. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly exitCode: ExitCode;
  readonly values: ProblemValues;
  readonly told: Told;
  constructor(code: ProblemCode, values: ProblemValues = {}, options: { readonly cause?: unknown } = {}) {
    const told = tell(code, values);
    super(`${told.what}\n  why: ${told.why}\n  do:  ${told.do}`, options);
    this.name = "Problem";
    this.code = code;
    this.exitCode = exitCodes[catalogue[code].exit];
    this.values = values;
    this.told = told;
  }
}

function tell(code: ProblemCode, values: ProblemValues): Told {
  const entry: Entry = catalogue[code];
  // What others said may be a whole sentence: it brings its own end.
  const fill = (text: string): string =>
    text.replaceAll(/\{(\w+)\}(\.?)/gu, (_, name: string, stop: string) => {
      const value = String(values[name] ?? "unknown");
      return /[.!?]$/u.test(value) ? value : value + stop;
    });
  return { what: fill(entry.what), why: fill(entry.why), do: fill(entry.do) };
}

/** The system's and SQLite's own codes that an operator can put right, by the longest prefix that fits. */
const known: Readonly<Record<string, ProblemCode>> = {
  SQLITE_FULL: "database-full",
  ENOSPC: "database-full",
  EDQUOT: "database-full",
  SQLITE_READONLY: "database-readonly",
  EROFS: "database-readonly",
  SQLITE_CANTOPEN: "database-unopenable",
  SQLITE_NOTADB: "database-broken",
  SQLITE_CORRUPT: "database-broken",
  SQLITE_NOBINARY: "database-binary-absent",
  SQLITE_BUSY: "database-busy",
  SQLITE_LOCKED: "database-busy",
  EADDRINUSE: "port-taken",
  EACCES: "port-forbidden",
};

const maxCauses = 8;

/**
 * The problem behind an error, found along its causes; undefined when it is none the operator could put right.
 * `values` says what the error itself does not know, such as the path of the database.
 */
export function problemOf(error: unknown, values: ProblemValues = {}): Problem | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < maxCauses && at instanceof Error; depth += 1) {
    if (at instanceof Problem) return at;
    const code = codeOf(at);
    if (code !== undefined) return new Problem(code, { ...detailsOf(at), ...values }, { cause: error });
    at = at.cause;
  }
  return undefined;
}

function codeOf(error: Error): ProblemCode | undefined {
  if (!("code" in error) || typeof error.code !== "string") return undefined;
  if ("syscall" in error && error.syscall === "uv_cwd") return "folder-gone";
  const { code } = error;
  // EACCES means a port only when somebody tried to listen; on a file it is said by whoever read the file.
  if (code === "EACCES" && !("syscall" in error && error.syscall === "listen")) return undefined;
  const prefix = Object.keys(known)
    .filter((one) => code === one || code.startsWith(`${one}_`))
    .toSorted((a, b) => b.length - a.length)[0];
  return prefix === undefined ? undefined : known[prefix];
}

function detailsOf(error: Error): ProblemValues {
  const { port, address, path } = error as Error & Readonly<Record<"port" | "address" | "path", unknown>>;
  return {
    why: error.message,
    // Whoever looked at the files themselves names which one.
    closed: "all of them",
    ...(typeof port === "number" ? { port } : {}),
    ...(typeof address === "string" ? { host: address } : {}),
    ...(typeof path === "string" ? { path } : {}),
  };
}
