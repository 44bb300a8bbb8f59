import { describe, expect, test } from "vitest";
import { sandboxContract } from "./sandbox.contract.ts";
import { sandboxOfThisHost, stageOfThisHost } from "./sandboxes.ts";

const sameUser = "it runs as the same user among the same files";
const sameHost = "it runs on the same host";
sandboxContract("local", async () => stageOfThisHost("local"), {
  "it cannot read a file outside": sameUser,
  "it writes nowhere but in its folder": sameUser,
  "what it may read, it cannot write": sameUser,
  "a link it makes leads it nowhere": sameUser,
  "it sees no process but its own": sameHost,
  "without one, nothing of the host is reached": sameHost,
  "with one for its model, it reaches that and nothing else": sameHost,
});

const { found, why } = await sandboxOfThisHost("bubblewrap").probe();
const usable = found && why === undefined;
describe.skipIf(!usable)(`bubblewrap${usable ? "" : ` (skipped: ${why})`}`, () => {
  sandboxContract("bubblewrap", async () => stageOfThisHost("bubblewrap"));
});

test("a host without bubblewrap is told what to type", async () => {
  const { bubblewrapSandbox } = await import("../../src/adapters/sandboxes/bubblewrap.ts");
  const missing = bubblewrapSandbox({ binary: "bwrap", searchPath: "/nowhere", secret: [], read: [] });
  expect((await missing.probe()).why).toContain("apt-get install bubblewrap");
});
