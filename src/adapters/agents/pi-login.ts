/** What pi finds in a home of its own, and how our proxy is let in to its model. */
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import { familyOf } from "../../review/pairing.ts";
import type { AgentHost } from "./environment.ts";
import type { Furnisher } from "../sandboxes/lodging.ts";
import { asItIs, jsonIn, onlySettings, readLogins, withoutRenewal } from "./login-files.ts";
import { keyedUpstream, makerIn, versioned, withoutSecrets, type Maker } from "../sandboxes/model-ways.ts";

const kept = z.record(z.string(), z.object({ key: z.string().optional() }).catch({}));
const modelsFile = z.object({
  providers: z.record(z.string(), z.object({ baseUrl: z.string().optional() }).catch({})),
});

/** Where the operator's pi keeps its login and its providers. */
export const piFolder = ({ own, home }: AgentHost): string =>
  own["PI_CODING_AGENT_DIR"] ?? join(home, ".pi", "agent");

/** Of the operator's login what opens a model for a while, the providers, and which model is usual; nothing else. */
export function piFurnisher(
  host: AgentHost,
  env: Readonly<Record<string, string>>,
  model: string | undefined,
): Furnisher {
  const folder = piFolder(host);
  // Programs that it once fetched to search with: it fetches none of them here.
  const tools = join(folder, "bin");
  const { PI_CODING_AGENT_DIR: _elsewhere, ...rest } = env;
  const equipped = { ...rest, PATH: [rest["PATH"], tools].filter(Boolean).join(delimiter) };
  const common = { kept: ["pi-sessions"] };
  return {
    furnish: async (_home, door) => {
      if (door === undefined) {
        const login = await readLogins(folder, { "auth.json": withoutRenewal, "models.json": asItIs });
        const settings = await readLogins(folder, {
          "settings.json": onlySettings("defaultProvider", "defaultModel"),
        });
        return { ...common, login: inFolder(login), files: inFolder(settings), env: equipped };
      }
      const { maker } = await wayOf(host, folder, model);
      const baseUrl = maker === "openai" ? versioned(maker, door) : door.url;
      const led = { providers: { [maker]: { baseUrl } } };
      return {
        ...common,
        files: inFolder({ "models.json": JSON.stringify(led) }),
        env: { ...withoutSecrets(equipped), [keyNames[maker]]: door.token },
      };
    },
    upstream: async () => (await wayOf(host, folder, model)).upstream,
  };
}

const inFolder = (files: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`.pi/agent/${name}`, text]));

/** Makers at whose address another one can be put. */
const keyNames = { anthropic: "ANTHROPIC_API_KEY", openai: "OPENAI_API_KEY" } as const;
type Led = keyof typeof keyNames;

/** What to do where only our proxy reaches the model. */
export const keyOnly =
  "set ANTHROPIC_API_KEY or OPENAI_API_KEY with a `model` of that maker, or FORGEHAND_SANDBOX_NETWORK=open";

/** The maker of the order's model, else whichever the operator has a key of. */
async function wayOf(host: AgentHost, folder: string, model: string | undefined) {
  const [logins, listed] = await Promise.all(
    ["auth.json", "models.json"].map(async (name) =>
      jsonIn(await readFile(join(folder, name), "utf8").catch(() => "")),
    ),
  );
  const keys = kept.safeParse(logins).data ?? {};
  const { providers = {} } = modelsFile.safeParse(listed).data ?? {};
  const named = makerIn(model) ?? makerOf(model);
  for (const maker of ["anthropic", "openai"] as const satisfies readonly Led[]) {
    if (named !== undefined && named !== maker) continue;
    // Its own file goes before its environment, as it does for pi.
    const upstream = keyedUpstream(maker, host, { key: keys[maker]?.key, url: providers[maker]?.baseUrl });
    if (upstream !== undefined) return { maker, upstream };
  }
  throw new Trouble(
    "logged-out",
    `pi has no API key to be added on its way to the model: ${keyOnly}; then retry the ticket`,
    { permanent: true },
  );
}

/** A model without its provider in front. Any other maker's is one that no proxy of ours leads to. */
function makerOf(model: string | undefined): Maker | "another" | undefined {
  if (model === undefined) return undefined;
  const family = model.includes("/") ? "unknown" : familyOf(model);
  return family === "anthropic" || family === "openai" ? family : "another";
}
