import type { LanguageModel } from "ai";
import { baseUrlOf, type AiSdkEntry } from "./entry.ts";
import { packageOf, type Load } from "./packages.ts";

interface Reach {
  readonly entry: AiSdkEntry;
  readonly model: string;
  readonly key: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly load: Load;
}

/** The model as its maker's package speaks to it. Address and key are always given: none is looked for in the environment. */
export async function openModel({
  entry,
  model,
  key = "",
  fetch,
  load,
}: Reach): Promise<Exclude<LanguageModel, string>> {
  const reach = { baseURL: baseUrlOf(entry), apiKey: key, fetch };
  switch (entry.provider) {
    case "anthropic":
      return (await load("@ai-sdk/anthropic")).createAnthropic(reach)(model);
    case "openai":
      return (await load("@ai-sdk/openai")).createOpenAI(reach)(model);
    case "google":
      return (await load("@ai-sdk/google")).createGoogle(reach)(model);
    case "openai-compatible":
      return (await load("@ai-sdk/openai-compatible")).createOpenAICompatible({
        baseURL: reach.baseURL,
        ...(key === "" ? {} : { apiKey: key }),
        fetch,
        name: "compatible",
        includeUsage: true,
        supportsStructuredOutputs: entry.structured === "native",
      })(model);
  }
}

/** Loads nothing but tells what is missing. */
export const packagesOf = (entry: AiSdkEntry) => ["ai", packageOf(entry.provider)] as const;

/** Nothing is kept at the maker's, and what was said before is not paid for in full again. */
export const makerOptions = {
  openai: { store: false },
  anthropic: { cacheControl: { type: "ephemeral" } },
} as const;

/** More of one answer than this is no answer. */
const mostBytes = 64 * 1024 * 1024;

/** The same fetch, heard byte by byte; it follows no redirect, which could take the key elsewhere. */
export const heard =
  (fetch: typeof globalThis.fetch, sawBytes: () => void): typeof globalThis.fetch =>
  async (input, init) => {
    const response = await fetch(input, { ...init, redirect: "error" });
    sawBytes();
    if (response.body === null) return response;
    let bytes = 0;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, stream) => {
        sawBytes();
        bytes += chunk.length;
        if (bytes > mostBytes) throw new Error(`malformed answer: it is longer than ${mostBytes} bytes`);
        stream.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counted), { status, statusText, headers });
  };
