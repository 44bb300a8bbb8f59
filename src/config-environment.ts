import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";
import { accessEntries, accessSettings, type AccessSettings } from "./config-access.ts";
import { elsewhereSchemas } from "./config-elsewhere.ts";
import { feedSchema, type Feed } from "./config-feed.ts";
import { readKey } from "./config-key.ts";
import { metricsTokenSchema } from "./config-observability.ts";
import {
  cpusSchema,
  foldersSchema,
  networkOf,
  sandboxSchema,
  usualSandbox,
  type SandboxSettings,
} from "./config-sandbox.ts";
import {
  linearSchemas,
  linearSecrets,
  linearSecretsSchema,
  linearSettings,
  type LinearSettings,
  type LinearWebhookSecret,
} from "./config-linear.ts";
import { notifySchema } from "./config-notify.ts";
import { logins, owners, path, secret, summary, webUrl, wholeNumber } from "./config-values.ts";
import { placesOf } from "./places.ts";
import { Problem } from "./problems.ts";

/** What the process was told from outside. */
export interface Environment {
  /** Undefined when nothing of a GitHub App is set. */
  readonly github: GitHubSettings | undefined;
  /** Undefined when nothing of Linear is set. */
  readonly linear?: LinearSettings | undefined;
  /** The operator's file on Linear's boards; `linear.yml` in the data folder when left out. */
  readonly linearFile?: string | undefined;
  /** What secrets in the database are sealed with; a file beside it when left out. */
  readonly secretKey?: string | undefined;
  /** Secrets that Linear's webhooks are signed with, those still honoured behind them; none without Linear. */
  readonly linearWebhookSecrets?: readonly LinearWebhookSecret[] | undefined;
  /** Root of the REST API where it is said, with an App or without one. */
  readonly apiUrl?: string | undefined;
  /** Where GitHub's news come from; webhooks when left out. */
  readonly feed?: Feed | undefined;
  readonly database: string;
  /** Mirrors, worktrees and logs live below it. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Where log lines go instead of stderr. */
  readonly logFile?: string | undefined;
  /** How long runs may go on after SIGTERM; `usualDrainMinutes` when left out. */
  readonly drainMinutes?: number | undefined;
  /** Agents at work on this host at once. */
  readonly concurrency: number;
  /** Dollars a day after which a warning is logged; 50 when left out. */
  readonly dayWarnUsd?: number | undefined;
  /** Dollars a day after which nothing new starts until midnight UTC; 100 when left out. */
  readonly dayStopUsd?: number | undefined;
  /** The same for the repositories of each account; no cap of its own when left out. */
  readonly tenantDayUsd?: number | undefined;
  /** What lets a scraper read `/metrics` besides tokens of that scope; no such when left out. */
  readonly metricsToken?: string | undefined;
  /** Owners whose repositories any other may extend, in lower case; nobody's but its own owner's when left out. */
  readonly extendsFrom?: readonly string[] | undefined;
  /** Binary of each runtime. */
  readonly runtimes: { readonly "claude-code": string; readonly codex: string };
  /** HOME of the agents, where their logins lie; the operator's own when left out. */
  readonly agentHome?: string | undefined;
  /** Where agents and commands run; on this host as it is when left out. */
  readonly sandbox?: SandboxSettings | undefined;
  /** Parts that every agent of a workflow plays instead of working. */
  readonly scenes?: string | undefined;
  /** The operator's own prices of models; `prices.yml` in the data folder when left out. */
  readonly prices?: string | undefined;
  /** The operator's bundles of MCP servers; `mcp.yml` in the data folder when left out. */
  readonly mcp?: string | undefined;
  /** The operator's own workflows that a label may pick; `workflows` below the data folder when left out. */
  readonly workflows?: string | undefined;
  /** Of disk for what agents said, compressed; 2 GB when left out. */
  readonly logBytes?: number | undefined;
  /** Who sums runs up in words of its own; undefined: the record alone is told. */
  readonly summary?: { readonly runtime: string; readonly model: string | undefined } | undefined;
  /** The operator's list of further agents; `agents.yml` below the data folder when left out. */
  readonly agents?: string | undefined;
  /** Logins of who may have forgehand replace itself; nobody when left out. */
  readonly operators?: readonly string[] | undefined;
  readonly access?: AccessSettings | undefined;
  /** Where other versions of forgehand are fetched; npm's own registry when left out. */
  readonly registry?: string | undefined;
  /** Where people are told beside the forge. */
  readonly notify?: z.output<ReturnType<typeof notifySchema>> | undefined;
}
export interface GitHubSettings {
  readonly appId: number;
  /** PEM. */
  readonly privateKey: string;
  /** The current one first, then the one still honoured during a rotation. */
  readonly webhookSecrets: readonly [current: string, ...previous: string[]];
  /** Root of the REST API, without a trailing slash. */
  readonly apiUrl: string;
}

