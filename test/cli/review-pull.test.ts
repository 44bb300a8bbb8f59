/** Reviews of pull requests on a simulated forge: read with a token, posted once, and as a step of a workflow. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { systemClock } from "../../src/adapters/clock.ts";
import { openPullAccess } from "../../src/adapters/github/pull-review.ts";
import { mintToken } from "../../src/simulator/hub/auth.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import type { SimRepo } from "../../src/simulator/hub/state.ts";
import { fails, finding, openStand, passes, type ReviewStand } from "./review-stand.ts";

let stand: ReviewStand;
let hub: RunningHub;
let repo: SimRepo;
let people: People;
let token: string;
let pull: number;
beforeEach(async () => {
  stand = openStand();
  hub = await startHub();
  repo = await hub.seed({
    owner: "acme",
    name: "web",
    files: { "a.txt": "one\n", "AGENTS.md": "Be kind.\n" },
  });
  people = peopleOn(hub, repo);
  people.person("bob", "write");
  await people.push("feature", "bob", { "a.txt": "one\ntwo\n" });
  await people.push("main", "bob", { "b.txt": "moved on\n" });
  token = mintToken(hub, [repo.id], { contents: "read", pull_requests: "write", metadata: "read" }).token;
  const opened = await fetch(`${hub.url}/repos/acme/web/pulls`, {
    method: "POST",
    headers: { authorization: `bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ title: "Add two", body: "Two is needed.", head: "feature", base: "main" }),
  });
  pull = ((await opened.json()) as { readonly number: number }).number;
});
afterEach(async () => {
  await hub.close();
  stand.close();
});

const env = (): Record<string, string> => ({ GH_TOKEN: token, FORGEHAND_GITHUB_API_URL: hub.url });
const review = (...argv: readonly string[]) =>
  stand.review(["--pr", `acme/web#${pull}`, ...argv], { env: env(), cwd: stand.dir });
const posted = () => people.thread(pull).pull?.reviews ?? [];
const remarks = () => people.thread(pull).pull?.inline ?? [];

test("a pull request is read with a token, from anywhere, and its author's words reach the reviewer", async () => {
  stand.scenes({ role: "review", prompt: ["Two is needed.", "+two", "Be kind."], steps: [fails] });
  const { code, out } = await review();
  expect(out).toContain(`FAIL: acme/web#${pull}`);
  expect(out).not.toContain("b.txt");
  expect(code).toBe(1);
  expect(posted()).toHaveLength(0);
});

test("no agent is given the token", async () => {
  const path = join(stand.dir, "seen.json");
  stand.scenes({ role: "review", steps: [{ echo: path }, passes] });
  expect((await review()).code).toBe(0);
  expect(readFileSync(path, "utf8")).not.toContain(token);
});

test("posting twice leaves one review, which tells how it stands now", async () => {
  const far = { ...finding, title: "Far away", line: 400 };
  stand.scenes({ role: "review", steps: [{ answer: { ...fails.answer, findings: [finding, far] } }] });
  const first = await review("--post");
  expect(first.out).toContain("posted: ");
  expect(posted()).toMatchObject([{ state: "COMMENTED", head: people.thread(pull).pull?.head }]);
  expect(remarks()).toMatchObject([{ path: "a.txt", line: 2 }]);
  const body = posted()[0]?.body ?? "";
  expect(body).toContain("**forgehand review: fail**");
  expect(body).toContain("Far away");
  expect(body).not.toContain("Two is wrong");
  expect((await review("--post")).code).toBe(1);
  expect(posted()).toHaveLength(1);
  expect(posted()[0]?.body).toBe(body);
  stand.scenes({ role: "review", steps: [passes] });
  expect((await review("--post")).code).toBe(0);
  expect(posted()).toHaveLength(1);
  expect(posted()[0]?.body).toContain("**forgehand review: pass**");
  expect(remarks()).toHaveLength(1);
});

test("a new head gets a review of its own, and the older one says that it is past", async () => {
  await review("--post");
  await people.push("feature", "bob", { "a.txt": "one\ntwo\nthree\n" });
  await review("--post");
  expect(posted()).toHaveLength(2);
  expect(posted()[0]?.body).toContain("A newer head was reviewed since");
  expect(posted()[1]?.body).toContain("**forgehand review: pass**");
});

test("a review of a head that is past by now leaves that of the newer one as it is", async () => {
  const past = people.thread(pull).pull?.head ?? "";
  const door = () =>
    openPullAccess(
      { owner: "acme", repo: "web", number: pull },
      { is: "token", token },
      { apiUrl: hub.url, clock: systemClock(), scrub: (text) => text },
    );
  const said = { findings: [], listed: () => "", outdated: "It is past." };
  await people.push("feature", "bob", { "a.txt": "one\ntwo\nthree\n" });
  const now = people.thread(pull).pull?.head ?? "";
  await door().post({ ...said, head: now, body: "Of the newer one." });
  await door().post({ ...said, head: past, body: "Of the older one, and slower." });
  expect(posted().map(({ body }) => body.split("\n").at(-1))).toEqual([
    "Of the newer one.",
    "Of the older one, and slower.",
  ]);
});

test("a review that cannot be posted is told all the same, and ends with what is missing", async () => {
  token = mintToken(hub, [repo.id], { contents: "read", pull_requests: "read", metadata: "read" }).token;
  const passed = await review("--post", "--output", join(stand.dir, "r.txt"));
  expect(passed.out).toContain("PASS");
  expect(passed.err).toContain("the review could not be posted");
  expect(readFileSync(join(stand.dir, "r.txt"), "utf8")).toContain("PASS");
  expect(passed.code).toBe(6);
  stand.scenes({ role: "review", steps: [fails] });
  const failed = await review("--post", "--json");
  expect(JSON.parse(failed.out)).toMatchObject({ data: { verdict: "fail", exit: 1, posted: null } });
  expect(failed.code).toBe(1);
});

test("a review with our mark that somebody else wrote is not ours", async () => {
  const head = people.thread(pull).pull?.head ?? "";
  await people.comments(pull, "bob", `<!-- forgehand:review-of ${head} -->\nAll fine.`);
  await review("--post");
  expect(posted().map(({ by }) => by)).toEqual(["bob", `${hub.state.app.slug}[bot]`]);
  expect(posted()[0]?.body).toContain("All fine.");
});

test("the App may stand in for a token", async () => {
  const { privateKey, id } = hub.state.app;
  const app = {
    FORGEHAND_APP_ID: String(id),
    FORGEHAND_PRIVATE_KEY: privateKey,
    FORGEHAND_WEBHOOK_SECRET: "x".repeat(32),
    FORGEHAND_GITHUB_API_URL: hub.url,
  };
  const { code, out } = await stand.review(["--pr", `acme/web#${pull}`, "--post"], { env: app });
  expect(out).toContain("PASS");
  expect(code).toBe(0);
  expect(posted()).toHaveLength(1);
});

test("a pull request that is not there, and a token that is none", async () => {
  const missing = await stand.review(["--pr", "acme/web#999"], { env: env() });
  expect(missing.err).toContain("There is no pull request acme/web#999");
  expect(missing.code).toBe(5);
  const refused = await stand.review(["--pr", `acme/web#${pull}`], {
    env: { ...env(), GH_TOKEN: "nonsense" },
  });
  expect(refused.code).toBe(6);
  const plain = await stand.review(["--pr", "acme/web#1"], {
    env: { GH_TOKEN: token, GITHUB_API_URL: "http://example.org" },
  });
  expect(plain.err).toContain("must be an https:// URL");
  expect(plain.code).toBe(4);
});

const project = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/u, "");
interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: {
    readonly using: string;
    readonly steps: readonly { readonly run: string; readonly env: Readonly<Record<string, string>> }[];
  };
}
const action = parse(readFileSync(join(project, "bootstrap", "action", "action.yml"), "utf8")) as Action;

/** Runs the action's step as a runner would; `checkout` is where the runner keeps the action. */
async function step(
  inputs: Readonly<Record<string, string>>,
  event: Readonly<Record<string, string>> = {},
  checkout = project,
) {
  const [only] = action.runs.steps;
  const values = Object.entries(only?.env ?? {}).map(([name, text]) => {
    const input = /^\$\{\{ inputs\.([\w-]+) \}\}$/u.exec(text)?.[1] ?? "";
    return [name, inputs[input] ?? action.inputs[input]?.default ?? ""] as const;
  });
  const output = join(stand.dir, "output");
  writeFileSync(output, "");
  const done = await execa("bash", ["-c", only?.run ?? "exit 99"], {
    cwd: stand.repo,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(stand.dir, "home"),
      XDG_STATE_HOME: join(stand.dir, "state"),
      FORGEHAND_SCENES: join(stand.dir, "scenes.json"),
      ...Object.fromEntries(values),
      GITHUB_ACTION_PATH: join(checkout, "bootstrap", "action"),
      GITHUB_API_URL: hub.url,
      GITHUB_REPOSITORY: "acme/web",
      GITHUB_REF: `refs/pull/${pull}/merge`,
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_OUTPUT: output,
      ...event,
    },
    extendEnv: false,
    reject: false,
  });
  return { code: done.exitCode, out: done.stdout, err: done.stderr, output: readFileSync(output, "utf8") };
}

