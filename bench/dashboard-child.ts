/** The dashboard as `up` serves it, on a database that is there; lets one visitor in and says where. */
import { serve } from "@hono/node-server";
import { randomBytes } from "node:crypto";
import type { Workshop } from "../src/shell/workshop.ts";
import { built, openHouseDatabase } from "./built.ts";
import { tellParent } from "./measure.ts";

const [path = "", token = ""] = process.argv.slice(2);
const { store } = await openHouseDatabase(path);
const { createWeb } = await built("web");
const { hashed } = await built("door");
const { openDashboard } = await built("dashboard");
const { openCommands } = await built("commands");
const { defaultConfig, policyOf } = await built("config");

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
// Only what pages ask for; anything else fails loudly.
const shop = {
  store,
  clock: { now },
  limits: { agents: 3, dayWarnUsd: 50, dayStopUsd: 100, tenantDayUsd: undefined, reconcileMs: 1 },
  rulesOf: () => rules,
  reportOf: async () => undefined,
  detailsUrl: () => undefined,
} as unknown as Workshop;
const { app } = createWeb({
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
