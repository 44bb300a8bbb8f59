/** What the known agents of the Agent Client Protocol find in a home of their own, and how they are led to our proxy. */
import { join } from "node:path";
import { z } from "zod";
import { Trouble } from "../../../ports.ts";
import type { AgentHost } from "../environment.ts";
import { claudeFurnisher } from "../claude-login.ts";
import { codexConnection } from "../codex-connection.ts";
import { codexFurnisher, throughDoor } from "../codex-login.ts";
import { unknownFurnisher, type Furnisher } from "../../sandboxes/lodging.ts";
import {
  asItIs,
  jsonIn,
  onlySettings,
  readLogins,
  variablesOf,
  withoutRenewal,
  type LoginFiles,
} from "../login-files.ts";
import {
  keyedUpstream,
  makerIn,
  versioned,
  withoutSecrets,
  type Maker,
  type ModelWay,
} from "../../sandboxes/model-ways.ts";

/** One run of one agent, as its home needs to know of it. */
export interface Lodger {
  readonly title: string;
  readonly host: AgentHost;
  /** Its whole environment where it is not led to our proxy. */
  readonly env: Readonly<Record<string, string>>;
  /** Asked for by the order or the agents file. */
  readonly model: string | undefined;
  /** Files below the operator's home that the agents file names as its login. */
  readonly logins: readonly string[];
}
interface KnownHome {
  /** Nobody is meant to write these. */
  readonly login: LoginFiles;
  /** Of the operator's settings only what says how to reach a model. */
  readonly settings: LoginFiles;
  /** Or what has to be set for it. */
  readonly way: (lodger: Lodger) => ModelWay | string;
}

const opencode: KnownHome = {
  login: { ".local/share/opencode/auth.json": withoutRenewal },
  settings: Object.fromEntries(
    ["opencode.json", "opencode.jsonc", "config.json"].map((name) => [
      `.config/opencode/${name}`,
      onlySettings("model", "small_model", "provider", "enabled_providers", "disabled_providers"),
    ]),
  ),
  way: ({ host, model }) => {
    const named = makerIn(model);
    const tried: readonly Maker[] = named === undefined ? ["anthropic", "openai", "google"] : [named];
    const [maker, upstream] = tried
      .map((one) => [one, keyedUpstream(one, host)] as const)
      .find(([, found]) => found !== undefined) ?? [undefined, undefined];
    if (maker === undefined || upstream === undefined)
      return "name ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY under `env`, and a `model` of that maker";
    return {
      upstream,
      through: (door) => ({
        env: {
          OPENCODE_DISABLE_MODELS_FETCH: "1",
          OPENCODE_CONFIG_CONTENT: JSON.stringify({
            ...(model === undefined ? {} : { model, small_model: model }),
            enabled_providers: [maker],
            provider: { [maker]: { options: { baseURL: versioned(maker, door), apiKey: door.token } } },
          }),
        },
      }),
    };
  },
};

/** Who is logged in, and the token of GitHub that nothing renews; it has spelt them in more than one way. */
const copilotLogin = (text: string): string | undefined => {
  const names = Object.keys(z.record(z.string(), z.unknown()).safeParse(jsonIn(text)).data ?? {});
  return onlySettings(...names.filter((name) => /token|logged|login/iu.test(name)))(text);
};
const copilot: KnownHome = {
  login: {},
  // It writes its own state into the file that its login is in.
  settings: { ".copilot/config.json": copilotLogin, ".copilot/settings.json": onlySettings("model") },
  way: ({ host }) => {
    const { COPILOT_PROVIDER_TYPE: type = "openai", COPILOT_PROVIDER_BASE_URL: url } = host.own;
    const key = host.own["COPILOT_PROVIDER_API_KEY"];
    const upstream =
      url === undefined || key === undefined || (type !== "openai" && type !== "anthropic")
        ? undefined
        : keyedUpstream(type, host, { url, key });
    if (upstream === undefined)
      return "set COPILOT_PROVIDER_BASE_URL and COPILOT_PROVIDER_API_KEY, with `openai` or `anthropic` as COPILOT_PROVIDER_TYPE";
    return {
      upstream,
      through: (door) => ({
        env: {
          COPILOT_PROVIDER_TYPE: type,
          COPILOT_PROVIDER_BASE_URL: type === "anthropic" ? door.url : versioned("openai", door),
          COPILOT_PROVIDER_API_KEY: door.token,
          COPILOT_OFFLINE: "true",
        },
      }),
    };
  },
};

