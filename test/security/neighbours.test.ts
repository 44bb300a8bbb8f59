import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { askRuntime } from "../../src/adapters/agents/probe.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { openWorld, usage, type World } from "../world.ts";

let worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.map((world) => world.close()));
  worlds = [];
});

test("two of the same user that work on the same ticket never end each other's agents", async () => {
  const build = (ms: number) => ({
    role: "build",
    steps: [usage, { sleep: ms }, { write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }],
  });
  worlds = await Promise.all([50, 3_000].map((ms) => openWorld({ scenes: [build(ms)] })));
  const issues = worlds.map((world) => {
    const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
    world.people.label(issue, "agent-ready", "bob");
    return issue;
  });
  const runs = await Promise.all(
    worlds.map(async (world, index) => {
      const issue = issues[index] ?? 0;
      await world.untilState(issue, "In Review");
      const sessions = await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`);
      return sessions.map(({ run, role, outcome }) => [run, role, outcome]);
    }),
  );
  expect(runs[0]).toEqual(runs[1]);
  expect(runs[0]?.map(([, role]) => role)).toEqual(["gate", "build", "review"]);
});

test("asking a runtime for its version ends nobody who works below the folder for temporary files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "neighbour-"));
  const runtime = join(folder, "slow-runtime");
  writeFileSync(
    runtime,
    '#!/bin/sh\ntouch "$0.asked"\nwhile [ ! -e "$0.go" ]; do sleep 0.05; done\necho 1.2.3\n',
    {
      mode: 0o755,
    },
  );
  const asked = askRuntime(runtime, ["--version"], { PATH: process.env["PATH"] ?? "" }, systemClock());
  while (!existsSync(`${runtime}.asked`)) await new Promise((resolve) => setTimeout(resolve, 20));
  // Began since, and stands there.
  const neighbour = spawn("sleep", ["60"], { cwd: folder, stdio: "ignore" });
  try {
    await once(neighbour, "spawn");
    writeFileSync(`${runtime}.go`, "");
    expect((await asked).text).toBe("1.2.3");
    expect([neighbour.exitCode, neighbour.signalCode]).toEqual([null, null]);
    expect(neighbour.kill(0)).toBe(true);
  } finally {
    neighbour.kill("SIGKILL");
  }
});
