/** The dashboard as `up` serves it, on a database that is there; lets one visitor in and says where. */
import { serve } from "@hono/node-server";
import { randomBytes } from "node:crypto";
import type { Workshop } from "../src/shell/workshop.ts";
import { built, openHouseDatabase } from "./built.ts";
import { tellParent } from "./measure.ts";

const [path = "", token = ""] = process.argv.slice(2);
const { sql, store } = await openHouseDatabase(path);
const { createWeb } = await built("web");
const { hashed } = await built("door");
const { openDashboard } = await built("dashboard");
const { openCommands } = await built("commands");
const { defaultConfig, policyOf } = await built("config");
const { openScraper } = await built("scrape");
const { openCommitTimes } = await built("commitTimes");

const config = defaultConfig();
const rules = {
  config,
  policy: policyOf(config),
  personas: new Map(),
  problems: [],
  soundAt: undefined,
  faults: [],
};
const now = (): number => Date.now();
const limits = { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 };
// Only what pages ask for; anything else fails loudly.
const shop = {
  store,
  clock: { now },
  limits,
  runDesk: { sql },
  runtimes: ["codex", "claude-code"],
  rulesOf: () => rules,
  reportOf: async () => undefined,
  detailsUrl: () => undefined,
} as unknown as Workshop;
const scraper = openScraper({
  store,
  now,
  build: { version: "bench", node: process.version },
  limits,
  commits: openCommitTimes(),
  spans: () => ({ sent: 0, refused: 0 }),
  rateLimits: () => [],
  log: { error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`) },
});
// Graphs have followed from the first line on; what they count in the first minutes of a house is not measured.
await store.addTallies("metrics", [], await store.newest(now()));
const { app } = createWeb({
  metrics: { token, scrape: scraper.scrape },
  dashboard: openDashboard(shop),
  commands: openCommands(shop, {
    store,
    policyOf: async () => rules.policy,
    now,
    newId: () => randomBytes(8).toString("hex"),
    left: () => undefined,
  }),
  sessions: store,
  hosts: ["127.0.0.1"],
  now,
  secret: () => randomBytes(32).toString("base64url"),
});
await store.giveWebToken(hashed(token), "operator:ada", now() + 60_000);
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
  tellParent({ root: `http://127.0.0.1:${port}` }),
);
// Asked before and after the rounds of a page: other processes share the machine, and not this figure.
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  tellParent({ cpuMs: (user + system) / 1_000 });
});
