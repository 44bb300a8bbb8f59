/** Asks for a token in a process of its own, and dies where it is told. Says only a hash of what it got. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../src/store/store.ts";
import { movedClock, openHouse } from "./house.ts";
import type { LinearStand } from "./stand.ts";

const [database = "", url = "", aheadMs = "0", dies = "never"] = process.argv.slice(2);
const die = async (): Promise<never> => {
  process.kill(process.pid, "SIGKILL");
  return await sleep(60_000).then(() => {
    throw new Error("still alive");
  });
};
const around = (store: Store): Store => ({
  ...store,
  keepLinearTokens: async (...args) => {
    if (dies === "before-persist") return await die();
    const kept = await store.keepLinearTokens(...args);
    if (dies === "after-persist") return await die();
    return kept;
  },
});
const clock = movedClock();
clock.move(Number(aheadMs));
// Of the stand only its address is used.
const house = await openHouse({ stand: { url } as LinearStand, database, clock, around });
process.stdout.write("ready\n");
await new Promise<void>((resolve) => process.stdin.once("data", () => resolve()));
const access = await house.desk.accessToken("org-acme");
const said =
  access.is === "granted"
    ? { is: access.is, hash: createHash("sha256").update(access.token).digest("hex") }
    : access;
process.stdout.write(`${JSON.stringify(said)}\n`);
process.stdin.destroy();
house.close();