/** The action as a runner fetched it, with an npm that notes what it is given and builds by linking what is built here. */
function fetched(build: string) {
  const at = join(stand.dir, "action");
  cpSync(join(project, "bootstrap", "action"), join(at, "bootstrap", "action"), { recursive: true });
  const bin = join(stand.dir, "bin");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "npm"),
    `#!/bin/sh\necho "npm $*"\nprintf '%s\\n' "$*" >> "${at}/calls"\nenv >> "${at}/env"\n[ "$1" = install ] || { ${build}; }\n`,
    { mode: 0o755 },
  );
  return {
    at,
    path: `${bin}:${process.env["PATH"] ?? ""}`,
    read: (name: string) => readFileSync(join(at, name), "utf8"),
  };
}

test("the action reviews the pull request of its event, posts, and hands on the verdict", async () => {
  expect(action.runs.using).toBe("composite");
  const orders = { ...fails.answer, summary: "::set-output name=x::y" };
  stand.scenes({ role: "review", steps: [{ answer: orders }] });
  const ended = await step({ token, post: "true", sarif: "r.sarif" });
  expect(ended).toMatchObject({ code: 1, output: "verdict=fail\n" });
  expect(ended.out).toMatch(/^::stop-commands::([\w-]+)\n[\s\S]*::set-output[\s\S]*\n::\1::$/u);
  expect(posted()).toHaveLength(1);
  expect(JSON.parse(readFileSync(join(stand.repo, "r.sarif"), "utf8"))).toMatchObject({ version: "2.1.0" });
  expect(await step({ token, "fail-on": "never" })).toMatchObject({ code: 0, output: "verdict=fail\n" });
});

