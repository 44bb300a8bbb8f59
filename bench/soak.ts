import { createHmac, randomUUID } from "node:crypto";
import { join } from "node:path";
import { atRate, openPool, post, type Envelope } from "./deliveries.ts";
import { built, openHouseDatabase } from "./built.ts";
import type { HouseOrder } from "./house-child.ts";
import { figure, percentile, startChild, type Benchmark, type Child } from "./measure.ts";

const perSecond = 200;
const secondsVariable = "FORGEHAND_SOAK_SECONDS";
const defaultSeconds = 600;
/** A life of the serving process lasts between these. */
const shortestLifeMs = 2_000;
const longestLifeMs = 15_000;

/** Ten minutes of deliveries to a house that is killed again and again: whatever was acknowledged must be in the inbox. */
export const soak: Benchmark = async ({ dir, say }) => {
  const seconds = Number(process.env[secondsVariable] ?? defaultSeconds);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new TypeError(
      `${secondsVariable} must be a number of seconds, not "${process.env[secondsVariable]}"`,
    );
  const stage = await openStage(dir);
  const pool = openPool();
  const acknowledged: string[] = [];
  const samples: number[] = [];
  let refused = 0;
  let deaths = 0;
  let house = await stage.open();
  let isOver = false;
  let life: NodeJS.Timeout | undefined;
  let wake: () => void = () => undefined;
  const reaper = async (): Promise<void> => {
    for (;;) {
      const ms = shortestLifeMs + Math.random() * (longestLifeMs - shortestLifeMs);
      await new Promise<void>((resolve) => {
        wake = resolve;
        life = setTimeout(resolve, ms);
      });
      if (isOver) return;
      await house.child.kill();
      deaths += 1;
      house = await stage.open();
    }
  };
  const reaping = reaper();
  try {
    await atRate(perSecond, seconds * 1_000, async () => {
      const id = randomUUID();
      try {
        const answer = await post(pool, house.url, stage.letter, id);
        if (answer.status === 202) {
          acknowledged.push(id);
          samples.push(answer.ms);
        } else refused += 1;
      } catch {
        // Nobody was there, or it died before it answered: GitHub would show it as failed and be asked again.
        refused += 1;
      }
    });
    isOver = true;
    clearTimeout(life);
    wake();
    await reaping;
  } finally {
    pool.destroy();
    await house.child.kill();
    await stage.close();
  }
  const lost = await missing(stage.database, acknowledged);
  say(
    `${seconds} s, ${deaths} kills, ${acknowledged.length} acknowledged, ${refused} not acknowledged, ${lost.length} lost`,
  );
  for (const id of lost.slice(0, 10)) say(`lost: ${id}`);
  if (deaths === 0) throw new Error("nothing was killed: run it longer");
  return [
    figure("soak", lost.length, "lost", acknowledged.length),
    figure("soak ack p99", percentile(samples, 0.99), "ms", samples.length),
  ];
};

/** Acknowledged ids without a row in the inbox. */
async function missing(database: string, ids: readonly string[]): Promise<readonly string[]> {
  const { sql, store } = await openHouseDatabase(database);
  const lost: string[] = [];
  const page = 1_000;
  for (let from = 0; from < ids.length; from += page) {
    const some = ids.slice(from, from + page);
    const known = await store.knownItems(some);
    lost.push(...some.filter((id) => !known.has(id)));
  }
  sql.close();
  return lost;
}

interface Stage {
  readonly database: string;
  /** A label that is none of ours, on an issue of a repository that is: read and ignored. */
  readonly letter: Envelope;
  open(): Promise<{ readonly child: Child; readonly url: string }>;
  close(): Promise<void>;
}

async function openStage(dir: string): Promise<Stage> {
  const { startHub } = await built("hub");
  const { peopleOn } = await built("people");
  const hub = await startHub({ root: join(dir, "forge") });
  const repo = await hub.seed({ owner: "acme", name: "web", files: { "README.md": "# web\n" } });
  const people = peopleOn(hub, repo);
  people.person("bob", "write");
  const issue = people.openIssue({ by: "bob", title: "Say nothing", body: "Nothing is to be done." });
  people.label(issue, "bug", "bob");
  await hub.courier.idle();
  const delivery = hub.state.deliveries.find(({ name, action }) => name === "issues" && action === "labeled");
  if (delivery === undefined) throw new Error("the simulated forge told nobody about the label");
  const { app } = hub.state;
  const signature = createHmac("sha256", app.webhookSecret).update(delivery.body).digest("hex");
  const house = join(dir, "house");
  const order: HouseOrder = {
    dir: house,
    apiUrl: hub.url,
    appId: app.id,
    privateKey: app.privateKey,
    secret: app.webhookSecret,
    port: 0,
    gate: "instant",
  };
  return {
    database: join(house, "forgehand.db"),
    letter: {
      body: delivery.body,
      headers: {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(delivery.body)),
        "x-github-event": "issues",
        "x-hub-signature-256": `sha256=${signature}`,
      },
    },
    open: async () => {
      const child = startChild("house-child.ts", [JSON.stringify(order)]);
      const { url } = (await child.heard()) as { readonly url: string };
      return { child, url: `${url}/webhooks/github` };
    },
    close: () => hub.close(),
  };
}
