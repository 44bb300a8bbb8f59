/** Starts an order in a sandbox and waits for its own death: `node sandbox-crash-child.ts NAME ORDER CONFINEMENT`. */
import type { ProcessOrder } from "../../src/adapters/processes/agent-process.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { runConfined } from "../../src/adapters/sandboxes/run-confined.ts";
import type { Confinement } from "../../src/adapters/sandboxes/sandbox.ts";
import { sandboxOfThisHost } from "./sandboxes.ts";

const [name = "", order = "", confinement = ""] = process.argv.slice(2);
const sandbox = sandboxOfThisHost(name);
// Both were written by the test that started this.
const where = { sandbox, confinement: JSON.parse(confinement) as Confinement };
const running = runConfined(
  where,
  JSON.parse(order) as ProcessOrder,
  systemClock(),
  new AbortController().signal,
);
for await (const said of running) if (said.type === "line") console.log(said.line);