test("the action compares what is checked out where a base is given", async () => {
  stand.scenes({ role: "review", prompt: "+two", steps: [passes] });
  expect(await step({ base: "main" })).toMatchObject({ code: 0, output: "verdict=pass\n" });
});

test("the action refuses what is unsafe or means nothing", async () => {
  const unsafe = await step({ token }, { GITHUB_EVENT_NAME: "pull_request_target" });
  expect(unsafe.out).toContain("does not run on pull_request_target");
  expect(unsafe.code).toBe(4);
  const push = await step({ token }, { GITHUB_REF: "refs/heads/main", GITHUB_EVENT_NAME: "push" });
  expect(push.out).toContain("This event has no pull request");
  expect((await step({ token, "fail-on": "$(touch pwned)" })).code).toBe(4);
  expect((await step({ base: "main", post: "true" })).code).toBe(4);
});

test("the action builds itself once from what the runner fetched, and building sees no secret", async () => {
  const here = fetched(`ln -s "${project}/dist" dist`);
  const secrets = {
    PATH: here.path,
    ANTHROPIC_API_KEY: "sk-own",
    GEMINI_API_KEY: "g-own",
    NODE_ENV: "production",
  };
  const first = await step({ token }, secrets, here.at);
  expect(first).toMatchObject({ code: 0, output: "verdict=pass\n" });
  expect(first.err).toContain("npm install");
  expect(first.out).toMatch(/^::stop-commands::/u);
  const seen = here.read("env");
  for (const secret of [token, "sk-own", "g-own", "NODE_ENV", "GITHUB_OUTPUT"])
    expect(seen).not.toContain(secret);
  expect(await step({ token }, secrets, here.at)).toMatchObject({ code: 0 });
  expect(here.read("calls")).toBe("install --no-save --no-audit --no-fund\nrun -s build\n");
});

test("an action that cannot be built has no verdict, and leaves nothing half built", async () => {
  const here = fetched(`mkdir -p dist/cli && echo 'process.exit(0)' > dist/cli/forgehand.js; exit 3`);
  for (const _ of ["first", "again"]) {
    const { code, out, output } = await step({ token }, { PATH: here.path }, here.at);
    expect(out).toContain("::error title=forgehand review::The action could not be built");
    expect({ code, output }).toEqual({ code: 4, output: "verdict=blocked\n" });
  }
});

test("no input of the action is ever part of its script", () => {
  for (const { run } of action.runs.steps) expect(run).not.toContain("${{");
});
