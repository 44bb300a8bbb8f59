/** One life of an agent in this process, until it is killed: the order comes as an argument, and what it says goes out as lines. */
import { writeSync } from "node:fs";
import { aiSdk } from "../../../src/adapters/agents/ai-sdk/agent.ts";
import { aiSdkEntry } from "../../../src/adapters/agents/ai-sdk/entry.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import type { WorkOrder } from "../../../src/ports-agents.ts";

const { entry, home, stateDir, order } = JSON.parse(process.argv[2] ?? "") as {
  readonly entry: unknown;
  readonly home: string;
  readonly stateDir: string;
  readonly order: Omit<WorkOrder, "resume" | "schema" | "model">;
};
const agent = aiSdk({
  name: "own",
  entry: aiSdkEntry.parse(entry),
  host: {
    home,
    searchPath: process.env["PATH"] ?? "/usr/bin:/bin",
    tmp: "/tmp",
    own: { MODEL_KEY: "a-key" },
  },
  stateDir,
  clock: systemClock(),
});
const whole: WorkOrder = { ...order, resume: undefined, schema: undefined, model: undefined };
for await (const said of agent.work(whole, new AbortController().signal))
  writeSync(1, `${JSON.stringify(said)}\n`);
