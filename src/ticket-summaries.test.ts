import { isAbsolute } from "node:path";
import { expect, test } from "vitest";
import { readEnvironment } from "./config-environment.ts";
import { virtualClock } from "./simulator/virtual-clock.ts";
import { openTicketLog } from "./ticket-summaries.ts";

test("a session's log is found again from any folder, though the data folder was named from one", () => {
  const environment = readEnvironment({ FORGEHAND_DATA_DIR: "./data" }, () => "");
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  expect(isAbsolute(openTicketLog(environment, virtualClock(0), quiet).pathOf("run/1#1"))).toBe(true);
});
