/** An agent, a repository's test and a repository's hook look for our credentials, and find none. */
import { readdir, readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openWorld, pass, proceed, usage, type World } from "../world.ts";

const run = promisify(execFile);
const honey = "honeytoken-4f1c";
const planted = [
  "GITHUB_TOKEN",
  "GH_TOKEN",
  "FORGEHAND_PRIVATE_KEY",
  "FORGEHAND_WEBHOOK_SECRET",
  "LINEAR_API_KEY",
  "SSH_AUTH_SOCK",
  "GIT_ASKPASS",
  "AWS_SECRET_ACCESS_KEY",
  "DATABASE_URL",
  "SOMETHING_NOBODY_THOUGHT_OF",
];
let world: World;
beforeEach(() => {
  for (const name of planted) vi.stubEnv(name, honey);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

/** What only the App holds; of its key, a line from the middle. */
const ours = (): readonly string[] => {
  const { webhookSecret, privateKey } = world.hub.state.app;
  return [webhookSecret, privateKey.split("\n")[5] ?? privateKey];
};

/** Every process of this host as an agent's own `ps` and /proc show it. */
async function commandLines(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.join("\n");
}

test("neither agents nor the repository's own commands and hooks are given anything of ours", async () => {
  const dumps = ["setup", "test", "lint", "after_create", "before_run", "after_run", "before_remove"];
  const place = `/tmp/dump-${process.pid}-`;
  const dump = (name: string): string => `env > ${place}${name}`;
  world = await openWorld({
    config: [
      "merge: { settle_seconds: 0 }",
      "limits: { feedback_seconds: 0 }",
      `commands: { setup: "${dump("setup")}", test: "${dump("test")}", lint: "${dump("lint")}" }`,
      `hooks: { after_create: "${dump("after_create")}", before_run: "${dump("before_run")}", after_run: "${dump("after_run")}", before_remove: "${dump("before_remove")}" }`,
      "",
    ].join("\n"),
  });
  const { people, dir, hub } = world;
  const echo = (role: string, steps: readonly object[]) => ({
    role,
    steps: [usage, { echo: join(dir, `${role}.json`) }, ...steps],
  });
  world.scenes([
    echo("gate", [{ answer: proceed }]),
    echo("build", [{ write: { path: "src/done.txt", text: "done\n" } }, { done: "wrote it" }]),
    echo("review", [{ answer: pass }]),
  ]);
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "auto-merge", "bob");
  people.label(issue, "agent-ready", "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  const tokens = [...hub.state.tokens.keys()];
  expect(tokens.length).toBeGreaterThan(0);
  const secrets = [honey, ...ours(), ...tokens];
  const seen = new Map<string, string>();
  for (const role of ["gate", "build", "review"])
    seen.set(role, readFileSync(join(dir, `${role}.json`), "utf8"));
  for (const name of dumps) {
    // A hook that never ran has nothing to show; setup, test and lint did run.
    const text = await readFile(`${place}${name}`, "utf8").catch(() => undefined);
    if (text !== undefined) seen.set(name, text);
    await run("rm", ["-f", `${place}${name}`]);
  }
  for (const name of ["setup", "test", "lint", "after_create", "before_run"])
    expect([...seen.keys()]).toContain(name);
  for (const [who, text] of seen)
    for (const secret of secrets) expect(text.includes(secret), `${who} sees ${secret}`).toBe(false);
  for (const [who, text] of seen)
    for (const name of planted) expect(text, `${who} sees ${name}`).not.toContain(`${name}=`);
});

test("no token is in a file below the data directory or in any argv, while an agent works and after", async () => {
  world = await openWorld();
  const { people, dir, hub } = world;
  world.scenes([
    {
      role: "build",
      steps: [
        usage,
        { write: { path: "src/done.txt", text: "done\n" } },
        { write: { path: join(dir, "at-work"), text: "" } },
        { sleep: 1_500 },
        { done: "wrote it" },
      ],
    },
  ]);
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  people.label(issue, "auto-merge", "bob");
  people.label(issue, "agent-ready", "bob");
  const look = async (): Promise<readonly string[]> => {
    const secrets = [...hub.state.tokens.keys(), ...ours()];
    const argv = await commandLines();
    const found: string[] = secrets.filter((secret) => argv.includes(secret));
    for (const secret of secrets)
      for (const form of [secret, Buffer.from(`x-access-token:${secret}`).toString("base64")]) {
        const { stdout } = await run("grep", ["-rlaF", "-e", form, join(dir, "data")]).catch(() => ({
          stdout: "",
        }));
        if (stdout !== "") found.push(stdout);
      }
    return found;
  };
  await world.until("the builder works", () =>
    readFile(join(dir, "at-work")).then(
      () => true,
      () => false,
    ),
  );
  expect(hub.state.tokens.size).toBeGreaterThan(0);
  expect(await look()).toEqual([]);
  await world.untilState(issue, "Done");
  await world.settled();
  expect(await look()).toEqual([]);
});
