/** What an agent or a repository's command leaves behind is ended before anything else begins. */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
let apart: ChildProcess | undefined;
afterEach(async () => {
  apart?.kill("SIGKILL");
  await world.close();
});

/** Processes of this host whose command line bears this mark. */
async function alive(mark: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found: string[] = [];
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") Z ");
    if (line.includes(mark) && !/\) [ZX] /u.test(stat)) found.push(line.replaceAll("\0", " "));
  }
  return found;
}
const released = (): number => {
  const issue = world.people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  world.people.label(issue, "agent-ready", "bob");
  return issue;
};
/** Ways to leave the tree: each ends in a sleeper that bears the mark in its argv and hears no SIGTERM. */
const sleeper = (mark: string): string => `exec -a ${mark} sleep 300`;
const ways: Readonly<Record<string, (mark: string) => string>> = {
  "in the background": (mark) => `bash -c 'trap "" TERM HUP; ${sleeper(mark)}' > /dev/null 2>&1 & sleep 0.3`,
  "in a session of its own": (mark) =>
    `setsid bash -c 'trap "" TERM HUP; ${sleeper(mark)}' > /dev/null 2>&1 < /dev/null & sleep 0.3`,
  "forked twice": (mark) =>
    `(setsid bash -c '(trap "" TERM HUP; ${sleeper(mark)}) > /dev/null 2>&1 < /dev/null & exit 0' &) ; sleep 0.3`,
  "without its environment, far from its folder": (mark) =>
    `env -i setsid bash -c 'cd / && trap "" TERM HUP; sleep 0.2; ${sleeper(mark)}' > /dev/null 2>&1 < /dev/null & sleep 0.5`,
};

/** Counts the survivors without counting the counting: the pattern does not match itself. */
const count = (mark: string, into: string) => ({
  run: `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -cx '[${mark.slice(0, 1)}]${mark.slice(1)}' > ${into}`,
});

test.each(Object.entries(ways))(
  "a child left %s by an agent is gone before the next attempt begins",
  async (_how, leave) => {
    const mark = `left-by-agent-${process.pid}`;
    world = await openWorld();
    const seen = join(world.dir, "seen");
    world.scenes([
      {
        role: "build",
        file: { path: "src/first.txt", contains: "1" },
        steps: [usage, count(mark, seen), { done: "wrote it" }],
      },
      {
        role: "build",
        steps: [
          usage,
          { write: { path: "src/first.txt", text: "1" } },
          { run: leave(mark) },
          count(mark, join(world.dir, "left")),
          { fail: { how: "retry", code: "flaky", why: "on purpose" } },
        ],
      },
    ]);
    await world.untilState(released(), "In Review");
    // The attack did leave a child, or this proves nothing.
    expect(readFileSync(join(world.dir, "left"), "utf8").trim()).toBe("1");
    expect(readFileSync(seen, "utf8").trim()).toBe("0");
    expect(await alive(mark)).toEqual([]);
  },
);

test.each(Object.entries(ways))(
  "a child left %s by a repository's own command is gone before an agent goes on",
  async (_how, leave) => {
    const mark = `left-by-command-${process.pid}`;
    world = await openWorld({
      config: `commands:\n  setup: |\n    ${leave(mark)}\nmerge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n`,
    });
    const seen = join(world.dir, "seen");
    world.scenes([
      {
        role: "build",
        steps: [
          usage,
          count(mark, seen),
          { write: { path: "src/done.txt", text: "done\n" } },
          { done: "wrote it" },
        ],
      },
    ]);
    const issue = released();
    await world.untilState(issue, "In Review");
    expect(readFileSync(seen, "utf8").trim()).toBe("0");
    expect(await alive(mark)).toEqual([]);
  },
);

/** All at once: forked twice, in a session of its own, deaf to SIGTERM, with our pipe in its hands. */
const worst = (mark: string): string =>
  `(setsid bash -c '(trap "" TERM HUP INT; ${sleeper(mark)}) < /dev/null & exit 0' &) ; sleep 0.3`;

