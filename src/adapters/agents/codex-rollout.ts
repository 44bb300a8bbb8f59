import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { SessionId } from "../../ports-agents.ts";
import type { Seen } from "./turn.ts";
import { codexTotals } from "./codex-stream.ts";

/** Read of a rollout at one look; what is longer is read at the next. */
const longestLook = 32 * 1024 * 1024;
/** `sessions/yyyy/mm/dd/`. */
const deepest = 3;

const entry = z.object({
  type: z.string(),
  payload: z.object({
    type: z.string().optional().catch(undefined),
    model: z.string().optional().catch(undefined),
    info: z.object({ total_token_usage: z.unknown().optional() }).nullish().catch(undefined),
  }),
});

/** Reads beside the stream the record the runtime keeps of a thread: its stream names no model and counts only at the end. */
export function codexRollout(codexHome: string): { look(thread: SessionId): Promise<readonly Seen[]> } {
  let file: string | undefined;
  let from = 0;
  let rest = "";
  const models = new Set<string>();

  return {
    look: async (thread) => {
      // The id came out of a stream; only a plain one names a file.
      if (!/^[\w-]{8,64}$/u.test(thread)) return [];
      file ??= await find(join(codexHome, "sessions"), `-${thread}.jsonl`, deepest);
      if (file === undefined) return [];
      const fresh = await readFrom(file, from);
      from += fresh.length;
      const lines = `${rest}${fresh.toString("utf8")}`.split("\n");
      rest = lines.pop() ?? "";
      const seen: Seen[] = [];
      let total: Seen | undefined;
      for (const line of lines) {
        const said = entry.safeParse(tryJson(line)).data;
        if (said === undefined) continue;
        const { model, info } = said.payload;
        if (said.type === "turn_context" && model !== undefined && model !== "" && !models.has(model)) {
          models.add(model);
          seen.push({ type: "model", id: model });
        }
        if (said.type !== "event_msg" || said.payload.type !== "token_count") continue;
        const usage = codexTotals(info?.total_token_usage);
        if (usage !== undefined) total = { type: "total", usage };
      }
      return total === undefined ? seen : [...seen, total];
    },
  };
}

async function find(folder: string, ending: string, depth: number): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  // Newest folders first: their names are dates.
  for (const one of entries.toSorted((a, b) => b.name.localeCompare(a.name))) {
    const path = join(folder, one.name);
    if (one.isFile() && one.name.startsWith("rollout-") && one.name.endsWith(ending)) return path;
    if (!one.isDirectory() || depth === 0) continue;
    const below = await find(path, ending, depth - 1);
    if (below !== undefined) return below;
  }
  return undefined;
}

async function readFrom(file: string, from: number): Promise<Buffer> {
  const handle = await open(file, "r").catch(() => undefined);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { size } = await handle.stat();
    const length = Math.max(0, Math.min(size - from, longestLook));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  } catch {
    // Unreadable for now: the next look begins at the same place.
    return Buffer.alloc(0);
  } finally {
    await handle.close();
  }
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
