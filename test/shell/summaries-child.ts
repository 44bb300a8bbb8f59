/** Tells ended runs with a model that says when it is asked and then does as it is told: hang, or answer. */
import { appendFileSync } from "node:fs";
import { systemClock } from "../../src/adapters/clock.ts";
import { openSqlite } from "../../src/sql.ts";
import { openSummaries } from "../../src/shell/summaries.ts";
import type { Agent } from "../../src/ports-agents.ts";
import { summaryVerbs } from "../../src/ticket-summaries.ts";
import { plainStory } from "./plain-story.ts";

const [database = "", asked = "", how = ""] = process.argv.slice(2);
const agent: Agent = {
  name: "small",
  family: "unknown",
  probe: async () => ({ found: true, version: "1", why: undefined }),
  work: async function* () {
    appendFileSync(asked, "asked\n");
    process.stdout.write("asked\n");
    if (how === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000));
    yield { type: "model", id: "small-1" };
    yield { type: "result", outcome: { is: "done", text: "In its words.", structured: undefined } };
  },
};
const sql = openSqlite(database);
const log = () => undefined;
const summaries = openSummaries({
  clock: systemClock(),
  log: { info: log, warn: log, error: log },
  ...summaryVerbs(sql),
  tell: async ({ workflow }) => ({ story: { ...plainStory, workflow }, words: ["text: hello"] }),
  summariser: {
    agent,
    model: undefined,
    prices: new Map(),
    within: (work) => work("/"),
    nonce: () => "0123456789abcdef",
    sweep: async () => undefined,
    reserve: async () => undefined,
    release: async () => undefined,
    sessions: undefined,
  },
});
summaries.poke();
while (!summaries.isIdle()) await new Promise((resolve) => setTimeout(resolve, 5));
await summaries.stop();
sql.close();
