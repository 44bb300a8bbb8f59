/** What is timed is what ships: the compiled files. Types come from the source, so that nothing must be built to check them. */
interface Rooms {
  readonly sql: typeof import("../src/sql.ts");
  readonly main: typeof import("../src/main.ts");
  readonly engine: typeof import("../src/engine/index.ts");
  readonly store: typeof import("../src/store/store.ts");
  readonly database: typeof import("../src/store/database.ts");
  readonly step: typeof import("../src/shell/step.ts");
  readonly intake: typeof import("../src/shell/intake.ts");
  readonly outbox: typeof import("../src/shell/outbox.ts");
  readonly schedule: typeof import("../src/shell/schedule.ts");
  readonly timers: typeof import("../src/shell/timers.ts");
  readonly config: typeof import("../src/config.ts");
  readonly webhooks: typeof import("../src/webhooks/github.ts");
  readonly server: typeof import("../src/webhooks/server.ts");
  readonly serve: typeof import("../src/serve.ts");
  readonly git: typeof import("../src/adapters/git/git.ts");
  readonly clock: typeof import("../src/adapters/clock.ts");
  readonly owner: typeof import("../src/adapters/owner.ts");
  readonly agentProcess: typeof import("../src/adapters/processes/agent-process.ts");
  readonly scripted: typeof import("../src/adapters/agents/scripted.ts");
  readonly hub: typeof import("../src/simulator/hub/hub.ts");
  readonly people: typeof import("../src/simulator/hub/people.ts");
  readonly web: typeof import("../src/web/app.ts");
  readonly door: typeof import("../src/web/door.ts");
  readonly dashboard: typeof import("../src/shell/dashboard.ts");
  readonly commands: typeof import("../src/shell/commands.ts");
  readonly scrape: typeof import("../src/telemetry/scrape.ts");
  readonly commitTimes: typeof import("../src/telemetry/commit-times.ts");
}
const files: { readonly [Room in keyof Rooms]: string } = {
  sql: "sql.js",
  main: "main.js",
  engine: "engine/index.js",
  store: "store/store.js",
  database: "store/database.js",
  step: "shell/step.js",
  intake: "shell/intake.js",
  outbox: "shell/outbox.js",
  schedule: "shell/schedule.js",
  timers: "shell/timers.js",
  config: "config.js",
  webhooks: "webhooks/github.js",
  server: "webhooks/server.js",
  serve: "serve.js",
  git: "adapters/git/git.js",
  clock: "adapters/clock.js",
  owner: "adapters/owner.js",
  agentProcess: "adapters/processes/agent-process.js",
  scripted: "adapters/agents/scripted.js",
  hub: "simulator/hub/hub.js",
  people: "simulator/hub/people.js",
  web: "web/app.js",
  door: "web/door.js",
  dashboard: "shell/dashboard.js",
  commands: "shell/commands.js",
  scrape: "telemetry/scrape.js",
  commitTimes: "telemetry/commit-times.js",
};
const dist = new URL("../dist/src/", import.meta.url);

/** The compiled command line. */
export const cliPath = new URL("../cli/forgehand.js", dist).pathname;

/** Loads one compiled file. */
export async function built<Room extends keyof Rooms>(room: Room): Promise<Rooms[Room]> {
  // The key names the type and the file alike; the loader cannot know that.
  return (await import(new URL(files[room], dist).href)) as Rooms[Room];
}

/** The embedded database as `main.ts` opens it, with the verbs of its store. */
export async function openHouseDatabase(path: string) {
  const { openSqlite } = await built("sql");
  const { openStore } = await built("store");
  const { migrate } = await built("database");
  const { migrateEngine, runVerbs } = await built("engine");
  const sql = openSqlite(path);
  await migrateEngine(sql);
  await migrate(sql);
  return { sql, store: openStore(sql, runVerbs) };
}
