import type { Setting } from "../config-environment.ts";
import { guides } from "./help-guides.ts";
import type { Topic } from "./help-topic-list.ts";

/** What each setting is for; a secret one may as well be the path of a file, in the variable of this name and `_FILE`. */
export const settingsHelp: Readonly<Record<Setting, { readonly about: string; readonly otherwise: string }>> =
  {
    APP_ID: { about: "id of the GitHub App, from its settings page", otherwise: "needed by `up`" },
    PRIVATE_KEY: { about: "its private key, PEM", otherwise: "needed by `up`" },
    WEBHOOK_SECRET: { about: "the secret its webhooks are signed with", otherwise: "needed by `up`" },
    WEBHOOK_SECRET_PREVIOUS: {
      about: "the old secret, still honoured while it is changed",
      otherwise: "none",
    },
    LINEAR_WEBHOOK_SECRET: {
      about: "secrets of Linear's webhooks: the application's, or WORKSPACE-ID=SECRET; several with commas",
      otherwise: "no webhooks of Linear",
    },
    LINEAR_WEBHOOK_SECRET_PREVIOUS: {
      about: "the old ones, still honoured while they are changed",
      otherwise: "none",
    },
    GITHUB_API_URL: {
      about: "root of the REST API; GitHub Enterprise Server: https://HOST/api/v3",
      otherwise: "https://api.github.com",
    },
    FEED: {
      about:
        "where GitHub's news come from: webhook, pull (no public URL needed), or smee:URL of a channel; see docs/getting-started-github.md",
      otherwise: "webhook",
    },
    LINEAR_CLIENT_ID: {
      about: "client id of your OAuth application in Linear, see docs/linear.md",
      otherwise: "Linear is not used",
    },
    LINEAR_CLIENT_SECRET: { about: "its secret, where it has one", otherwise: "none" },
    LINEAR_API_KEY: {
      about: "a person's own key for Linear, for trials: no app identity, no delegation",
      otherwise: "none",
    },
    LINEAR_API_URL: { about: "root of Linear's API", otherwise: "https://api.linear.app" },
    LINEAR_FILE: {
      about:
        "YAML file on Linear's boards: repositories, routes, names of states, people; see docs/linear.md",
      otherwise: "`linear.yml` in the data folder",
    },
    LINEAR_REDIRECT: {
      about: "redirect URL of that application, on this host",
      otherwise: "http://localhost:8977/linear/callback",
    },
    SECRET_KEY: {
      about: "32 bytes in base64 or hex that seal Linear's tokens in the database",
      otherwise: "a file beside it, forgehand.db.key, made once",
    },
    DATA_DIR: {
      about: "workspaces, logs and, unless told otherwise, the database",
      otherwise: "$XDG_STATE_HOME/forgehand, usually ~/.local/state/forgehand",
    },
    DATABASE: { about: "the SQLite file", otherwise: "forgehand.db in the data folder" },
    HOST: { about: "address to listen on", otherwise: "127.0.0.1" },
    PORT: { about: "port to listen on; 0 takes a free one", otherwise: "3000" },
    LOG_LEVEL: { about: "trace, debug, info, warn, error, fatal or silent", otherwise: "info" },
    LOG_FILE: {
      about: "file the log of `up` is written to; turned every day and every 20 MB, ten are kept",
      otherwise: "stderr",
    },
    DRAIN_MINUTES: {
      about: "how long runs may go on after SIGTERM before they are interrupted",
      otherwise: "30",
    },
    CONCURRENCY: { about: "agents at work on this host at once", otherwise: "3" },
    DAY_WARN_USD: { about: "dollars a day after which a warning is logged", otherwise: "50" },
    DAY_STOP_USD: { about: "dollars a day after which nothing new starts", otherwise: "100" },
    TENANT_DAY_USD: {
      about: "the same for the repositories of each account, and for the tickets of each Linear workspace",
      otherwise: "no cap of its own",
    },
    EXTENDS_FROM: {
      about: "owners, with commas, whose repositories any other may extend in its configuration",
      otherwise: "nobody's but its own owner's",
    },
    CLAUDE_CODE_BINARY: { about: "Claude Code's program", otherwise: "claude" },
    CODEX_BINARY: { about: "Codex's program", otherwise: "codex" },
    MCP: {
      about: "YAML file of the bundles of MCP servers that repositories may name",
      otherwise: "mcp.yml in the data folder",
    },
    PRICES: {
      about: "YAML file of your own prices of models",
      otherwise: "`prices.yml` in the data folder",
    },
    WORKFLOWS: {
      about: "folder of your own workflows that a label workflow/<name> may pick",
      otherwise: "workflows in the data folder",
    },
    LOG_MB: {
      about: "megabytes of disk for what agents said; the oldest goes first",
      otherwise: "2048",
    },
    SUMMARY: {
      about:
        "runtime that sums up ended runs of tickets, with its model: codex:MODEL; small and cheap is enough",
      otherwise: "made from the record alone",
    },
    AGENTS: {
      about: "YAML file of further agents, as docs/agents.md says",
      otherwise: "agents.yml in the data folder, where there is one",
    },
    OPERATORS: {
      about:
        "logins of GitHub, with commas, who may have forgehand update itself, and everything in the dashboard",
      otherwise: "nobody",
    },
    PUBLIC_URL: {
      about: "address under which people elsewhere reach the dashboard, such as https://forgehand.example",
      otherwise: "none: this host alone",
    },
    CLIENT_ID: {
      about: "client id of the App, with which people log in to the dashboard",
      otherwise: "nobody logs in with GitHub",
    },
    CLIENT_SECRET: { about: "client secret of the App", otherwise: "nobody logs in with GitHub" },
    REGISTRY: {
      about: "npm registry that other versions of forgehand come from",
      otherwise: "the one npm uses",
    },
    AGENT_HOME: { about: "HOME of the agents, where their logins lie", otherwise: "your own HOME" },
    SANDBOX: {
      about:
        "where agents and commands run: local, bubblewrap, docker, kubernetes, ssh; `local,codex=bubblewrap` for single runtimes",
      otherwise: "local",
    },
    SANDBOX_NETWORK: {
      about: "of agents: open, none, or model for nothing but their model",
      otherwise: "model in bubblewrap and docker, open in the others",
    },
    SANDBOX_READ: {
      about: "further folders they may read in bubblewrap, with `:` between",
      otherwise: "none",
    },
    COMMAND_NETWORK: { about: "of a repository's commands in a sandbox: open or none", otherwise: "open" },
    AGENT_MEMORY_MB: { about: "memory of an agent and its processes together", otherwise: "no limit" },
    AGENT_PROCESSES: { about: "processes and threads of an agent", otherwise: "no limit" },
    AGENT_DISK_MB: { about: "of one file, and of all that an agent may write", otherwise: "no limit" },
    AGENT_CPUS: { about: "cores of an agent, in docker and kubernetes", otherwise: "no limit" },
    SANDBOX_IMAGE: { about: "image with the agents in it, for docker and kubernetes", otherwise: "none" },
    DOCKER_RUNTIME: {
      about: "runtime of the containers, such as gVisor's runsc",
      otherwise: "the engine's own",
    },
    KUBERNETES_CONTEXT: { about: "context of kubectl's configuration", otherwise: "its current one" },
    KUBERNETES_NAMESPACE: { about: "where the Jobs of agents are made", otherwise: "default" },
    KUBERNETES_RUNTIME_CLASS: { about: "runtime class of their pods", otherwise: "the cluster's own" },
    SSH_HOSTS: {
      about: "hosts agents run on: `user@host:port?cap=2&root=/path&path=/bin`, with commas between",
      otherwise: "none",
    },
    SSH_CONFIG: { about: "configuration file of ssh", otherwise: "your own" },
    SCENES: {
      about: "a JSON file of parts that the agents of a workflow play instead of working",
      otherwise: "they work",
    },
  };

