/** Pages of a house with 100,000 tickets and 1,000,000 ledger lines, over HTTP, and how soon they show what happened. */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { join } from "node:path";
import { caps } from "../test/caps.ts";
import type { TicketEvent } from "../src/state-machine/event.ts";
import { built, openHouseDatabase } from "./built.ts";
import { filledDatabase, landmarks } from "./dashboard-fill.ts";
import { figure, median, percentile, scratch, startChild, type Benchmark, type Figure } from "./measure.ts";

const warmUps = 5;
const rounds = 40;
const changes = 30;
/** A page is to answer sooner, at p95. */
export const mostMs = 50;

const ticket = (id: string): string => `/tickets/${encodeURIComponent(id)}`;
/** Every page and filter by the name of its figure. */
export const pages: Readonly<Record<string, string>> = {
  waiting: "/",
  board: "/board",
  "board of one state": "/board?state=Ready",
  "ticket of 10 lines": ticket("github:1#99991"),
  "ticket of 400 lines": ticket(landmarks.long),
  "ticket by its number": "/tickets/77",
  find: "/find?q=cookies",
  history: "/history",
  "history by repository": `/history?repo=${landmarks.repository}`,
  "history by rare repository": `/history?repo=${landmarks.rareRepository}`,
  "history by runtime": `/history?runtime=${landmarks.runtime}`,
  "history by rare runtime": `/history?runtime=${landmarks.rareRuntime}`,
  "history of merged": "/history?outcome=merged",
  "history of cancelled": "/history?outcome=cancelled",
  "history of blocked": "/history?outcome=blocked",
  "history of open": "/history?outcome=open",
  "history by label": `/history?label=${landmarks.label}`,
  "history by rare label": `/history?label=${landmarks.rareLabel}`,
  "history of a day": "/history?from=300d&to=300d",
  "history by words": "/history?q=cookies+csv",
  "history by rare words": "/history?q=cart+12345",
  "history by no words": "/history?q=nothing+like+this",
  "history by everything": `/history?q=cookies&repo=${landmarks.repository}&runtime=codex&label=bug&outcome=cancelled&from=300d`,
  costs: "/costs",
  ...Object.fromEntries(
    ["tenant", "repo", "runtime", "model", "label", "requester", "ticket"].map((by) => [
      `costs by ${by}`,
      `/costs?by=${by}&stack=model`,
    ]),
  ),
  "costs of a year": "/costs?by=repo&since=365d",
  "costs of a year by label": "/costs?by=label&since=365d",
  "costs of a year by requester": "/costs?by=requester&since=365d",
  "costs of a year by ticket": "/costs?by=ticket&since=365d",
  "costs as CSV": "/costs.csv?by=model",
  runs: "/runs",
  "runs of a ticket": `/runs?ticket=${encodeURIComponent(landmarks.long)}`,
  "runs that wait": "/runs?status=waiting",
  "runs of a workflow": "/runs?workflow=gate",
  "runs of no workflow": "/runs?workflow=nothing",
  "runs by words": "/runs?q=cookies",
  ledger: "/ledger",
  "ledger of a ticket": `/ledger?ticket=${encodeURIComponent("owner-1/repo-1#77")}`,
  "ledger by actor": "/ledger?actor=ada",
  "ledger by nobody": "/ledger?actor=nobody",
  "ledger by event": "/ledger?what=human.approved",
  "ledger of a day": `/ledger?from=${dayAgo(300)}&until=${dayAgo(300)}`,
  "ledger line": "/ledger/500000",
  webhooks: "/webhooks",
  "webhooks set aside": "/webhooks?state=parked",
  "webhooks of a ticket": `/webhooks?ticket=${encodeURIComponent("owner-1/repo-1#77")}`,
  repositories: "/repositories",
  health: "/health",
  metrics: "/metrics",
  "API board": "/api/v1/board",
  "API waiting": "/api/v1/waiting",
  "API tickets": "/api/v1/tickets?limit=100",
  "API open tickets": "/api/v1/tickets?state=Ready&limit=100",
  "API merged tickets": "/api/v1/tickets?state=Done&limit=100",
  "API ticket": `/api/v1/tickets/${encodeURIComponent(landmarks.long)}`,
  "API ledger": "/api/v1/ledger?limit=100",
};

/** As pages write days. */
function dayAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

