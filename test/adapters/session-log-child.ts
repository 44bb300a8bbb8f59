/** Writes lines of a session as fast as it can, until it is killed; tells its parent once there are some. */
import { systemClock } from "../../src/adapters/clock.ts";
import { openSessionLog } from "../../src/adapters/logs/session-log.ts";

const [folder = ""] = process.argv.slice(2);
const log = openSessionLog({
  folder,
  clock: systemClock(),
  redact: (text) => text,
  warn: () => undefined,
});
for (let n = 0; ; n += 1) {
  log.add("one", "stdout", `${n} ${"x".repeat(n % 3000)}`);
  if (n % 50 === 0) log.close("one");
  if (n === 500) process.stdout.write("writing\n");
}
