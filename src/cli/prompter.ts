/** How the wizard speaks with a person. The terminal's own is in `prompter-clack.ts`; scripts get one that takes what is offered. */
import { exitCodes } from "../problems.ts";
import { Failure } from "./output.ts";

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}
export interface Question {
  readonly message: string;
  /** What a script says instead: `--org LOGIN`. */
  readonly flag: string;
}
export interface Prompter {
  say(text: string): void;
  /** A few lines that belong together. */
  note(title: string, text: string): void;
  choose<Value extends string>(
    question: Question & { readonly choices: readonly Choice<Value>[]; readonly usual?: Value | undefined },
  ): Promise<Value>;
  /** `fault` says what is wrong with an answer. */
  ask(
    question: Question & {
      readonly usual?: string | undefined;
      readonly fault: (text: string) => string | undefined;
    },
  ): Promise<string>;
  /** Shown as dots. */
  secret(question: Question & { readonly fault: (text: string) => string | undefined }): Promise<string>;
  agree(question: Question & { readonly usual: "yes" | "no" }): Promise<boolean>;
  /** Says what is being waited for; Ctrl-C ends it. */
  during<Result>(what: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
}

export const stopped = (): Failure =>
  new Failure(exitCodes.cancelled, "stopped; what was done is kept, and `forgehand init` goes on from there");

/** Takes what is usual, and refuses where a person would have had to choose. */
export function scriptPrompter(say: (line: string) => void): Prompter {
  const refuse = ({ message, flag }: Question): never => {
    throw new Failure(
      exitCodes.usage,
      `nobody can be asked here (no terminal, --yes or --json): ${message.replace(/\?$/u, "")}? Say it with ${flag}`,
    );
  };
  return {
    say,
    note: (title, text) => say(`${title}\n${text}`),
    choose: async (question) => question.usual ?? refuse(question),
    ask: async (question) => question.usual ?? refuse(question),
    secret: async (question) => refuse(question),
    agree: async ({ usual }) => usual === "yes",
    during: async (what, work) => {
      say(what);
      return await interruptible(work);
    },
  };
}

/** Work that an interrupt ends, as an answer to a question would be. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const ending = new AbortController();
  const interrupted = Promise.withResolvers<never>();
  // Nobody may be waiting for it any more.
  interrupted.promise.catch(() => undefined);
  const end = (): void => {
    ending.abort();
    interrupted.reject(stopped());
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, end);
  try {
    return await Promise.race([work(ending.signal), interrupted.promise]);
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}
