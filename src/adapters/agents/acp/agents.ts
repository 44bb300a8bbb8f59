import type { Family } from "../../../ports-agents.ts";
import type { AcpManner } from "./opening.ts";
import { testedVersions, type TestedVersions } from "../versions.ts";

/** An agent of the Agent Client Protocol that needs no description of its own: `use: opencode`. */
export interface KnownAgent {
  readonly title: string;
  readonly command: readonly [binary: string, ...args: string[]];
  readonly install: string;
  readonly login: string;
  /** The maker it usually runs on; `unknown` where that is up to the operator. */
  readonly family: Family;
  /** It calls the models of this maker and of no other, whether it names them or not. */
  readonly only: Family;
  /** Variables of its own that are passed through where the operator has set them. */
  readonly env: readonly string[];
  readonly switches: Readonly<Record<"always" | "read" | "write", Readonly<Record<string, string>>>>;
  readonly modes: AcpManner["modes"];
  readonly authMethod: string | undefined;
  readonly sessionMeta: Readonly<Record<string, unknown>> | undefined;
  readonly tested: TestedVersions;
}

const nothing = {
  only: "unknown",
  switches: { always: {}, read: {}, write: {} },
  modes: {},
  authMethod: undefined,
  sessionMeta: undefined,
} as const;

/** Asked for leave and refused, it ends its whole turn; so what is never allowed is denied beforehand. */
const opencodeDenies = { external_directory: "deny", webfetch: "deny", websearch: "deny", question: "deny" };

/** By the name that `use` takes. Each was tried; docs/agents.md says how far. */
export const knownAgents: Readonly<Record<string, KnownAgent>> = {
  opencode: {
    ...nothing,
    title: "opencode",
    command: ["opencode", "acp"],
    install: "npm install -g opencode-ai",
    login: "run `opencode auth login`, or name its key under `env`",
    family: "unknown",
    env: ["OPENCODE_API_KEY", "OPENCODE_CONFIG"],
    switches: {
      // Neither settings nor plugins of the repository: they would run code of it, and loosen what is denied here.
      always: {
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_PROJECT_CONFIG: "1",
        OPENCODE_DISABLE_SHARE: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      },
      read: { OPENCODE_PERMISSION: JSON.stringify({ edit: "deny", bash: "deny", ...opencodeDenies }) },
      write: { OPENCODE_PERMISSION: JSON.stringify({ edit: "allow", bash: "allow", ...opencodeDenies }) },
    },
    tested: testedVersions.opencode,
  },
  copilot: {
    ...nothing,
    title: "GitHub Copilot CLI",
    command: ["copilot", "--acp"],
    install: "npm install -g @github/copilot",
    login: "run `copilot login`, or set COPILOT_PROVIDER_BASE_URL and COPILOT_PROVIDER_API_KEY",
    family: "unknown",
    env: [
      "COPILOT_PROVIDER_TYPE",
      "COPILOT_PROVIDER_BASE_URL",
      "COPILOT_PROVIDER_API_KEY",
      "COPILOT_PROVIDER_WIRE_API",
      "COPILOT_MODEL",
      "COPILOT_OFFLINE",
    ],
    switches: { ...nothing.switches, always: { COPILOT_AUTO_UPDATE: "false" } },
    tested: testedVersions.copilot,
  },
  gemini: {
    ...nothing,
    title: "Gemini CLI",
    command: ["gemini", "--acp"],
    install: "npm install -g @google/gemini-cli",
    login: "run `gemini` once and log in, or set GEMINI_API_KEY",
    family: "google",
    only: "google",
    env: ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_CLOUD_PROJECT"],
    modes: { read: "default", write: "default" },
    authMethod: "gemini-api-key",
    tested: testedVersions.gemini,
  },
  qwen: {
    ...nothing,
    title: "Qwen Code",
    command: ["qwen", "--acp"],
    install: "npm install -g @qwen-code/qwen-code",
    login: "run `qwen` once and log in, or set OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL",
    family: "alibaba",
    env: ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "DASHSCOPE_API_KEY"],
    // Its usual mode lets a model decide what is safe.
    modes: { read: "default", write: "default" },
    tested: testedVersions.qwen,
  },
  "claude-agent-acp": {
    ...nothing,
    title: "Claude Agent",
    command: ["claude-agent-acp"],
    install: "npm install -g @agentclientprotocol/claude-agent-acp",
    login: "run `claude` once and log in, or set ANTHROPIC_API_KEY",
    family: "anthropic",
    env: [
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_AUTH_TOKEN",
      "ANTHROPIC_BASE_URL",
      "CLAUDE_CODE_OAUTH_TOKEN",
      "CLAUDE_CODE_EXECUTABLE",
      "CLAUDE_CONFIG_DIR",
    ],
    switches: {
      ...nothing.switches,
      always: {
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        CLAUDE_CODE_MAX_RETRIES: "4",
        DISABLE_AUTOUPDATER: "1",
        DISABLE_TELEMETRY: "1",
        DISABLE_ERROR_REPORTING: "1",
      },
    },
    modes: { read: "default", write: "acceptEdits" },
    // Neither settings nor servers of the operator or of the repository.
    sessionMeta: {
      claudeCode: { options: { settingSources: [], strictMcpConfig: true, promptSuggestions: false } },
    },
    tested: testedVersions["claude-agent-acp"],
  },
  "codex-acp": {
    ...nothing,
    title: "Codex by ACP",
    command: ["codex-acp"],
    install: "npm install -g @agentclientprotocol/codex-acp",
    login: "run `codex login`, or set CODEX_API_KEY",
    family: "openai",
    env: ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_HOME", "CODEX_PATH"],
    // Its own sandbox cannot be made inside one of ours.
    modes: { read: "read-only", write: "workspace-write", within: "agent-full-access" },
    authMethod: "api-key",
    tested: testedVersions["codex-acp"],
  },
};