export const exitCodesHelp: Readonly<Record<number, string>> = {
  0: "it is done",
  1: "it failed, or something is damaged; of `review`: the change must be mended",
  2: "it was cancelled",
  3: "it waits for a person (`explain` of a ticket that is blocked or to be approved)",
  4: "wrong usage or configuration",
  5: "there is no such ticket, database or file",
  6: "a permission or a login is missing",
  7: "a budget is spent; of `review`: nobody gave a verdict that counts",
  8: "a remote did not answer",
  9: "locked: another instance, or a port that is taken",
  10: "a workflow ended without reaching what it wanted (a loop was exhausted, a saga took itself back)",
  11: "a workflow failed, and whether it reached what it wanted is unknown",
};

/** `forgehand help <topic>`. */
export const topics: Readonly<Record<Topic, () => string>> = {
  ...guides,
  "exit-codes": () =>
    Object.entries(exitCodesHelp)
      .map(([code, meaning]) => `${code}  ${meaning}`)
      .join("\n"),
  environment: () => {
    const rows = Object.entries(settingsHelp).map(([name, { about, otherwise }]) => [
      `FORGEHAND_${name}`,
      `${about} (${otherwise})`,
    ]);
    const width = Math.max(...rows.map(([name = ""]) => name.length));
    return [
      "Each may be given as a file instead: FORGEHAND_PRIVATE_KEY_FILE=/path/key.pem. In brackets what holds otherwise.",
      "",
      ...rows.map(([name = "", text = ""]) => `${name.padEnd(width)}  ${text}`),
      "",
      "They are read from the environment, and under it from forgehand.env in your configuration folder, which `forgehand init`",
      "writes ($XDG_CONFIG_HOME/forgehand, usually ~/.config/forgehand). FORGEHAND_PRIVATE_KEY_KEYCHAIN=NAME takes a secret out of",
      "the keychain of this system.",
      "",
      "ANTHROPIC_API_KEY goes to Claude Code alone, OPENAI_API_KEY and CODEX_API_KEY to Codex alone.",
    ].join("\n");
  },
};
