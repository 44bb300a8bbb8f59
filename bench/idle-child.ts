/** An idle house: database, engine and every loop of the shell, with so many parked tickets; tells what it weighs. */
import { join } from "node:path";
import type { Workshop } from "../src/shell/workshop.ts";
import { built, openHouseDatabase } from "./built.ts";
import { tellParent } from "./measure.ts";

const [path = ""] = process.argv.slice(2);
const { sql, store } = await openHouseDatabase(join(path, "forgehand.db"));
const { openEngine } = await built("engine");
const { systemClock } = await built("clock");
const { isDead, thisProcess } = await built("owner");
const { openIntake } = await built("intake");
const { openOutbox } = await built("outbox");
const { openSchedule } = await built("schedule");
const { openTimers } = await built("timers");
// Loaded as the serving process has it, so that what stands beside the tickets is the whole house.
await built("main");

const clock = systemClock();
const log = {
  info: () => undefined,
  warn: () => undefined,
  // A loop that meets trouble does less than it should, and would weigh too little.
  error: (fields: object) => {
    throw new Error(JSON.stringify(fields));
  },
};
// Nothing is due, so no loop comes to where it would speak to the forge.
const shop = {
  store,
  clock,
  log,
  random: Math.random,
  limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, reconcileMs: 300_000 },
  linear: { tokens: { signedOut: async () => [] } },
  poke: () => undefined,
} as unknown as Workshop;
const engine = openEngine({
  sql,
  clock,
  random: Math.random,
  owner: thisProcess(),
  isDead,
  workflows: [],
  checkDeterminism: false,
  log,
});
const loops = [openIntake(shop), openOutbox(shop), openSchedule(shop), openTimers(shop)];
engine.poke();
for (const loop of loops) loop.poke();
const collect = globalThis.gc;
if (collect === undefined) throw new Error("start with --expose-gc");
for (let round = 0; round < 5; round += 1) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const loop of loops) loop.poke();
  collect();
}
const tickets = Object.values(await store.ticketsByState()).reduce((sum, count) => sum + count, 0);
tellParent({ tickets, rssMb: process.memoryUsage.rss() / 1_048_576 });