test("a deaf child, forked twice, that holds the agent's output neither holds its run up nor outlives it", async () => {
  const mark = `left-on-the-pipe-${process.pid}`;
  world = await openWorld();
  const left = join(world.dir, "left");
  world.scenes([
    {
      role: "build",
      steps: [
        usage,
        { leave: worst(mark) },
        count(mark, left),
        { write: { path: "src/done.txt", text: "done\n" } },
        { done: "wrote it" },
      ],
    },
  ]);
  await world.untilState(released(), "In Review");
  expect(readFileSync(left, "utf8").trim()).toBe("1");
  expect(await alive(mark)).toEqual([]);
});

test("what a forgehand that was killed left at work is gone before its successor's agent begins", async () => {
  const mark = `left-by-the-killed-${process.pid}`;
  world = await openWorld();
  const [left, seen] = [join(world.dir, "left"), join(world.dir, "seen")];
  world.scenes([
    {
      role: "build",
      file: { path: "src/first.txt", contains: "1" },
      steps: [
        usage,
        count(mark, seen),
        { write: { path: "src/done.txt", text: "done\n" } },
        { done: "wrote it" },
      ],
    },
    {
      role: "build",
      steps: [
        usage,
        { stubborn: true },
        { write: { path: "src/first.txt", text: "1" } },
        { leave: worst(mark) },
        count(mark, left),
        { run: `bash -c 'exec -a ${mark} sleep 300'` },
      ],
    },
  ]);
  await world.forgehand.stop(0);
  const killed = await forgehandApart(world);
  apart = killed;
  const issue = released();
  await world.until(
    "it left a child and works on",
    async () => existsSync(left) && (await alive(mark)).length > 1,
  );
  killed.kill("SIGKILL");
  await new Promise((wake) => killed.once("exit", wake));
  // Nobody told them to end, so the successor has something to find.
  expect((await alive(mark)).length).toBeGreaterThan(1);
  await world.start();
  await world.untilState(issue, "In Review");
  expect(readFileSync(left, "utf8").trim()).toBe("1");
  expect(readFileSync(seen, "utf8").trim()).toBe("0");
  expect(await alive(mark)).toEqual([]);
  const builds = (await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).filter(
    ({ role }) => role === "build",
  );
  expect(builds).toHaveLength(2);
  expect(new Set(builds.map(({ session }) => session)).size).toBe(1);
});

/** Forgehand on the world's data in a process of its own, so that it can be killed. */
async function forgehandApart({ hub, dir }: World): Promise<ChildProcess> {
  const { app } = hub.state;
  const environment = {
    github: {
      appId: app.id,
      privateKey: app.privateKey,
      webhookSecrets: [app.webhookSecret],
      apiUrl: hub.url,
    },
    database: join(dir, "data", "forgehand.db"),
    dataDir: join(dir, "data"),
    host: "127.0.0.1",
    port: 0,
    logLevel: "silent",
    concurrency: 3,
    runtimes: { "claude-code": "claude", codex: "codex" },
  };
  const order = { environment, scenes: join(dir, "scenes.json"), agentMs: 0, stops: [], report: false };
  const child = spawn(
    process.execPath,
    ["test/crash/child.mjs", JSON.stringify({ dist: resolve("dist"), order })],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return await new Promise((serving) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line) as { readonly url?: string };
      if (said.url === undefined) return;
      hub.courier.target(`${said.url}/webhooks/github`);
      serving(child);
    });
  });
}

test("an agent that hears no SIGTERM and leaves an orphan on our pipe is ended when its ticket is stopped", async () => {
  world = await openWorld();
  const { people } = world;
  const started = join(world.dir, "started");
  world.scenes([
    {
      role: "build",
      steps: [
        usage,
        { stubborn: true },
        { orphan: 300_000 },
        { write: { path: started, text: "" } },
        { sleep: 300_000 },
      ],
    },
  ]);
  const issue = released();
  await world.until("it began", () => existsSync(started));
  const runs = (await world.forgehand.store.sessionsOf(`github:${world.repo.id}#${issue}`)).map(
    ({ run: id }) => id,
  );
  people.comment(issue, "bob", "/forgehand stop");
  await world.until("nobody works", () => world.forgehand.engine.atWork().length === 0);
  const marked: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (runs.some((id) => environment.includes(`RUN_ID=${id}\0`))) marked.push(pid);
  }
  expect(marked).toEqual([]);
});
