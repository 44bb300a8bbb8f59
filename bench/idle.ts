import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openHouseDatabase } from "./built.ts";
import { figure, median, startChild, type Benchmark } from "./measure.ts";
import { park } from "./parked.ts";

const tickets = 10_000;
const rounds = 3;

/** What 10,000 tickets that wait for people add to an idle process, over one with none. */
export const idle: Benchmark = async ({ dir, say }) => {
  const folders = { none: join(dir, "none"), many: join(dir, "many") };
  for (const [name, path] of Object.entries(folders)) {
    mkdirSync(path);
    const { sql, store } = await openHouseDatabase(join(path, "forgehand.db"));
    await park(store, name === "many" ? tickets : 0);
    // What was to be said has been said, and what was at work is over: the tickets only wait.
    sql.script(
      "insert into ended_effect (ticket, seq, key, type, body, state, attempts, note, created_at, ended_at) select ticket, seq, key, type, body, 'done', 1, '', created_at, 1 from outbox; delete from outbox; delete from timer; update run set status = 'finished', output = '{}', settled_at = 1; update inbox set state = 'read', read_at = 1",
    );
    sql.close();
  }
  const weigh = async (path: string, expected: number): Promise<number> => {
    const child = startChild("idle-child.ts", [path], ["--expose-gc"]);
    const told = (await child.heard()) as { readonly tickets: number; readonly rssMb: number };
    await child.kill();
    if (told.tickets !== expected) throw new Error(`${path} holds ${told.tickets} tickets, not ${expected}`);
    return told.rssMb;
  };
  const none: number[] = [];
  const many: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    none.push(await weigh(folders.none, 0));
    many.push(await weigh(folders.many, tickets));
  }
  say(`${median(many).toFixed(1)} MB with ${tickets} tickets, ${median(none).toFixed(1)} MB with none`);
  return [
    figure("idle", median(many) - median(none), "MB", rounds),
    figure("idle whole process", median(many), "MB", rounds, median(none)),
  ];
};
