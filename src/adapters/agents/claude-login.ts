/** What Claude Code finds in a home of its own, and how our proxy is let in to its model. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Trouble } from "../../ports.ts";
import { networkVariables, type AgentHost } from "./environment.ts";
import { only, without, type Furnisher } from "../sandboxes/lodging.ts";

const anthropicUrl = "https://api.anthropic.com";
const loginSchema = z.object({ claudeAiOauth: z.looseObject({ accessToken: z.string().min(1) }) });
type Login = z.infer<typeof loginSchema>;
const credentialNames = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"] as const;

/** Of the operator's login only what opens the model for a while: what renews it would be used up by a copy. */
export function claudeFurnisher(host: AgentHost, env: Readonly<Record<string, string>>): Furnisher {
  const folder = host.own["CLAUDE_CONFIG_DIR"] ?? join(host.home, ".claude");
  const key = credentialNames.find((name) => (host.own[name] ?? "") !== "");
  return {
    furnish: async (_home, door) => {
      const login = key === undefined && door === undefined ? await readLogin(folder) : undefined;
      const { CLAUDE_CONFIG_DIR: _elsewhere, ...rest } = env;
      return {
        files: {
          // Without it the first start asks a person for a theme.
          ".claude.json": JSON.stringify({ hasCompletedOnboarding: true }),
        },
        login: login === undefined ? {} : { ".claude/.credentials.json": withoutRenewal(login) },
        kept: [".claude/projects"],
        env:
          door === undefined
            ? rest
            : {
                ...without(rest, [...credentialNames, ...networkVariables]),
                ANTHROPIC_BASE_URL: door.url,
                // A subscription's token speaks otherwise to the API than a key does.
                [isKey(key) ? "ANTHROPIC_API_KEY" : "CLAUDE_CODE_OAUTH_TOKEN"]: door.token,
              },
      };
    },
    upstream: async () => {
      const credential = async (): Promise<Readonly<Record<string, string>>> => {
        const value = key === undefined ? undefined : host.own[key];
        if (key === "ANTHROPIC_API_KEY" && value !== undefined) return { "x-api-key": value };
        const token = value ?? (await readLogin(folder))?.claudeAiOauth.accessToken;
        if (token === undefined)
          throw new Trouble("logged-out", "Claude Code is not logged in: set ANTHROPIC_API_KEY", {
            permanent: true,
          });
        return { authorization: `Bearer ${token}` };
      };
      await credential();
      const url = (host.own["ANTHROPIC_BASE_URL"] ?? anthropicUrl).replace(/\/+$/u, "");
      return { dialect: "anthropic", url, credential, proxyEnvironment: only(host.own, networkVariables) };
    },
  };
}

const isKey = (name: string | undefined): boolean =>
  name === "ANTHROPIC_API_KEY" || name === "ANTHROPIC_AUTH_TOKEN";

async function readLogin(folder: string): Promise<Login | undefined> {
  const text = await readFile(join(folder, ".credentials.json"), "utf8").catch(() => undefined);
  try {
    return text === undefined ? undefined : loginSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function withoutRenewal({ claudeAiOauth }: Login): string {
  const { refreshToken: _renewal, ...rest } = claudeAiOauth;
  return JSON.stringify({ claudeAiOauth: { ...rest, refreshToken: null } });
}
