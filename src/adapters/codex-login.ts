/** What Codex finds in a home of its own, and how our proxy is let in to its model. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "smol-toml";
import { z } from "zod";
import { Trouble } from "../ports.ts";
import { networkVariables, type AgentHost } from "./agent-environment.ts";
import { only, without, type Furnisher } from "./lodging.ts";

const openAiUrl = "https://api.openai.com/v1";
const authSchema = z.looseObject({
  OPENAI_API_KEY: z.string().min(1).nullish().catch(undefined),
  tokens: z.looseObject({ refresh_token: z.string() }).nullish().catch(undefined),
});
const providers = z.record(z.string(), z.looseObject({ base_url: z.string().optional() })).optional();
const configSchema = z.object({ model_provider: z.string().optional(), model_providers: providers });
/** What of the operator's configuration says how to reach a model; never commands, servers or trusted folders. */
const essentials: ReadonlySet<string> = new Set([
  "chatgpt_base_url",
  "forced_login_method",
  "model",
  "model_auto_compact_token_limit",
  "model_context_window",
  "model_max_output_tokens",
  "model_provider",
  "model_providers",
  "model_reasoning_effort",
  "model_reasoning_summary",
  "model_verbosity",
  "openai_base_url",
  "preferred_auth_method",
  "service_tier",
]);
const quiet = {
  check_for_update_on_startup: false,
  cli_auth_credentials_store: "file",
  analytics: { enabled: false },
  feedback: { enabled: false },
};
const credentialNames = ["CODEX_API_KEY", "OPENAI_API_KEY"] as const;

/** Of the operator's login only what opens the model for a while: what renews it would be used up by a copy. */
export function codexFurnisher(
  host: AgentHost,
  codexHome: string,
  env: Readonly<Record<string, string>>,
): Furnisher {
  const key = credentialNames.map((name) => host.own[name] ?? "").find((value) => value !== "");
  return {
    furnish: async (home, door) => {
      const config = await readConfig(codexHome);
      const auth = door === undefined ? await readAuth(codexHome) : undefined;
      const told = door === undefined ? config : { ...config, ...throughDoor(door.url) };
      const rest = { ...env, CODEX_HOME: join(home, ".codex") };
      return {
        files: {
          ".codex/config.toml": stringify({ ...told, ...quiet }),
          ...(auth === undefined ? {} : { ".codex/auth.json": withoutRenewal(auth) }),
        },
        kept: [".codex/sessions"],
        env:
          door === undefined
            ? rest
            : { ...without(rest, [...credentialNames, ...networkVariables]), CODEX_API_KEY: door.token },
      };
    },
    upstream: async () => {
      const credential = async (): Promise<Readonly<Record<string, string>>> => {
        const value = key ?? (await readAuth(codexHome))?.OPENAI_API_KEY ?? undefined;
        if (value !== undefined) return { authorization: `Bearer ${value}` };
        throw new Trouble(
          "logged-out",
          "Codex has no API key to add on its way to the model, and a ChatGPT login works only with an open network: set OPENAI_API_KEY, or FORGEHAND_SANDBOX_NETWORK=open",
          { permanent: true },
        );
      };
      await credential();
      const url = upstreamUrl(await readConfig(codexHome)).replace(/\/+$/u, "");
      return { dialect: "openai", url, credential, proxyEnvironment: only(host.own, networkVariables) };
    },
  };
}

/** A provider of our own, because the one built in cannot be told another address in every version. */
const throughDoor = (url: string) => ({
  model_provider: "forgehand",
  model_providers: {
    forgehand: {
      name: "forgehand",
      base_url: `${url}/v1`,
      env_key: "CODEX_API_KEY",
      wire_api: "responses",
    },
  },
});

function upstreamUrl(config: Readonly<Record<string, unknown>>): string {
  const { model_provider: name, model_providers: known } = configSchema.safeParse(config).data ?? {};
  const own = name === undefined ? undefined : known?.[name]?.base_url;
  const elsewhere = config["openai_base_url"];
  return own ?? (typeof elsewhere === "string" ? elsewhere : openAiUrl);
}

async function readConfig(codexHome: string): Promise<Record<string, unknown>> {
  const path = join(codexHome, "config.toml");
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    return Object.fromEntries(Object.entries(parse(text)).filter(([name]) => essentials.has(name)));
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new Trouble("codex-config", `${path} cannot be read: ${why}. Correct it, then retry the ticket`, {
      cause,
      permanent: true,
    });
  }
}

async function readAuth(codexHome: string): Promise<z.infer<typeof authSchema> | undefined> {
  const text = await readFile(join(codexHome, "auth.json"), "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : authSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function withoutRenewal({ tokens, ...rest }: z.infer<typeof authSchema>): string {
  return JSON.stringify({ ...rest, tokens: tokens && { ...tokens, refresh_token: "" } });
}
