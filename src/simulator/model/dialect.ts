import type { IncomingHttpHeaders } from "node:http";
import type { Failure, Part } from "./scenario.ts";

/** One request, as far as a script needs it. */
export interface Asked {
  /** The same for every call of one conversation. */
  readonly conversation: string;
  readonly model: string;
  readonly isStream: boolean;
  /** What people said, in order; results of tools are not among it. */
  readonly prompts: readonly string[];
  readonly tools: readonly string[];
  /** Where the agent works, when it says so. */
  readonly cwd: string | undefined;
}
export interface StreamEvent {
  /** Undefined where the API names none. */
  readonly event: string | undefined;
  /** A text is sent as it is. */
  readonly data: Readonly<Record<string, unknown>> | string;
}
export interface Answer {
  readonly events: readonly StreamEvent[];
  /** The same for who does not stream. */
  readonly whole: unknown;
}
/** How one maker's API spells requests, answers and failures. */
export interface Dialect {
  readonly name: "responses" | "messages" | "chat";
  readonly path: string;
  read(body: unknown, headers: IncomingHttpHeaders): Asked;
  answer(asked: Asked, parts: readonly Part[], id: (prefix: string) => string): Answer;
  failure(failure: Failure, message: string | undefined): { readonly status: number; readonly body: unknown };
}