export const usualDrainMinutes = 30;
export const gitHubApiUrl = "https://api.github.com";

/** Every setting by its name without the prefix. `secret` ones are never shown. */
const settings = {
  APP_ID: { schema: wholeNumber(1, Number.MAX_SAFE_INTEGER), secret: "no" },
  PRIVATE_KEY: { schema: secret, secret: "yes" },
  WEBHOOK_SECRET: { schema: secret, secret: "yes" },
  WEBHOOK_SECRET_PREVIOUS: { schema: secret, secret: "yes" },
  LINEAR_WEBHOOK_SECRET: { schema: linearSecretsSchema, secret: "yes" },
  LINEAR_WEBHOOK_SECRET_PREVIOUS: { schema: linearSecretsSchema, secret: "yes" },
  GITHUB_API_URL: { schema: webUrl, secret: "no" },
  FEED: { schema: feedSchema, secret: "no" },
  LINEAR_CLIENT_ID: { schema: linearSchemas.LINEAR_CLIENT_ID, secret: "no" },
  LINEAR_CLIENT_SECRET: { schema: linearSchemas.LINEAR_CLIENT_SECRET, secret: "yes" },
  LINEAR_API_KEY: { schema: linearSchemas.LINEAR_API_KEY, secret: "yes" },
  LINEAR_API_URL: { schema: linearSchemas.LINEAR_API_URL, secret: "no" },
  LINEAR_FILE: { schema: path, secret: "no" },
  LINEAR_REDIRECT: { schema: linearSchemas.LINEAR_REDIRECT, secret: "no" },
  SECRET_KEY: { schema: linearSchemas.SECRET_KEY, secret: "yes" },
  DATABASE: { schema: path, secret: "no" },
  DATA_DIR: { schema: path, secret: "no" },
  HOST: { schema: () => z.string().min(1, "a host name or address is expected"), secret: "no" },
  PORT: { schema: wholeNumber(0, 65_535), secret: "no" },
  LOG_LEVEL: {
    schema: () =>
      z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
        error: "one of trace, debug, info, warn, error, fatal, silent is expected",
      }),
    secret: "no",
  },
  LOG_FILE: { schema: path, secret: "no" },
  DRAIN_MINUTES: { schema: wholeNumber(0, 1440), secret: "no" },
  CONCURRENCY: { schema: wholeNumber(1, 1000), secret: "no" },
  CLAUDE_CODE_BINARY: { schema: path, secret: "no" },
  CODEX_BINARY: { schema: path, secret: "no" },
  AGENT_HOME: { schema: path, secret: "no" },
  SANDBOX: { schema: sandboxSchema, secret: "no" },
  SANDBOX_NETWORK: {
    schema: () => z.enum(["none", "model", "open"], { error: "one of none, model, open is expected" }),
    secret: "no",
  },
  SANDBOX_READ: { schema: foldersSchema, secret: "no" },
  COMMAND_NETWORK: {
    schema: () => z.enum(["none", "open"], { error: "one of none, open is expected" }),
    secret: "no",
  },
  AGENT_MEMORY_MB: { schema: wholeNumber(64, 100_000_000), secret: "no" },
  AGENT_PROCESSES: { schema: wholeNumber(64, 10_000_000), secret: "no" },
  AGENT_DISK_MB: { schema: wholeNumber(16, 100_000_000), secret: "no" },
  AGENT_CPUS: { schema: cpusSchema, secret: "no" },
  SANDBOX_IMAGE: { schema: elsewhereSchemas.SANDBOX_IMAGE, secret: "no" },
  DOCKER_RUNTIME: { schema: elsewhereSchemas.DOCKER_RUNTIME, secret: "no" },
  KUBERNETES_CONTEXT: { schema: elsewhereSchemas.KUBERNETES_CONTEXT, secret: "no" },
  KUBERNETES_NAMESPACE: { schema: elsewhereSchemas.KUBERNETES_NAMESPACE, secret: "no" },
  KUBERNETES_RUNTIME_CLASS: { schema: elsewhereSchemas.KUBERNETES_RUNTIME_CLASS, secret: "no" },
  SSH_HOSTS: { schema: elsewhereSchemas.SSH_HOSTS, secret: "no" },
  SSH_CONFIG: { schema: elsewhereSchemas.SSH_CONFIG, secret: "no" },
  SCENES: { schema: path, secret: "no" },
  MCP: { schema: path, secret: "no" },
  PRICES: { schema: path, secret: "no" },
  WORKFLOWS: { schema: path, secret: "no" },
  SUMMARY: { schema: summary, secret: "no" },
  LOG_MB: { schema: wholeNumber(1, 10_000_000), secret: "no" },
  AGENTS: { schema: path, secret: "no" },
  OPERATORS: { schema: logins, secret: "no" },
  REGISTRY: { schema: webUrl, secret: "no" },
  DAY_WARN_USD: { schema: wholeNumber(1, 1_000_000), secret: "no" },
  DAY_STOP_USD: { schema: wholeNumber(1, 1_000_000), secret: "no" },
  TENANT_DAY_USD: { schema: wholeNumber(1, 1_000_000), secret: "no" },
  EXTENDS_FROM: { schema: owners, secret: "no" },
  NOTIFY: { schema: notifySchema, secret: "yes" },
  ...accessEntries,
  METRICS_TOKEN: { schema: metricsTokenSchema, secret: "yes" },
} as const;
export type Setting = keyof typeof settings;
type Value<Name extends Setting> = z.output<ReturnType<(typeof settings)[Name]["schema"]>>;

