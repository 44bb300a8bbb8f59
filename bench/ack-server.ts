/** The two receivers that `webhook-ack` compares, in a process of their own: ours, and Probot's bare middleware. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pino } from "pino";
import { createNodeMiddleware, Probot } from "probot";
import { built, openHouseDatabase } from "./built.ts";
import { tellParent } from "./measure.ts";

const [dir = "", privateKey = "", secret = ""] = process.argv.slice(2);
const log = pino({ level: "silent" });

const { store } = await openHouseDatabase(join(dir, "forgehand.db"));
const { openGitHubWebhooks } = await built("webhooks");
const { createServer: createDoor } = await built("server");
const { systemClock } = await built("clock");
const github = await openGitHubWebhooks({
  appId: 1,
  privateKey,
  secrets: [secret],
  baseUrl: undefined,
  deliveries: { store: (delivery) => store.receive(delivery) },
  clock: systemClock(),
  log,
});
const door = createDoor({ github, health: () => ({ ok: "yes" }), log });
const { serveAt } = await built("serve");
const ours = await serveAt(door.fetch, { host: "127.0.0.1", port: 0 });

const middleware = await createNodeMiddleware((app) => app.onAny(() => undefined), {
  probot: new Probot({ appId: 1, privateKey, secret, log }),
});
const bare = createServer((request, response) => void middleware(request, response));
// As long as ours: a connection that is closed while a delivery is on its way into it would fail the run.
bare.keepAliveTimeout = 150_000;
await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));

tellParent({
  ours: `${ours.url}/webhooks/github`,
  bare: `http://127.0.0.1:${(bare.address() as AddressInfo).port}/api/github/webhooks`,
});
