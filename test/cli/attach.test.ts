/** Holding a run, taking its agent's session over in a terminal, and following what it says. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run, start, type Running } from "./run.ts";

let dir: string;
let running: Running[] = [];
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "attach-")));
});
afterEach(async () => {
  for (const one of running) one.process.kill("SIGKILL");
  await Promise.all(running.map((one) => one.ended));
  running = [];
  rmSync(dir, { recursive: true, force: true });
});
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** A run whose agent says a word and then works until it is stopped; told to go on, it is done. */
async function atWork() {
  const scenes = file(
    "scenes.json",
    JSON.stringify([
      { prompt: "interrupted", steps: [{ done: "finished what was begun" }] },
      { prompt: "Write", steps: [{ say: "I begin." }, { sleep: 60_000 }, { done: "never" }] },
    ]),
  );
  const flow = file(
    "flow.tsx",
    `import { Task, workflow } from "forgehand";
import { z } from "zod";
export default workflow({
  name: "flow", input: z.object({}), output: z.unknown(),
  render: () => <Task id="write" output={z.string()} agent="claude-code" prompt="Write it." />,
  result: () => "done",
});
`,
  );
  const env = { FORGEHAND_SCENES: scenes, FORGEHAND_CLAUDE_CODE_BINARY: join(dir, "claude") };
  const program = file(
    "claude",
    `#!/bin/sh\necho "$PWD $*" >> seen\nenv | grep -c FORGEHAND_ >> seen\nexit 0\n`,
  );
  chmodSync(program, 0o755);
  const forgehand = (...argv: readonly string[]) => run(argv, env, dir);
  const first = start(["workflow", "run", flow, "--run", "r1"], env, dir);
  running.push(first);
  await first.said("▸ write");
  const sessions = async (): Promise<readonly string[]> => {
    const { out } = await forgehand("chat", "r1", "--json");
    const { data } = JSON.parse(out) as { data: { attempts: { session: string | null }[] } };
    return data.attempts.flatMap(({ session }) => session ?? []);
  };
  for (let looks = 0; (await sessions()).length === 0; looks += 1)
    if (looks > 50) throw new Error("the agent never opened a session");
  return { forgehand, first, sessions, env };
}

test("a session is taken over in its folder while the run is held, and handed back", async () => {
  const { forgehand, first, sessions } = await atWork();
  const [session = ""] = await sessions();
  const shown = await forgehand("attach", "r1", "--print");
  expect(shown.out).toBe(`cd ${dir} && ${join(dir, "claude")} --resume ${session}\n`);
  const taken = await forgehand("attach", "r1");
  expect(taken).toMatchObject({ code: 0 });
  expect(taken.out).toContain('"write" continues in the session you worked in');
  expect(readFileSync(join(dir, "seen"), "utf8")).toBe(`${dir} --resume ${session}\n0\n`);
  expect(await first.ended).toMatchObject({ code: 3 });
  expect(await forgehand("resume", "r1")).toMatchObject({ code: 0, out: '"done"\n' });
  expect(new Set(await sessions())).toEqual(new Set([session]));
});

test("a held run begins nothing until it is resumed, and says that it is held", async () => {
  const { forgehand, first } = await atWork();
  expect(await forgehand("pause", "r1")).toMatchObject({ code: 0, out: "r1 is held\n" });
  expect(await first.ended).toMatchObject({ code: 3 });
  const told = await forgehand("why", "r1");
  expect(told.out).toContain("it is held");
  expect(told.out).toContain("You can: forgehand resume r1");
  expect(await forgehand("resume", "r1")).toMatchObject({ code: 0 });
  expect((await forgehand("pause", "r1")).code).toBe(4);
});

test("logs of a run tell what happens and what is said, followed to its end", async () => {
  const { forgehand, env } = await atWork();
  const follower = start(["logs", "r1", "-f", "--json"], env, dir);
  running.push(follower);
  await follower.said("I begin.");
  await forgehand("pause", "r1");
  await forgehand("resume", "r1");
  const { code, out } = await follower.ended;
  expect(code).toBe(0);
  const lines = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { schema: string; data: { kind: string; status?: string } });
  expect(lines.every(({ schema }) => schema === "run-logs/1")).toBe(true);
  expect(lines.map(({ data }) => data.status).filter((status) => status !== undefined)).toEqual(
    expect.arrayContaining(["running", "lost", "finished"]),
  );
  expect((await forgehand("logs", "r1")).out).toContain("write text: I begin.");
});

test("nothing to take over, and an agent that has no terminal, are said", async () => {
  const { forgehand } = await atWork();
  const none = await forgehand("attach", "r1", "nobody");
  expect(none.code).toBe(5);
  expect(none.err).toContain("those who have: write");
  expect(existsSync(join(dir, "seen"))).toBe(false);
});
