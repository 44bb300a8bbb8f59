/** What an agent or a repository's command leaves behind is ended before anything else begins. */
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

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
