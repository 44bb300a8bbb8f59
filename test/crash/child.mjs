// The process that gets killed: forgehand as it ships, with a stop at any of some chosen points. Points are commits and
// external writes, each before and after, named by the height of the ledger, which no restart changes; at a chosen one it
// says so and stands still, so that its parent can kill it there.
import { createRequire, syncBuiltinESMExports } from "node:module";
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { order, dist } = JSON.parse(process.argv[2]);
const stops = new Set(order.stops);
const counts = new Map();
let height = 0;
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);
const numbered = (name) => {
  const here = `${height} ${name}`;
  const nth = (counts.get(here) ?? 0) + 1;
  counts.set(here, nth);
  return `${here} ${nth}`;
};
const point = (...names) => {
  const here = names.map(numbered);
  if (order.report) say({ point: here[0] });
  const stop = here.find((one) => stops.has(one));
  if (stop === undefined) return;
  say({ standing: stop });
  // Nothing in this process moves any more: what happens next is the parent's SIGKILL.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

const require = createRequire(import.meta.url);
const Database = require("better-sqlite3");
const prepare = Database.prototype.prepare;
// A commit goes by what it writes: how many there are, and which of them share one, depends on the moment.
let written = new Set();
Database.prototype.prepare = function (sql) {
  const statement = prepare.call(this, sql);
  const [, verb, table] = /^\s*(insert into|update|delete from)\s+(\w+)/i.exec(sql) ?? [];
  if (verb !== undefined)
    for (const method of ["run", "get", "all"]) {
      const ask = statement[method].bind(statement);
      statement[method] = (...args) => {
        written.add(`${verb.split(" ")[0]} ${table}`);
        return ask(...args);
      };
    }
  if (sql === "rollback") {
    const ask = statement.run.bind(statement);
    statement.run = () => {
      written = new Set();
      return ask();
    };
  }
  if (sql !== "commit") return statement;
  const look = () => {
    const known = prepare.call(this, "select 1 from sqlite_master where name = 'ledger'").get() !== undefined;
    height = known ? (prepare.call(this, "select max(seq) as seq from ledger").get().seq ?? 0) : 0;
  };
  look();
  return {
    run: () => {
      const of = written.size === 0 ? ["nothing"] : [...written];
      written = new Set();
      point(...of.map((what) => `before commit of ${what}`));
      const result = statement.run();
      look();
      point(...of.map((what) => `after commit of ${what}`));
      return result;
    },
  };
};
const fetch = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const method = init?.method ?? "GET";
  const path = new URL(input instanceof Request ? input.url : input).pathname;
  // A read changes nothing: dying around it is dying at the point before.
  if (method === "GET" || path.endsWith("/access_tokens")) return await fetch(input, init);
  const asked =
    path.endsWith("/graphql") && typeof init?.body === "string" ? JSON.parse(init.body).query : "";
  if (/^\s*(?:query\b|\{)/.test(asked)) return await fetch(input, init);
  const [, root] = /^\s*mutation[^{]*\{\s*(\w+)/.exec(asked) ?? [];
  const short = path.replace(/^\/repos\/[^/]+\/[^/]+/, "").replace(/[0-9a-f]{40}|\d+/g, "*");
  const name = `${method} ${short}${root === undefined ? "" : ` ${root}`}`;
  point(`before ${name}`);
  const response = await fetch(input, init);
  point(`after ${name}`);
  return response;
};
const processes = require("node:child_process");
const { spawn } = processes;
processes.spawn = (file, args, options) => {
  const words = Array.isArray(args) ? args : [];
  const name = words.includes("push")
    ? "git push"
    : words.some((word) => String(word).endsWith("scripted-agent.mjs"))
      ? "agent"
      : undefined;
  if (name !== undefined) point(`before ${name}`);
  const child = spawn(file, args, options);
  if (name === "agent") setTimeout(() => point("with agent"), order.agentMs / 2).unref();
  if (name !== undefined) child.once("exit", () => point(`after ${name}`));
  return child;
};
syncBuiltinESMExports();

const { openForgehand } = await import(pathToFileURL(`${dist}/src/main.js`).href);
const { scriptedAgent } = await import(pathToFileURL(`${dist}/src/adapters/agents/scripted.js`).href);
const { systemClock } = await import(pathToFileURL(`${dist}/src/adapters/clock.js`).href);
const { pino } = require("pino");

const common = { scenes: order.scenes, searchPath: process.env.PATH, clock: systemClock() };
const forgehand = await openForgehand({
  environment: order.environment,
  agents: new Map([
    [
      "claude-code",
      scriptedAgent({ ...common, name: "claude-code", family: "anthropic", model: "claude-opus-5-5" }),
    ],
    ["codex", scriptedAgent({ ...common, name: "codex", family: "openai", model: "gpt-5.5" })],
  ]),
  log: pino({ level: order.loud ? "info" : "silent" }, pino.destination(2)),
  onStep: (step) => say({ step }),
});
say({ url: forgehand.url });
process.on("SIGTERM", () => forgehand.stop(0).then(() => process.exit(0)));
