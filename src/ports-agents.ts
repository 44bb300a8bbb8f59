/** The seam to the agents: what they are asked, what they say while they work, and how it ends. */
import type { Family } from "./review/pairing.ts";
import type { RuntimeName } from "./state-machine/ticket.ts";

/** The maker of a model, from the model id observed in the stream. */
export type { Family };
/** `advise` and `plan`: read and speak in a workflow of one's own, and write nothing. */
export type Role = "gate" | "build" | "review" | "mediate" | "plan" | "advise";
export type SessionId = string;

export interface WorkOrder {
  readonly role: Role;
  /** Sent on stdin or as one argument; never through a shell. */
  readonly prompt: string;
  readonly cwd: string;
  /** Continue this session of the same runtime. */
  readonly resume: SessionId | undefined;
  readonly access: "read" | "write";
  /** JSON schema of the answer wanted; the adapter asks for it natively. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
  /** Marks every process of this order in its environment as `RUN_ID`. */
  readonly runId: string;
  readonly model: string | undefined;
  readonly limits: AgentLimits;
  /** How hard the model thinks; the runtime's own choice when left out. */
  readonly effort?: Effort | undefined;
  /** All the servers of tools it gets: neither the operator's own nor the repository's. */
  readonly mcp?: readonly McpServer[] | undefined;
  /** Takes away from what `access` gives, and never adds to it. */
  readonly tools?: ToolRules | undefined;
  /** In a folder people work in too, being at work there makes no process ours; `ours` when left out. */
  readonly place?: Place;
  /** Hears every line as the runtime said it, before anything is read out of it. Never throws. */
  readonly keep?: KeepLine;
}
export type KeepLine = (line: string, from: "stdout" | "stderr") => void;
export type Place = "ours" | "shared";
export type Effort = "low" | "medium" | "high" | "xhigh" | "max";
/** What an agent does, whatever its runtime calls the tools it does it with. */
export type OwnTool = "read" | "search" | "edit" | "shell" | "delegate";
/** One of its own, `mcp:<server>` for all tools of a server, or `mcp:<server>/<tool>`. */
export type ToolName = OwnTool | `mcp:${string}`;
export interface ToolRules {
  /** Only these; everything that `access` gives when left out. */
  readonly allow?: readonly ToolName[] | undefined;
  /** Not these, allowed or not. */
  readonly deny?: readonly ToolName[] | undefined;
}
/** A server of tools, as the operator of this host defined it. What is in `env` and `headers` may be secret. */
export type McpServer =
  | {
      readonly is: "process";
      readonly name: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | {
      readonly is: "http";
      readonly name: string;
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
    };
export interface AgentLimits {
  readonly turnMs: number;
  /** Without a byte of output. */
  readonly stallMs: number;
  readonly outputTokens: number;
  readonly usd: number;
  /** The operator's own, before all others. */
  readonly prices?: Prices | undefined;
}
/** Dollars for a million tokens. */
export interface PricePerMillion {
  readonly input: number;
  readonly cached: number;
  /** What is put into a cache; like any other input when left out. */
  readonly cacheWrite?: number | undefined;
  readonly output: number;
}
/** By model as it is observed. */
export type Prices = ReadonlyMap<string, PricePerMillion>;
/** Tokens since the last report, never cumulative. */
export interface Usage {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Of the input what was put into a cache, for makers who charge for that; none when left out. */
  readonly cacheWriteTokens?: number | undefined;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** As the runtime reports it; undefined when it reports none. */
  readonly usd: number | undefined;
}
export type AgentSays =
  | { readonly type: "session"; readonly id: SessionId }
  /** Observed, unless it says `configured`: then it is named by the operator alone, with the family he vouches for. */
  | { readonly type: "model"; readonly id: string; readonly configured?: Family }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool"; readonly name: string; readonly detail: string }
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "waiting"; readonly why: string; readonly ms: number }
  | { readonly type: "result"; readonly outcome: AgentOutcome };
export type AgentOutcome =
  | { readonly is: "done"; readonly text: string; readonly structured: unknown }
  /** `retry`: trouble that passes; `blocked`: a person must act (login, quota, billing); `give-up`: this order cannot be done so; `unfinished`: ran out of turns or time with the session intact. */
  | {
      readonly is: "failed";
      readonly how: "retry" | "blocked" | "give-up" | "unfinished";
      readonly code: string;
      readonly why: string;
      /** Milliseconds since 1970. */
      readonly retryAt?: number;
    };
/** A runtime that can be spoken to while it works. `too late`: the work is not under way, and nothing was heard. */
export interface Steering {
  /** Words for its next look at the conversation. */
  say(words: string): Promise<"heard" | "too late">;
  /** Ends the turn, whose result is `unfinished`; the session can go on. */
  interrupt(): Promise<"heard" | "too late">;
}
export interface Agent {
  readonly name: RuntimeName;
  /** The family this runtime usually runs on; what counts is the one observed. */
  readonly family: Family;
  /** Ends with exactly one `result`, whatever happens. Aborting the signal ends the whole process tree first. */
  work(order: WorkOrder, signal: AbortSignal): AsyncIterable<AgentSays>;
  /** The work under way for this `runId`, where the runtime listens meanwhile. */
  steering?(runId: string): Steering | undefined;
  /** Is the binary there, which version, logged in as far as can be told without spending. */
  probe(): Promise<{
    readonly found: boolean;
    readonly version: string | undefined;
    readonly why: string | undefined;
    /** What `why` is about where it is found; its login when left out. */
    readonly problem?: "logged-out" | "unusable";
  }>;
  /** The versions our tests ran against, from the first up to and without the second. */
  readonly tested?: { readonly from: string; readonly below: string };
}
