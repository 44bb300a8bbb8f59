import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { SessionId, Usage } from "../../ports-agents.ts";

/** What was already reported of a session, so that a runtime's cumulative counts become deltas across processes. */
export interface SessionTotals {
  /** The cumulative count the runtime itself last gave. */
  readonly reported: Usage;
  /** Charged on top since then, for runs that were killed before they could count. */
  readonly estimated: Usage;
}
export interface TotalsStore {
  read(session: SessionId): Promise<SessionTotals>;
  write(session: SessionId, totals: SessionTotals): Promise<void>;
}

export const noUsage: Usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  usd: undefined,
};
const nothing: SessionTotals = { reported: noUsage, estimated: noUsage };

const count = z.number().nonnegative();
const usageSchema = z
  .object({
    inputTokens: count,
    cachedInputTokens: count,
    cacheWriteTokens: count.optional(),
    outputTokens: count,
    reasoningTokens: count,
    usd: count.optional(),
  })
  .transform((usage): Usage => ({ ...usage, usd: usage.usd }));
const totalsSchema = z.object({ reported: usageSchema, estimated: usageSchema });

/** A session nobody went on with for so long is gone, here as in every lodging. */
const keptMs = 90 * 24 * 60 * 60_000;

/** One small file per session below this folder, for ninety days. A file that is missing or broken reads as nothing: too much is charged rather than too little. */
export function totalsStore(stateDir: string, runtime: string): TotalsStore {
  const folder = join(stateDir, "sessions");
  // Session ids come out of an agent's stream, so they never become part of a path as they are.
  const fileOf = (session: SessionId): string =>
    join(folder, `${runtime}-${createHash("sha256").update(session).digest("hex").slice(0, 32)}.json`);
  let isTidy = false;
  return {
    read: async (session) => {
      const text = await readFile(fileOf(session), "utf8").catch(() => undefined);
      if (text === undefined) return nothing;
      const parsed = totalsSchema.safeParse(tryJson(text));
      return parsed.success ? parsed.data : nothing;
    },
    write: async (session, totals) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = fileOf(session);
      await writeFile(`${file}.new`, JSON.stringify(totals), { mode: 0o600, flush: true });
      await rename(`${file}.new`, file);
      if (isTidy) return;
      isTidy = true;
      await forgetOld(folder, (await stat(file)).mtimeMs - keptMs);
    },
  };
}

/** What cannot be looked at or deleted is left: it harms nobody. */
async function forgetOld(folder: string, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const at = await stat(file).catch(() => undefined);
    if (at !== undefined && at.mtimeMs < before) await rm(file, { force: true }).catch(() => undefined);
  }
}

/** For a runtime that counts each run by itself: there is nothing to remember. */
export const countsEachRun: TotalsStore = {
  read: () => Promise.resolve(nothing),
  write: () => Promise.resolve(),
};

/** What a run used, from a cumulative count and what was known before the run. A count below the known one has started anew. */
export function usedSince(before: SessionTotals, total: Usage): Usage {
  const { reported, estimated } = before;
  const anew = total.outputTokens < reported.outputTokens || total.inputTokens < reported.inputTokens;
  const used = anew ? total : minus(minus(total, reported), estimated);
  // Dollars that were not told this time are unknown, and not none.
  return { ...used, usd: total.usd === undefined ? undefined : used.usd };
}

/** Field by field, never below zero. */
export function minus(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => Math.max(0, x - y));
}
/** Field by field. */
export function plus(a: Usage, b: Usage): Usage {
  return combine(a, b, (x, y) => x + y);
}
/** The larger of each field. */
export function larger(a: Usage, b: Usage): Usage {
  return combine(a, b, Math.max);
}
/** True when nothing at all was used. */
export function isNothing(usage: Usage): boolean {
  return usage.inputTokens === 0 && usage.outputTokens === 0 && (usage.usd ?? 0) === 0;
}

function combine(a: Usage, b: Usage, how: (x: number, y: number) => number): Usage {
  const written = how(a.cacheWriteTokens ?? 0, b.cacheWriteTokens ?? 0);
  return {
    inputTokens: how(a.inputTokens, b.inputTokens),
    cachedInputTokens: how(a.cachedInputTokens, b.cachedInputTokens),
    outputTokens: how(a.outputTokens, b.outputTokens),
    reasoningTokens: how(a.reasoningTokens, b.reasoningTokens),
    ...(written === 0 ? {} : { cacheWriteTokens: written }),
    usd: a.usd === undefined && b.usd === undefined ? undefined : how(a.usd ?? 0, b.usd ?? 0),
  };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