const prefix = "FORGEHAND_";
/** The name of every setting; each may also be given as a file, with `_FILE` behind its name. */
export const settingVariables: readonly string[] = Object.keys(settings).map((name) => prefix + name);
/** Names of every setting that must not reach a log or an agent, both spellings. */
export const secretVariables: readonly string[] = (Object.keys(settings) as Setting[])
  .filter((name) => settings[name].secret === "yes")
  .flatMap((name) => [prefix + name, `${prefix}${name}_FILE`]);

/**
 * Reads `FORGEHAND_*`, each directly or from the file that `FORGEHAND_*_FILE` names. Throws a `Problem` that names
 * the setting and what is wrong with it, never its value.
 */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  readText: (path: string) => string,
  host: { readonly home: string; readonly isThere: (path: string) => boolean } = thisHost(env),
): Environment {
  refuseMisspelt(env);
  const read = <Name extends Setting>(name: Name): Value<Name> | undefined =>
    readSetting(env, readText, name);
  const dataDir =
    read("DATA_DIR") ??
    (host.isThere(`${formerDataDir}/forgehand.db`) ? formerDataDir : placesOf(env, host.home).state);
  return {
    github: readGitHub(read),
    linear: linearSettings(read),
    linearFile: read("LINEAR_FILE"),
    secretKey: read("SECRET_KEY"),
    linearWebhookSecrets: linearSecrets(
      read("LINEAR_WEBHOOK_SECRET"),
      read("LINEAR_WEBHOOK_SECRET_PREVIOUS"),
    ),
    apiUrl: read("GITHUB_API_URL"),
    feed: read("FEED"),
    database: read("DATABASE") ?? `${dataDir.replace(/\/+$/u, "")}/forgehand.db`,
    dataDir,
    host: read("HOST") ?? "127.0.0.1",
    port: read("PORT") ?? 3000,
    logLevel: read("LOG_LEVEL") ?? "info",
    logFile: read("LOG_FILE"),
    drainMinutes: read("DRAIN_MINUTES"),
    concurrency: read("CONCURRENCY") ?? 3,
    dayWarnUsd: read("DAY_WARN_USD"),
    dayStopUsd: read("DAY_STOP_USD"),
    tenantDayUsd: read("TENANT_DAY_USD"),
    extendsFrom: read("EXTENDS_FROM"),
    runtimes: {
      "claude-code": read("CLAUDE_CODE_BINARY") ?? "claude",
      codex: read("CODEX_BINARY") ?? "codex",
    },
    agentHome: read("AGENT_HOME"),
    sandbox: readSandbox(read),
    scenes: read("SCENES"),
    mcp: read("MCP"),
    prices: read("PRICES"),
    workflows: read("WORKFLOWS"),
    summary: read("SUMMARY"),
    logBytes: megabytes(read("LOG_MB")),
    agents: read("AGENTS"),
    operators: read("OPERATORS"),
    registry: read("REGISTRY"),
    notify: read("NOTIFY"),
    access: accessSettings(read),
    metricsToken: read("METRICS_TOKEN"),
  };
}

/** Where things were kept before there was a folder for state; one with a database in it is still used. */
export const formerDataDir = "./data";

