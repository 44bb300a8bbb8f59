import { rmSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { expect, test } from "vitest";
import { readEnvironment } from "./config-environment.ts";
import type { Agent } from "./ports-agents.ts";
import { virtualClock } from "./simulator/virtual-clock.ts";
import { openTicketLog, summariserOf } from "./ticket-summaries.ts";
import { temporaryFolder } from "../test/temporary.ts";

test("a session's log is found again from any folder, though the data folder was named from one", () => {
  const environment = readEnvironment({ FORGEHAND_DATA_DIR: "./data" }, () => "");
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  expect(isAbsolute(openTicketLog(environment, new Map(), virtualClock(0), quiet).pathOf("run/1#1"))).toBe(
    true,
  );
});

test("whoever sums up works in a folder that containers and other hosts know, too", async () => {
  const dir = temporaryFolder("summaries-");
  const never = (): never => expect.unreachable("nobody is asked");
  const agent: Agent = { name: "codex", family: "openai", probe: never, work: never };
  const summariser = summariserOf(
    { summary: { runtime: "codex", model: undefined }, dataDir: relative(process.cwd(), dir) },
    new Map([["codex", agent]]),
    { sweep: never, reserve: never, release: never, sessions: undefined, prices: new Map() },
  );
  expect(await summariser?.within((folder) => Promise.resolve(isAbsolute(folder)))).toBe(true);
  rmSync(dir, { recursive: true, force: true });
});
