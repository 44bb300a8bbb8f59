/** What Codex finds in a home of its own, and how our proxy is let in to its model. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import { networkVariables, type AgentHost } from "./environment.ts";
import type { CodexConnection } from "./codex-connection.ts";
import { inToml } from "./codex-tools.ts";
import { only, without, type Furnisher, type ModelDoor } from "../sandboxes/lodging.ts";

const openAiUrl = "https://api.openai.com/v1";
const authSchema = z.looseObject({
  OPENAI_API_KEY: z.string().min(1).nullish().catch(undefined),
  tokens: z.looseObject({ refresh_token: z.string() }).nullish().catch(undefined),
});
const providerSchema = z.object({
  base_url: z.string().optional(),
  experimental_bearer_token: z.string().optional(),
  http_headers: z.record(z.string(), z.string()).optional(),
});
const configSchema = z.object({
  openai_base_url: z.string().optional(),
  model_provider: z.string().optional(),
  model_providers: z.record(z.string(), z.unknown()).optional(),
});
type Provider = z.infer<typeof providerSchema>;
/** What to do where only our proxy reaches the model. */
export const keyOnly =
  "set OPENAI_API_KEY, or FORGEHAND_SANDBOX_NETWORK=open, without which a ChatGPT login does not work";
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
      const auth = door === undefined ? await readAuth(codexHome) : undefined;
      const rest = { ...env, CODEX_HOME: join(home, ".codex") };
      return {
        // How to reach a model is said on the command line, and nothing else of the operator's settings counts.
        files: {},
        login: auth === undefined ? {} : { ".codex/auth.json": withoutRenewal(auth) },
        kept: [".codex/sessions"],
        env:
          door === undefined
            ? rest
            : { ...without(rest, [...credentialNames, ...networkVariables]), CODEX_API_KEY: door.token },
      };
    },
    upstream: async () => {
      const credential = async (): Promise<Readonly<Record<string, string>>> => {
        const { experimental_bearer_token: token, http_headers: headers } = await readProvider(codexHome);
        const value = token ?? key ?? (await readAuth(codexHome))?.OPENAI_API_KEY ?? undefined;
        if (value === undefined && headers === undefined)
          throw new Trouble(
            "logged-out",
            `Codex has no API key to be added on its way to the model: ${keyOnly}, then retry the ticket`,
            { permanent: true },
          );
        return { ...headers, ...(value === undefined ? {} : { authorization: `Bearer ${value}` }) };
      };
      await credential();
      const { base_url: url = openAiUrl } = await readProvider(codexHome);
      const proxyEnvironment = only(host.own, networkVariables);
      return { dialect: "openai", url: url.replace(/\/+$/u, ""), credential, proxyEnvironment };
    },
  };
}

/** The same connection, its model behind our door, where there is one: nothing that lets it in stays in the sandbox. */
export function throughDoor(connection: CodexConnection, door: ModelDoor | undefined): CodexConnection {
  if (door === undefined) return connection;
  const other = connection.settings.filter(
    (setting) => !/^(?:model_providers?|\w+_base_url)=/u.test(setting),
  );
  const provider = {
    name: "forgehand",
    base_url: `${door.url}/v1`,
    env_key: "CODEX_API_KEY",
    wire_api: "responses",
  };
  // One of our own, because the one built in cannot be told another address in every version.
  return {
    settings: [...other, 'model_provider="forgehand"', `model_providers={"forgehand"=${inToml(provider)}}`],
    env: {},
  };
}

/** The provider that the operator chose. A file that is no TOML has been found out before. */
async function readProvider(codexHome: string): Promise<Provider> {
  const text = await readFile(join(codexHome, "config.toml"), "utf8").catch(() => "");
  const config = configSchema.safeParse(parse(text)).data ?? {};
  const { model_provider: name, model_providers: all, openai_base_url: url } = config;
  const chosen = name === undefined ? undefined : providerSchema.safeParse(all?.[name]).data;
  return chosen ?? (url === undefined ? {} : { base_url: url });
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
