/** Words of tasks are kept for people, and never a credential with them. */
import { expect, test } from "vitest";
import { z } from "zod";
import { Task } from "#engine";
import { redact } from "../../src/secrets.ts";
import { open, simple } from "./world.ts";

test("a credential in the words of a failure reaches no row", async () => {
  const token = `ghp_${"a1B2".repeat(9)}`;
  const world = await open(
    simple(() => (
      <Task
        id="a"
        retries={0}
        output={z.null()}
        perform={() => {
          throw new Error(`push to https://x:${token}@host failed`);
        }}
      />
    )),
    undefined,
    undefined,
    {
      host: {
        folder: "/nonexistent",
        shell: () => Promise.reject(new Error("no shell")),
        agents: new Map(),
        redact,
        snapshots: undefined,
        worktrees: undefined,
      },
    },
  );
  const run = await world.start();
  expect(run?.error).toContain("push to");
  expect(JSON.stringify([run, await world.engine.attempts("r")])).not.toContain(token);
});
