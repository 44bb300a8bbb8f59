/** How our proxy is let in to a maker's models: by a key of the operator's, at the address the operator's tools use. */
import { networkVariables, type AgentHost } from "../agents/environment.ts";
import { only, without, type ModelDoor } from "./lodging.ts";
import type { ModelUpstream } from "./model-proxy.ts";

type Variables = Readonly<Record<string, string>>;

/** One agent's way to its model through our door. */
export interface ModelWay {
  readonly upstream: ModelUpstream;
  /** What tells the agent of it: variables, and files by their path below its home. */
  readonly through: (door: ModelDoor) => { readonly env: Variables; readonly files?: Variables };
}
/** Makers whose models are let in to with a key alone. */
export type Maker = ModelUpstream["dialect"];

const makers: Readonly<
  Record<
    Maker,
    {
      readonly keys: readonly string[];
      readonly address: string;
      readonly usual: string;
      readonly header: (key: string) => Variables;
    }
  >
> = {
  anthropic: {
    keys: ["ANTHROPIC_API_KEY"],
    address: "ANTHROPIC_BASE_URL",
    usual: "https://api.anthropic.com",
    header: (key) => ({ "x-api-key": key }),
  },
  openai: {
    keys: ["OPENAI_API_KEY"],
    address: "OPENAI_BASE_URL",
    usual: "https://api.openai.com/v1",
    header: (key) => ({ authorization: `Bearer ${key}` }),
  },
  google: {
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    address: "GOOGLE_GEMINI_BASE_URL",
    usual: "https://generativelanguage.googleapis.com",
    header: (key) => ({ "x-goog-api-key": key }),
  },
};

/** The endpoint of this maker with the operator's key; undefined without one. */
export function keyedUpstream(
  maker: Maker,
  { own }: AgentHost,
  other: { readonly key?: string | undefined; readonly url?: string | undefined } = {},
): ModelUpstream | undefined {
  const { keys, address, usual, header } = makers[maker];
  const key = other.key ?? keys.map((name) => own[name] ?? "").find((value) => value !== "");
  if (key === undefined || key === "") return undefined;
  return {
    dialect: maker,
    url: (other.url ?? own[address] ?? usual).replace(/\/+$/u, ""),
    credential: async () => header(key),
    proxyEnvironment: only(own, networkVariables),
  };
}

/** The maker in front of a model's name, as in `anthropic/claude-opus-5-5`; undefined when none of ours stands there. */
export const makerIn = (model: string | undefined): Maker | undefined =>
  (Object.keys(makers) as readonly Maker[]).find((maker) => model?.startsWith(`${maker}/`));

/** Where its API is for an agent inside; the folder of its version where the agent adds none itself. */
export const versioned = (maker: Maker, { url }: ModelDoor): string =>
  `${url}/${maker === "google" ? "v1beta" : "v1"}`;

const secretName = /(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$/iu;
/** Of an environment what holds no secret and leads nowhere but to the door. */
export const withoutSecrets = (env: Variables, names: readonly string[] = []): Record<string, string> =>
  without(env, [...Object.keys(env).filter((name) => secretName.test(name)), ...networkVariables, ...names]);