export const dashboard: Benchmark = async ({ say }) => {
  const path = await filledDatabase(join(scratch, "dashboard"), Date.now(), say);
  const token = randomBytes(16).toString("hex");
  const child = startChild("dashboard-child.ts", [path, token]);
  try {
    // Told by the child as its only message.
    const { root } = (await child.heard()) as { readonly root: string };
    const entered = await fetch(`${root}/enter?token=${token}`, { redirect: "manual" });
    const cookie = entered.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const get = async (page: string): Promise<string> => {
      const headers = page === "/metrics" ? { authorization: `Bearer ${token}` } : { cookie };
      const answer = await fetch(`${root}${page}`, { headers });
      if (answer.status !== 200) throw new Error(`${page} answered ${answer.status}`);
      return await answer.text();
    };
    // Told by the child whenever it is asked.
    const cpuMs = async (): Promise<number> => {
      child.process.send("cpu");
      return ((await child.heard()) as { readonly cpuMs: number }).cpuMs;
    };
    const figures: Figure[] = [];
    say(`${"PAGE".padEnd(34)}   P50   P95  CPU   (ms)`);
    for (const [name, page] of Object.entries({ ...pages, "history, deep": await deepPage(get) })) {
      const times: number[] = [];
      let before = 0;
      for (let round = -warmUps; round < rounds; round += 1) {
        if (round === 0) before = await cpuMs();
        const start = performance.now();
        await get(page);
        if (round >= 0) times.push(performance.now() - start);
      }
      const p95 = percentile(times, 0.95);
      const columns = [median(times), p95, ((await cpuMs()) - before) / rounds];
      const row = columns.map((ms) => ms.toFixed(1).padStart(6)).join("");
      say(`${name.padEnd(34)}${row}  ${p95 < mostMs ? "✓" : "✗ too slow"}`);
      figures.push(figure(`dashboard ${name} p95`, p95, "ms", rounds));
    }
    return [...figures, ...(await live(path, { root, cookie, get }))];
  } finally {
    await child.kill();
  }
};

/** In the middle of two years. */
async function deepPage(get: (page: string) => Promise<string>): Promise<string> {
  const text = await get("/history?to=365d");
  const next = /rel="next" href="([^"]+)"/u.exec(text)?.[1];
  if (next === undefined) throw new Error("the history has no second page");
  return next.replaceAll("&amp;", "&");
}

interface Visit {
  readonly root: string;
  readonly cookie: string;
  readonly get: (page: string) => Promise<string>;
}

/** From a commit of another process to the word on the stream, and to the page that shows it. */
async function live(path: string, { root, cookie, get }: Visit): Promise<readonly Figure[]> {
  const { sql, store } = await openHouseDatabase(path);
  const { step } = await built("step");
  const { defaultConfig, policyOf } = await built("config");
  const policy = policyOf(defaultConfig());
  const stream = await fetch(`${root}/events?since=${await heardFrom(get)}`, { headers: { cookie } });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("the stream has no body");
  const told: number[] = [];
  const shown: number[] = [];
  for (let round = 0; round < changes; round += 1) {
    const stored = await store.load(landmarks.restless);
    const event: TicketEvent = { type: stored?.ticket.halted === true ? "halt.lifted" : "halt.raised" };
    await step(store, {
      ticket: landmarks.restless,
      event,
      eventId: `bench:${Date.now()}:${round}`,
      actor: "operator:ada",
      policy,
      caps,
      runLimitMs: 3_600_000,
      now: Date.now(),
    });
    const start = performance.now();
    await changed(reader, (await store.ledgerHead()).seq);
    told.push(performance.now() - start);
    await get("/board");
    shown.push(performance.now() - start);
  }
  await reader.cancel();
  sql.close();
  return [
    figure("dashboard change told p95", percentile(told, 0.95), "ms", changes),
    figure("dashboard change shown p95", percentile(shown, 0.95), "ms", changes),
  ];
}

const heardFrom = async (get: (page: string) => Promise<string>): Promise<string> => {
  const since = /\/events\?since=([\d-]+)/u.exec(await get("/board"))?.[1];
  if (since === undefined) throw new Error("the board listens to nothing");
  return since;
};

/** Reads on until the stream tells of this line. */
async function changed(reader: ReadableStreamDefaultReader<string>, line: number): Promise<void> {
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream ended");
    text += value;
    if (text.includes(`data: ${line}-`)) return;
  }
}
