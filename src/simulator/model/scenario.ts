/** What a scripted model says and does, in words that every dialect can spell. */
export type Part =
  | { readonly say: string }
  | { readonly think: string }
  /** A shell command. */
  | { readonly run: string }
  | { readonly read: string }
  | { readonly write: { readonly path: string; readonly text: string } }
  /** Replaces whole lines. */
  | { readonly edit: { readonly path: string; readonly from: string; readonly to: string } }
  /** The structured answer that was asked for. */
  | { readonly answer: unknown }
  /** Any tool by its own name; a text is the input of a freeform tool. */
  | {
      readonly tool: {
        readonly name: string;
        /** Under which the Responses API names the tools of a server; other dialects have it in the name. */
        readonly namespace?: string;
        readonly input: Readonly<Record<string, unknown>> | string;
      };
    }
  | { readonly usage: Partial<ModelUsage> }
  /** Ends the turn for a reason of the maker's. */
  | { readonly stop: "refusal" | "length" };
/** Tokens of one call; the input includes what was cached. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}
export type Failure =
  | "unauthorized"
  | "rate-limited"
  | "quota"
  | "billing"
  | "context-length"
  | "server-error"
  | "overloaded";
/** `cut`: the connection ends in the middle; `hang`: it says nothing more; `malformed`: it says what is no JSON. */
export type Breakage = "cut" | "hang" | "malformed";
/** What one call of the model gets. */
export type Step =
  | Part
  | readonly Part[]
  | { readonly fails: Failure; readonly retryAfterSeconds?: number }
  | { readonly breaks: Breakage };
/** The i-th step answers the i-th call after the prompt that names the scenario; the last one answers all further calls. */
export type Scenario = readonly Step[];

/** The last `[[name]]` in a prompt. */
export function markerIn(prompt: string): string | undefined {
  return [...prompt.matchAll(/\[\[([\w./-]+)\]\]/g)].at(-1)?.[1];
}

export type Chosen =
  | { readonly is: "step"; readonly scenario: string; readonly step: number; readonly does: Step }
  | { readonly is: "nothing"; readonly why: string };

/** Which step is due: counts calls for each conversation and each prompt in it that names a scenario. */
export function openScript(choose: (prompt: string) => string | undefined) {
  const scenarios = new Map<string, Scenario>();
  const calls = new Map<string, number>();
  return {
    set: (name: string, scenario: Scenario): void => {
      if (scenario.length === 0) throw new Error(`scenario ${name} has no step`);
      scenarios.set(name, scenario);
    },
    next: (conversation: string, prompts: readonly string[]): Chosen => {
      const named = prompts.map(choose).filter((name) => name !== undefined);
      const name = named.at(-1);
      if (name === undefined)
        return { is: "nothing", why: "no prompt names a scenario: write [[name]] into it" };
      const scenario = scenarios.get(name);
      if (scenario === undefined)
        return {
          is: "nothing",
          why: `there is no scenario ${name}; there are: ${[...scenarios.keys()].join(", ")}`,
        };
      const turn = `${conversation}#${named.length}`;
      const step = calls.get(turn) ?? 0;
      calls.set(turn, step + 1);
      const does = scenario[Math.min(step, scenario.length - 1)];
      if (does === undefined) throw new Error(`scenario ${name} has no step ${step}`);
      return { is: "step", scenario: name, step, does };
    },
  };
}

const usual: ModelUsage = { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 40, reasoningTokens: 0 };

export function usageOf(parts: readonly Part[]): ModelUsage {
  return parts.reduce((sum, part) => ("usage" in part ? { ...sum, ...part.usage } : sum), usual);
}
