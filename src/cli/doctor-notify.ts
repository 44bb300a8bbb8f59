import { existsSync } from "node:fs";
import type { Environment } from "../config-environment.ts";
import { openSqlite } from "../sql.ts";
import { channelStates, troubleOf, type ChannelState } from "../store/notifications.ts";
import { ok, warn, type Finding } from "./doctor-finding.ts";

/** Whether people are told beside the forge, and whether that arrives. Sends nothing. */
export async function checkNotify({
  notify = [],
  database,
}: Pick<Environment, "notify" | "database">): Promise<readonly Finding[]> {
  if (notify.length === 0)
    return [ok("nobody is told beside the forge; FORGEHAND_NOTIFY names channels, if you want some")];
  const states = new Map((await statesIn(database)).map((state) => [state.channel, state]));
  return notify.map(({ id, label, rules }) => {
    const state = states.get(id);
    const hears = `${label} hears of ${[...rules.kinds].join(", ")}`;
    const why = state && troubleOf(state);
    if (state === undefined || why === undefined) return ok(hears);
    const since =
      state.trouble === undefined ? "the last was given up" : `${state.waiting} wait since it has trouble`;
    return warn(`${hears}; ${since}: ${why}`, "forgehand notify test");
  });
}

async function statesIn(database: string): Promise<readonly ChannelState[]> {
  if (!existsSync(database)) return [];
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      return await sql.read(() => channelStates());
    } finally {
      sql.close();
    }
  } catch {
    // What is wrong with the database is told where the database is looked at.
    return [];
  }
}
