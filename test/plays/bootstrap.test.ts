import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { labelNames } from "../../bootstrap/labels.ts";
import { onboardingBranch as branch } from "../../bootstrap/says-onboarding.ts";
import type { BootstrapOptions } from "../../src/cli/bootstrap-options.ts";
import { bootstrap } from "../../src/cli/bootstrap.ts";
import { git } from "../../src/simulator/hub/git.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { mergePull } from "../../src/simulator/hub/merging.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import type { SimRepo } from "../../src/simulator/hub/state.ts";
import { openWorld, type World } from "../world.ts";

const files = {
  "README.md": "# api\n",
  "package.json": `{\n  "name": "api",\n  "scripts": { "test": "node test.js" }\n}\n`,
  "test.js": "",
  "lint.js": "",
};
let hub: RunningHub;
let repo: SimRepo;
let people: People;
let dir: string;

async function settle(): Promise<void> {
  repo = await hub.seed({ owner: "acme", name: "api", files });
  people = peopleOn(hub, repo);
  people.person("ada", "admin");
  const { app, url } = hub.state;
  vi.stubEnv("FORGEHAND_APP_ID", String(app.id));
  vi.stubEnv("FORGEHAND_PRIVATE_KEY", app.privateKey);
  vi.stubEnv("FORGEHAND_WEBHOOK_SECRET", app.webhookSecret);
  vi.stubEnv("FORGEHAND_GITHUB_API_URL", url);
  vi.stubEnv("FORGEHAND_DATA_DIR", join(dir, "own"));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
}
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

interface Data {
  readonly outcome: string;
  readonly pull: { readonly number: number } | null;
  readonly changes: readonly { readonly path: string; readonly is: string }[];
  readonly kept: readonly { readonly path: string; readonly is: string }[];
  readonly warnings: readonly string[];
  readonly labels: { readonly created: readonly string[] } | null;
  readonly ticket: number | null;
  readonly patch: string | null;
}
async function run(options: BootstrapOptions = {}): Promise<Data & { readonly exit: number }> {
  const { data, exit } = await bootstrap("acme/api", { verify: false, ...options });
  return { ...(data as Data), exit: exit ?? 0 };
}
const numberIn = ({ pull }: Data): number => pull?.number ?? 0;
const writes = (): number =>
  hub.state.calls.filter(({ path }) => !/access_tokens|graphql$/u.test(path)).length;
const merge = async (number: number, method = "squash"): Promise<void> => {
  if ((await mergePull(hub, repo, people.thread(number), "ada", { method })) === undefined)
    throw new Error(`#${number} cannot be merged`);
};
const bodyOf = (number: number): string => people.thread(number).body;
const rewrite = async (on: string, path: string, change: (text: string) => string): Promise<string> =>
  await people.push(on, "ada", { [path]: change(await people.file(on, path)) });
const log = async (range: string): Promise<readonly string[]> =>
  (await git(repo.dir, ["log", "--format=%an", range])).trim().split("\n");