const gemini: KnownHome = {
  login: {
    ".gemini/oauth_creds.json": withoutRenewal,
    ".gemini/google_accounts.json": asItIs,
    ".gemini/.env": variablesOf,
  },
  settings: { ".gemini/settings.json": onlySettings("security.auth", "selectedAuthType", "model.name") },
  way: ({ host }) => {
    const upstream = keyedUpstream("google", host);
    if (upstream === undefined) return "set GEMINI_API_KEY";
    return {
      upstream,
      through: (door) => ({
        env: { GEMINI_API_KEY: door.token, GOOGLE_GEMINI_BASE_URL: door.url },
        files: {
          ".gemini/settings.json": JSON.stringify({ security: { auth: { selectedType: "gemini-api-key" } } }),
        },
      }),
    };
  },
};

const qwen: KnownHome = {
  login: { ".qwen/oauth_creds.json": withoutRenewal, ".qwen/.env": variablesOf },
  settings: {
    ".qwen/settings.json": onlySettings(
      "security.auth",
      "selectedAuthType",
      "model.name",
      "modelProviders",
      "env",
    ),
  },
  way: ({ host }) => {
    const upstream = keyedUpstream("openai", host);
    if (upstream === undefined) return "set OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL";
    return {
      upstream,
      through: (door) => ({
        env: { OPENAI_API_KEY: door.token, OPENAI_BASE_URL: versioned("openai", door) },
        files: { ".qwen/settings.json": JSON.stringify({ security: { auth: { selectedType: "openai" } } }) },
      }),
    };
  },
};

const homes: Readonly<Record<string, KnownHome>> = { opencode, copilot, gemini, qwen };

/** What an agent of this name finds where it lives; one that nobody knows, or that has no name here, only what its entry names. */
export function acpFurnisher(known: string | undefined, lodger: Lodger): Furnisher {
  const named = Object.fromEntries(lodger.logins.map((path) => [path, asItIs]));
  const { host, env, title } = lodger;
  if (known === "claude-agent-acp") return withLogins(claudeFurnisher(host, env), host, named);
  if (known === "codex-acp") return withLogins(codexHome(lodger), host, named);
  const home = known === undefined || !Object.hasOwn(homes, known) ? undefined : homes[known];
  if (home === undefined) return unknownFurnisher(title, env, () => readLogins(host.home, named));
  return {
    keeps: "home",
    furnish: async (_home, door) => {
      if (door === undefined)
        return {
          files: await readLogins(host.home, home.settings),
          login: await readLogins(host.home, { ...home.login, ...named }),
          kept: [],
          env,
        };
      const { env: led, files = {} } = wayOf(home, lodger).through(door);
      // A file of the operator's that is named in a variable would not be there.
      return { files, kept: [], env: { ...withoutSecrets(env, ["OPENCODE_CONFIG"]), ...led } };
    },
    upstream: async () => wayOf(home, lodger).upstream,
  };
}

function wayOf(home: KnownHome, lodger: Lodger): ModelWay {
  const way = home.way(lodger);
  if (typeof way !== "string") return way;
  const why = `${lodger.title} has no API key to be added on its way to the model: ${way}, or set FORGEHAND_SANDBOX_NETWORK=open; then retry the ticket`;
  throw new Trouble("logged-out", why, { permanent: true });
}

/** Files that an entry names come beside what is known; where our proxy holds the login, there are none. */
const withLogins = (furnisher: Furnisher, { home }: AgentHost, named: LoginFiles): Furnisher => ({
  ...furnisher,
  furnish: async (at, door) => {
    const furniture = await furnisher.furnish(at, door);
    if (door !== undefined) {
      const lent = Object.entries(furniture.env).filter(([, value]) => value === door.token);
      return { ...furniture, env: { ...withoutSecrets(furniture.env), ...Object.fromEntries(lent) } };
    }
    return { ...furniture, login: { ...(await readLogins(home, named)), ...furniture.login } };
  },
});

/** Codex itself is told by arguments what of the operator's settings counts; behind another program, by a file. */
function codexHome({ host, env }: Lodger): Furnisher {
  const operators = host.own["CODEX_HOME"] ?? join(host.home, ".codex");
  const furnisher = codexFurnisher(host, operators, env);
  return {
    ...furnisher,
    furnish: async (home, door) => {
      const furniture = await furnisher.furnish(home, door);
      const connection = throughDoor(await codexConnection(operators), door);
      return {
        ...furniture,
        files: { ...furniture.files, ".codex/config.toml": `${connection.settings.join("\n")}\n` },
        env: { ...furniture.env, ...connection.env },
      };
    },
  };
}