const thisHost = (env: Readonly<Record<string, string | undefined>>) => ({
  home: env["HOME"] ?? homedir(),
  isThere: existsSync,
});

const megabytes = (count: number | undefined): number | undefined =>
  count === undefined ? undefined : count * 1024 * 1024;
type Read = <Name extends Setting>(name: Name) => Value<Name> | undefined;

function readSandbox(read: Read): SandboxSettings {
  const named = read("SANDBOX");
  const network = read("SANDBOX_NETWORK");
  const { usual = usualSandbox.usual, byRuntime = {} } = named ?? {};
  for (const sandbox of [usual, ...Object.values(byRuntime)]) networkOf(sandbox, network);
  return {
    usual,
    byRuntime,
    network,
    commandNetwork: read("COMMAND_NETWORK") ?? usualSandbox.commandNetwork,
    read: read("SANDBOX_READ") ?? [],
    limits: {
      memoryMb: read("AGENT_MEMORY_MB"),
      cpus: read("AGENT_CPUS"),
      processes: read("AGENT_PROCESSES"),
      diskMb: read("AGENT_DISK_MB"),
    },
    elsewhere: {
      image: read("SANDBOX_IMAGE"),
      dockerRuntime: read("DOCKER_RUNTIME"),
      kubernetesContext: read("KUBERNETES_CONTEXT"),
      kubernetesNamespace: read("KUBERNETES_NAMESPACE"),
      kubernetesRuntimeClass: read("KUBERNETES_RUNTIME_CLASS"),
      sshHosts: read("SSH_HOSTS"),
      sshConfig: read("SSH_CONFIG"),
    },
  };
}

/** The GitHub App's settings, or the problem that they are not there. */
export function requireGitHub(environment: Environment): GitHubSettings {
  if (environment.github === undefined) {
    throw new Problem("github-missing", { missing: needed.map((name) => prefix + name).join(", ") });
  }
  return environment.github;
}

const needed = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"] as const;

function readGitHub(
  read: <Name extends Setting>(name: Name) => Value<Name> | undefined,
): GitHubSettings | undefined {
  const appId = read("APP_ID");
  const privateKey = read("PRIVATE_KEY");
  const current = read("WEBHOOK_SECRET");
  const previous = read("WEBHOOK_SECRET_PREVIOUS");
  const apiUrl = read("GITHUB_API_URL") ?? gitHubApiUrl;
  if (appId === undefined && privateKey === undefined && current === undefined) return undefined;
  if (appId === undefined || privateKey === undefined || current === undefined) {
    const values = { APP_ID: appId, PRIVATE_KEY: privateKey, WEBHOOK_SECRET: current };
    const missing = needed.filter((name) => values[name] === undefined).map((name) => prefix + name);
    throw new Problem("github-missing", { missing: missing.join(", ") });
  }
  return {
    appId,
    privateKey: readKey(privateKey),
    webhookSecrets: previous === undefined ? [current] : [current, previous],
    apiUrl,
  };
}

function readSetting<Name extends Setting>(
  env: Readonly<Record<string, string | undefined>>,
  readText: (path: string) => string,
  setting: Name,
): Value<Name> | undefined {
  const name = prefix + setting;
  const file = env[`${name}_FILE`];
  const direct = env[name];
  if (file !== undefined && direct !== undefined) {
    throw new Problem("environment-wrong", { name, wrong: `both ${name} and ${name}_FILE are set` });
  }
  const text = file === undefined ? direct : readFile(name, file, readText);
  if (text === undefined) return undefined;
  const parsed = settings[setting].schema().safeParse(text.trim());
  if (!parsed.success) {
    throw new Problem("environment-wrong", {
      name,
      wrong: parsed.error.issues[0]?.message ?? "it is malformed",
    });
  }
  // The schema of this very name parsed it; the lookup by a type parameter hides that.
  return parsed.data as Value<Name>;
}

function readFile(name: string, file: string, readText: (path: string) => string): string {
  try {
    return readText(file);
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it is unreadable";
    throw new Problem("environment-file", { name: `${name}_FILE`, path: file, why }, { cause });
  }
}

const maxTypos = 2;

/** A misspelt setting would silently count as absent. Names that resemble none of ours are somebody else's. */
function refuseMisspelt(env: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(settings).flatMap((name) => [prefix + name, `${prefix}${name}_FILE`]);
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || names.includes(name)) continue;
    const meant = closest(name, names);
    if (distance(name, meant) > maxTypos) continue;
    throw new Problem("environment-unknown", { name, meant });
  }
}