describe("the onboarding pull request", () => {
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "bootstrap-"));
    hub = await startHub({ root: join(dir, "forge") });
    await settle();
  });
  afterEach(async () => {
    await hub.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("is opened once, with everything on one commit, and a second run changes nothing", async () => {
    expect((await run({ dryRun: true })).outcome).toBe("would-change");
    expect((await run({ check: true })).exit).toBe(1);
    expect(writes()).toBe(0);
    expect(repo.branches.has(branch)).toBe(false);

    const first = await run();
    expect(first.outcome).toBe("opened");
    const body = bodyOf(numberIn(first));
    expect(body).toContain("| Test | `npm test` | `package.json:3` |");
    expect(body).toContain("--again");
    for (const label of ["agent-ready", "auto-merge"]) expect(body).toContain(`\`${label}\``);
    expect(repo.labels.size).toBe(0);
    expect(await log(`main..${branch}`)).toEqual([`${hub.state.app.slug}[bot]`]);
    expect(await git(repo.dir, ["ls-tree", branch, ".claude/skills"])).toMatch(/^120000 /u);
    const [head, before] = [repo.branches.get(branch), writes()];

    const again = await run();
    expect(again.outcome).toBe("unchanged");
    expect(numberIn(again)).toBe(numberIn(first));
    expect([repo.branches.get(branch), writes()]).toEqual([head, before]);
    expect(people.pulls()).toHaveLength(1);
    expect(readdirSync(join(dir, "own", "bootstrap"))).toEqual([]);
  });

  test("carries what a run that was killed before it was opened had pushed", async () => {
    hub.fail({ method: "POST", path: /\/pulls$/u, status: "reset" });
    await expect(run()).rejects.toThrow();
    expect(people.pulls()).toEqual([]);
    const head = repo.branches.get(branch);
    expect((await run()).outcome).toBe("opened");
    expect(repo.branches.get(branch)).toBe(head);
  });

  test("is made anew on a base that moved, while nobody else worked on it", async () => {
    await run();
    await people.push("main", "ada", {
      "package.json": files["package.json"].replace("api", "web"),
      "AGENTS.md": "# Hers\n",
    });
    expect((await run()).outcome).toBe("updated");
    expect(await log(`main..${branch}`)).toEqual([`${hub.state.app.slug}[bot]`]);
    expect(await people.file(branch, "AGENTS.md")).toMatch(/^# Hers\n\n<!-- forgehand:begin/u);
    expect(people.pulls()).toHaveLength(1);
  });

  test("keeps people's commits, text and deletions, and is brought up to date upon them", async () => {
    const number = numberIn(await run({ agent: true }));
    await people.editPull(number, "ada", { body: `Hello!\n\n${bodyOf(number)}\n\nBye.` });
    await rewrite(branch, "AGENTS.md", (text) => `${text}\nHer own line.\n`);
    const hers = await people.push(branch, "ada", { "CLAUDE.md": null });
    expect((await run()).outcome).toBe("updated");
    expect(repo.branches.get(branch)).toBe(hers);
    await people.push("main", "ada", {
      "package.json": files["package.json"].replace(`"test"`, `"lint": "node lint.js", "test"`),
    });
    const next = await run();
    expect(next.outcome).toBe("updated");
    expect(next.kept).toContainEqual(expect.objectContaining({ path: "CLAUDE.md", is: "deleted" }));
    expect((await git(repo.dir, ["rev-parse", `${branch}^1`])).trim()).toBe(hers);
    expect(await people.file(branch, "AGENTS.md")).toMatch(/npm run lint[\s\S]*Her own line\.\n$/u);
    expect(await people.file(branch, ".forgehand/bootstrap.json")).toContain(`"agent":true`);
    expect(bodyOf(number)).toMatch(/^Hello!\n[\s\S]*\nBye\.$/u);
    expect(bodyOf(number)).toContain("Left as they are");
    expect((await run()).outcome).toBe("unchanged");
    await merge(number);
    await expect(people.file("main", "CLAUDE.md")).rejects.toThrow();
  });

  test("that was closed stays declined until it is asked for again", async () => {
    const first = numberIn(await run());
    await people.closePull(first, "ada");
    const before = writes();
    const declined = await run();
    expect([declined.outcome, declined.exit, writes()]).toEqual(["declined", 2, before]);
    const again = await run({ again: true });
    expect(again.outcome).toBe("opened");
    expect(numberIn(again)).not.toBe(first);
  });

  test("once merged is followed by labels and the ticket, each once, and an update only when asked", async () => {
    const number = numberIn(await run({ agent: true }));
    await merge(number);
    const after = await run();
    expect(after.outcome).toBe("set-up");
    expect(after.labels?.created).toEqual(labelNames);
    expect(people.thread(after.ticket ?? 0).body).toMatch(/acceptance criteria/iu);
    expect(people.labels(after.ticket ?? 0)).toEqual([]);
    const repeated = await run();
    expect([repeated.labels?.created, repeated.ticket]).toEqual([[], after.ticket]);
    expect((await run({ check: true })).exit).toBe(0);

    await people.push("main", "ada", {
      "package.json": files["package.json"].replace(`"test"`, `"lint": "node lint.js", "test"`),
    });
    await rewrite("main", "AGENTS.md", (text) => text.replace("One concern each", "One thing each"));
    expect((await run({ check: true })).exit).toBe(1);
    expect((await run()).outcome).toBe("update-available");
    const update = await run({ update: true });
    expect(update.outcome).toBe("opened");
    expect(numberIn(update)).not.toBe(number);
    expect(await people.file(branch, "AGENTS.md")).toMatch(/npm run lint[\s\S]*One thing each/u);
    await merge(numberIn(update), "merge");
    expect((await run({ update: true })).outcome).toBe("set-up");
  });

  test("does not touch a branch of that name that is somebody else's", async () => {
    const hers = await people.push(branch, "ada", { "x.txt": "x" });
    await expect(run()).rejects.toThrow(/commits of somebody else/u);
    await people.openPull(branch, "ada");
    await expect(run()).rejects.toThrow(/Somebody else has a pull request/u);
    expect(repo.branches.get(branch)).toBe(hers);
  });

  test("tells what stands in its way before anything is written", async () => {
    repo.archived = true;
    await expect(run()).rejects.toThrow(/archived/u);
    repo.archived = false;
    repo.issuesOff = true;
    repo.isFork = true;
    people.protect("main", { checks: ["ci"], approvals: 2 });
    const { warnings } = await run({ dryRun: true });
    expect(warnings.join("\n")).toMatch(/Issues are switched off/u);
    expect(warnings.join("\n")).toMatch(/is a fork: everything happens in the fork/u);
    expect(warnings.join("\n")).toMatch(
      /`auto-merge` alone can never merge into main: it needs 2 approvals/u,
    );
    expect(warnings.join("\n")).toMatch(/no CI here/u);
    await expect(bootstrap("acme/none", {})).rejects.toThrow(/not installed on acme\/none/u);
    const granted = hub.state.app.permissions;
    Object.assign(hub.state.app, { permissions: { ...granted, contents: "read" } });
    await expect(run()).rejects.toThrow(/lacks contents: write on acme[\s\S]*settings\/installations/u);
    hub.state.app.suspendedAt = 1;
    await expect(run()).rejects.toThrow(/installation on acme is suspended/u);
    expect(writes()).toBe(0);
  });

  test("says that a repository without a commit needs a first one", async () => {
    await git(repo.dir, ["update-ref", "-d", "refs/heads/main"]);
    await expect(run()).rejects.toThrow(/no commit on main/u);
  });

  test("states how long set-up and tests took, and does not try the same again", async () => {
    const number = numberIn(await run({ verify: true }));
    expect(bodyOf(number)).toMatch(/`npm test` passed in \d+ s, run once in a clone of its own/u);
    const { verify: _, ...unsaid } = { verify: false };
    expect((await bootstrap("acme/api", unsaid)).data).toMatchObject({ outcome: "unchanged" });
  });
});

describe("while forgehand serves", () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
    ({ hub, dir } = world);
    await settle();
    world.forgehand.reconcile();
    await world.settled();
  });
  afterEach(() => world.close());
  const stateOf = async (issue: number) =>
    (await world.forgehand.store.load(`github:${repo.id}#${issue}`))?.ticket.state;

  test("nothing new starts before it is merged; then labels are there and work begins", async () => {
    const number = numberIn(await run());
    await world.settled();
    const issue = people.openIssue({ by: "ada", title: "Say done", body: "Write src/done.txt." });
    people.label(issue, "agent-ready", "ada");
    await world.settled();
    expect(await stateOf(issue)).toBe("Ready");
    expect(bodyOf(number)).toContain("Labels that will be created");
    expect(people.thread(issue).comments.at(-1)?.body).toMatch(/forgehand\/bootstrap/u);
    await merge(number);
    await world.until("it is built", async () => (await stateOf(issue)) === "In Review");
    await world.settled();
    expect([...repo.labels.keys()]).toEqual(expect.arrayContaining([...labelNames]));
  });

  test("a repository that declined is worked in by labels alone", async () => {
    const number = numberIn(await run());
    await world.settled();
    const issue = people.openIssue({ by: "ada", title: "Say done", body: "Write src/done.txt." });
    people.label(issue, "agent-ready", "ada");
    await world.settled();
    expect(await stateOf(issue)).toBe("Ready");
    // Nobody tells us that it was closed.
    hub.courier.deliver = (delivery) => (delivery.name === "pull_request" ? [] : [delivery]);
    await people.closePull(number, "ada");
    world.forgehand.reconcile();
    await world.until("it is built", async () => (await stateOf(issue)) === "In Review");
  });
});
