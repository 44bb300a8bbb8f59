import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { orphansEnder } from "../../src/cli/orphans.ts";
import { thisProcess } from "../../src/adapters/owner.ts";

const standIn = join(import.meta.dirname, "../adapters/sandbox/docker-stand-in.mjs");
let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "orphans-"));
  for (const folder of ["bin", "containers"]) mkdirSync(join(state, folder));
  copyFileSync(standIn, join(state, "bin", "docker"));
  chmodSync(join(state, "bin", "docker"), 0o755);
  vi.stubEnv("DOCKER_STAND_IN", state);
  vi.stubEnv("PATH", `${join(state, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin`);
  vi.stubEnv("FORGEHAND_SANDBOX", "docker");
  vi.stubEnv("FORGEHAND_SANDBOX_IMAGE", "agents:1");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(state, { recursive: true, force: true });
});

const [left, atWork] = ["a".repeat(24), "b".repeat(24)] as const;
const contain = (id: string, owner: object): void =>
  writeFileSync(
    join(state, "containers", id),
    JSON.stringify({
      id,
      pid: 2 ** 30,
      labels: {
        "forgehand.order": id,
        "forgehand.cwd": "/tree",
        "forgehand.owner": JSON.stringify(owner),
      },
    }),
  );

test("a command ends what a process that died left in the operator's sandboxes, and nobody else's", async () => {
  contain(left, { pid: 2 ** 30, startedAt: "1", host: hostname() });
  contain(atWork, thisProcess());
  await orphansEnder(join(state, "workflows.db"))(["r1"]);
  expect(readdirSync(join(state, "containers"))).toEqual([atWork]);
});
