import { z } from "zod";
import { Refusal } from "./worktree.ts";

export interface ToolAnswer {
  readonly is: "ok" | "error";
  readonly text: string;
}
/** Something a model may do here. */
export interface AgentTool {
  readonly name: string;
  readonly description: string;
  /** JSON schema of its input. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Rejects only when the turn is over. */
  run(input: unknown, signal: AbortSignal): Promise<ToolAnswer>;
}

/** Kept of one answer: more would only fill the model's memory. */
const longestAnswer = 40_000;

/** A tool of ours: its input checked, its refusals said to the model. */
export function ownTool<Input>(tool: {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly run: (input: Input, signal: AbortSignal) => Promise<string>;
}): AgentTool {
  const { $schema: _dialect, ...input } = z.toJSONSchema(tool.input, { io: "input" });
  return {
    name: tool.name,
    description: tool.description,
    input,
    run: async (given, signal) => {
      const parsed = tool.input.safeParse(given);
      if (!parsed.success)
        return { is: "error", text: `${tool.name} was called wrongly: ${z.prettifyError(parsed.error)}` };
      try {
        return { is: "ok", text: shortened(await tool.run(parsed.data, signal)) };
      } catch (error) {
        signal.throwIfAborted();
        const reason = error instanceof Error ? error.message : String(error);
        return { is: "error", text: error instanceof Refusal ? reason : `${tool.name} failed: ${reason}` };
      }
    },
  };
}

/** Beginning and end, when it is longer than anybody reads. */
export function shortened(text: string, longest = longestAnswer): string {
  if (text.length <= longest) return text;
  const head = Math.floor(longest / 3);
  return `${text.slice(0, head)}\n[… ${text.length - longest} characters left out …]\n${text.slice(head - longest)}`;
}
