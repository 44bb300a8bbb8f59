/** Which coding agents work on this host. */
import type { Agent } from "../ports-agents.ts";

export interface RuntimeState {
  readonly name: string;
  readonly family: string;
  readonly version: string | undefined;
  readonly is: "ready" | "absent" | "logged-out" | "unusable";
  /** What to type; undefined where nothing is wanted. */
  readonly fix: string | undefined;
}

/** Asks every runtime whether it is there and logged in, without spending. */
export async function lookAtRuntimes(agents: ReadonlyMap<string, Agent>): Promise<readonly RuntimeState[]> {
  return await Promise.all(
    [...agents.values()].map(async (agent): Promise<RuntimeState> => {
      const { found, version, why, problem } = await agent.probe();
      const is = found ? (why === undefined ? "ready" : (problem ?? "logged-out")) : "absent";
      const install = installs[agent.name];
      const fix = is === "absent" && install !== undefined ? install : is === "ready" ? undefined : why;
      return { name: agent.name, family: agent.family, version, is, fix };
    }),
  );
}
const installs: Readonly<Record<string, string>> = {
  "claude-code": "npm install -g @anthropic-ai/claude-code, then `claude` once to log in",
  codex: "npm install -g @openai/codex, then `codex login`",
};

/** One family builds and another reviews, so two are wanted. */
export function runtimesInWords(states: readonly RuntimeState[]): string {
  const lines = states.map(({ name, family, version, is, fix }) =>
    is === "ready"
      ? `✓ ${name} ${version ?? ""}, ${family}`
      : `· ${name}: ${is === "absent" ? "not installed" : is === "unusable" ? "cannot be used" : "not logged in"}${fix === undefined ? "" : `\n    → ${fix}`}`,
  );
  const families = new Set(states.flatMap(({ is, family }) => (is === "ready" ? [family] : [])));
  const verdict =
    families.size >= 2
      ? "Two families of models are ready: one builds, the other reviews."
      : families.size === 1
        ? `Only ${[...families].join()} is ready. A review comes from another family than built, so without a second one every ticket waits for a person. docs/agents.md lists more agents.`
        : "No agent is ready yet: no ticket can be built.";
  return [...lines, verdict].join("\n");
}
