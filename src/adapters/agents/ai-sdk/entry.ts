import { z } from "zod";
import { isNeverPassed } from "../environment.ts";

/** Longest answer of the model to one call, where the entry says nothing: no model of today takes less. */
const answerTokens = 16_000;
/** Calls to the model in one turn, where the entry says nothing. */
const steps = 200;

const perMillion = z.number().nonnegative();

/** How the operator's agents file describes an agent that calls a model itself. */
export const aiSdkEntry = z
  .strictObject({
    protocol: z.literal("ai-sdk"),
    provider: z.enum(["anthropic", "openai", "google", "openai-compatible"]),
    model: z.string().regex(/^\w[^\s]{0,127}$/u, "is no model name"),
    /** The API's address up to and with its version, such as `http://127.0.0.1:11434/v1`. */
    base_url: z.url({ protocol: /^https?$/u }).optional(),
    /** Name of the variable that holds the key, never the key itself. */
    key: z
      .string()
      .regex(/^[A-Z_][A-Z0-9_]{0,127}$/u, "names an environment variable, such as ANTHROPIC_API_KEY")
      .refine((name) => !isNeverPassed(name), "this variable is for others than the server of a model")
      .optional(),
    effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
    /** `native`: the server itself holds answers to a JSON schema; `asked`: it is only asked to. */
    structured: z.enum(["native", "asked"]).default("asked"),
    max_answer_tokens: z.int().positive().default(answerTokens),
    max_steps: z.int().positive().default(steps),
    /** Dollars per million tokens, where the price table does not know the model. */
    prices: z
      .strictObject({
        input: perMillion,
        cached: perMillion,
        cache_write: perMillion.optional(),
        output: perMillion,
      })
      .optional(),
  })
  .superRefine((entry, context) => {
    if (entry.provider === "openai-compatible" && entry.base_url === undefined)
      context.addIssue({
        code: "custom",
        path: ["base_url"],
        message:
          "an openai-compatible server has no usual address: add base_url, such as http://127.0.0.1:11434/v1",
      });
  });
export type AiSdkEntry = z.infer<typeof aiSdkEntry>;
export type Provider = AiSdkEntry["provider"];

interface Maker {
  readonly title: string;
  readonly key: string | undefined;
  readonly baseUrl: string | undefined;
}
/** Said outright, so that no package looks for either in the environment of this process. */
const makers: Readonly<Record<Provider, Maker>> = {
  anthropic: { title: "Anthropic", key: "ANTHROPIC_API_KEY", baseUrl: "https://api.anthropic.com/v1" },
  openai: { title: "OpenAI", key: "OPENAI_API_KEY", baseUrl: "https://api.openai.com/v1" },
  google: {
    title: "Google",
    key: "GOOGLE_GENERATIVE_AI_API_KEY",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  },
  "openai-compatible": { title: "the model's server", key: undefined, baseUrl: undefined },
};

/** The variable that the key is read from; undefined for a server that asks for none. */
export const keyName = (entry: AiSdkEntry): string | undefined => entry.key ?? makers[entry.provider].key;

/** Where the model is asked. */
export const baseUrlOf = (entry: AiSdkEntry): string =>
  (entry.base_url ?? makers[entry.provider].baseUrl ?? "").replace(/\/+$/u, "");

/** Whose account it is, as a person would say. */
export const makerOf = (entry: AiSdkEntry): string => makers[entry.provider].title;
