/** Whether a version that was just put in place does what it is there for. */
import { z } from "zod";
import type { Clock } from "../ports.ts";
import type { Child } from "./child.ts";

export interface HealthLimits {
  /** To begin serving, and to stay well. */
  readonly healthMs: number;
  /** For so long it must be well without a break. */
  readonly settleMs: number;
}
const lookMs = 250;
const answerMs = 5_000;
const healthy = z.object({ ok: z.literal("yes"), version: z.string() });

/** Undefined when it is well; else what is wrong. */
export async function proveHealth(
  child: Child,
  version: string,
  {
    clock,
    fetch,
    ...limits
  }: HealthLimits & { readonly clock: Clock; readonly fetch: typeof globalThis.fetch },
): Promise<string | undefined> {
  const end = clock.now() + limits.healthMs;
  const over = new AbortController();
  const late = clock.until(end, over.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    const told = await Promise.race([child.serving.catch((error: unknown) => wordsOf(error)), late]);
    if (told === undefined) return `it did not serve within ${limits.healthMs / 1_000} s`;
    if (typeof told === "string") return told;
    if (told.version !== version) return `it says that it is ${told.version}, and not ${version}`;
    let ended: number | string | undefined;
    void child.ended.then((how) => (ended = how));
    let wellSince: number | undefined;
    let why = "it did not answer";
    while (clock.now() < end) {
      if (ended !== undefined) return `it ended (${ended}) soon after it began to serve`;
      const answer = await askHealth(told.url, version, fetch);
      if (answer === undefined) {
        wellSince ??= clock.now();
        if (clock.now() - wellSince >= limits.settleMs) return undefined;
      } else {
        wellSince = undefined;
        why = answer;
      }
      await clock.until(clock.now() + lookMs);
    }
    return `it was not well for ${limits.settleMs / 1_000} s within ${limits.healthMs / 1_000} s: ${why}`;
  } finally {
    over.abort();
  }
}

async function askHealth(
  url: string,
  version: string,
  fetch: typeof globalThis.fetch,
): Promise<string | undefined> {
  try {
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerMs) });
    const said: unknown = await answer.json().catch(() => undefined);
    const parsed = healthy.safeParse(said);
    if (answer.ok && parsed.success && parsed.data.version === version) return undefined;
    return `/healthz says ${answer.status} ${JSON.stringify(said)?.slice(0, 300) ?? "nothing"}`;
  } catch (error) {
    return `/healthz does not answer: ${wordsOf(error)}`;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
