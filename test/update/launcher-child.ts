/** A launcher as a process of its own, with limits that a test can wait for. */
import { systemClock } from "../../src/adapters/clock.ts";
import { launch } from "../../src/update/launcher.ts";

const [folder = "", program = "", database = "", registry = ""] = process.argv.slice(2);
const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
process.on("SIGTERM", () => first.resolve());
const code = await launch({
  folder,
  own: { program, version: "1.0.0" },
  argv: [],
  env: process.env,
  database,
  registry,
  clock: systemClock(),
  fetch: globalThis.fetch,
  limits: { healthMs: 4_000, settleMs: 300, drainMs: 5_000 },
  log: (fields, message) => process.stderr.write(`${JSON.stringify({ ...fields, message })}\n`),
  hearHangUps: (hear) => process.on("SIGHUP", hear),
  signals: { first: first.promise, second: second.promise },
});
process.exit(code);
