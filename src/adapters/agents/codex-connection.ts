import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { inToml } from "./codex-tools.ts";

/** What of an operator's `config.toml` says how to reach the model; no other key of it counts. */
const kept = [
  "model",
  "model_reasoning_effort",
  "model_context_window",
  "model_catalog_json",
  "service_tier",
  "openai_base_url",
  "chatgpt_base_url",
  "cli_auth_credentials_store",
  "forced_login_method",
  "forced_chatgpt_workspace_id",
  "check_for_update_on_startup",
  "analytics",
  "feedback",
] as const;

export interface CodexConnection {
  /** `key=value` for `-c`. */
  readonly settings: readonly string[];
  /** Tokens and headers that the file holds in clear: they do not belong on a command line. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Codex is told to leave the operator's `config.toml` alone, because servers, hooks and instructions of one's own stand
 * there; this is what it needs of it nevertheless. Throws when the file is no TOML.
 */
export async function codexConnection(codexHome: string): Promise<CodexConnection> {
  const text = await readFile(join(codexHome, "config.toml"), "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });
  const found: Readonly<Record<string, unknown>> = parse(text);
  const settings = kept.flatMap((key) => (found[key] === undefined ? [] : [`${key}=${inToml(found[key])}`]));
  const name = found["model_provider"];
  if (typeof name !== "string") return { settings, env: {} };
  const provider = inside(found["model_providers"], name);
  const { table, env } = withoutSecrets(provider);
  return {
    settings: [
      ...settings,
      `model_provider=${inToml(name)}`,
      ...(table === undefined ? [] : [`model_providers={${inToml(name)}=${inToml(table)}}`]),
    ],
    env,
  };
}

function withoutSecrets(provider: unknown): {
  readonly table: Readonly<Record<string, unknown>> | undefined;
  readonly env: Readonly<Record<string, string>>;
} {
  if (typeof provider !== "object" || provider === null) return { table: undefined, env: {} };
  const {
    http_headers: headers,
    experimental_bearer_token: token,
    ...table
  } = { ...provider } as Readonly<Record<string, unknown>>;
  const env: Record<string, string> = {};
  const named: Record<string, unknown> = { ...asRecord(table["env_http_headers"]) };
  for (const [index, [header, value]] of Object.entries(asRecord(headers)).entries()) {
    env[`CODEX_PROVIDER_HEADER_${index}`] = String(value);
    named[header] = `CODEX_PROVIDER_HEADER_${index}`;
  }
  if (typeof token === "string") env["CODEX_PROVIDER_TOKEN"] = token;
  return {
    table: {
      ...table,
      ...(Object.keys(named).length === 0 ? {} : { env_http_headers: named }),
      ...(typeof token === "string" ? { env_key: "CODEX_PROVIDER_TOKEN" } : {}),
    },
    env,
  };
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};
const inside = (value: unknown, key: string): unknown => asRecord(value)[key];
