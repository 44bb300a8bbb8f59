import type { RepoConfig } from "../config.ts";
import type { Persona } from "../config-persona.ts";
import { narrowed, readWay, wayOf } from "../config-roles.ts";
import { serversOf, type ServerBundles } from "../config-servers.ts";
import { Trouble } from "../ports.ts";
import type { Role } from "../ports-agents.ts";
import type { Assign, Assignment } from "../workflows/roles.ts";

interface Rules {
  readonly config: RepoConfig;
  readonly personas: ReadonlyMap<string, Persona>;
  readonly bundles: ServerBundles;
}

/** Fills each role as the repository says, within what the operator of this host offers. */
export function assigning({ config, personas, bundles }: Rules): Assign {
  const { runtime } = config;
  return (role, asked = {}): Assignment => {
    const own = readWay(asked);
    const worn = own.persona === undefined ? runtime.personas[role] : [own.persona];
    // A name that means nothing is told as a problem of the configuration, and nothing new begins meanwhile.
    const found = worn.flatMap((name) => personas.get(name) ?? []);
    if (own.persona !== undefined && found.length === 0)
      throw new Trouble("persona-missing", `there is no persona \`${own.persona}\``, { permanent: true });
    const at = own.tier ?? runtime.tier[role] ?? found.find((one) => one.tier !== undefined)?.tier;
    const tools = narrowed([runtime.tools[role], ...found.map((one) => one.tools), own.tools]);
    return {
      fallback: fallbackOf(config, role),
      persona: found.length === 0 ? undefined : found.map(({ text }) => text).join("\n\n"),
      equip: (name, access) => {
        const way = wayOf(runtime, name, at);
        return {
          model: way.model,
          effort: own.effort ?? way.effort,
          mcp: serversOf(bundles, [...(runtime.mcp[role] ?? []), ...(own.mcp ?? [])], access),
          tools,
        };
      },
    };
  };
}

function fallbackOf({ runtime }: RepoConfig, role: Role): readonly string[] {
  const { every, ...own } = runtime.fallback;
  const mine: Readonly<{ [Name in Role]?: readonly string[] | undefined }> = own;
  return mine[role] ?? every;
}
