/** `forgehand init` as it ships, beside an `up` that runs already. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { databaseOf } from "../../src/cli/workflow-database.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import { openSqlite } from "../../src/sql.ts";
import { browse } from "./init-stage.ts";
import { run, start } from "./run.ts";

let hub: RunningHub;
let home: string;
beforeEach(async () => {
  hub = await startHub();
  home = mkdtempSync(join(tmpdir(), "init-process-"));
});
afterEach(async () => {
  await hub.close();
  rmSync(home, { recursive: true, force: true });
});
const env = () => ({
  HOME: home,
  FORGEHAND_GITHUB_API_URL: hub.url,
  FORGEHAND_PORT: "0",
  FORGEHAND_CLAUDE_CODE_BINARY: "/nowhere/claude",
  FORGEHAND_CODEX_BINARY: "/nowhere/codex",
});

test("an up without an App goes on with the one that init makes, and hears of its tickets by itself", async () => {
  const repo = await hub.seed({ owner: "acme", name: "web", files: { "README.md": "# web\n" } });
  const people = peopleOn(hub, repo);
  people.person("bob", "write");
  const folder = join(home, "work");
  const workflows = join(folder, databaseOf({}));
  mkdirSync(dirname(workflows), { recursive: true });
  const sql = openSqlite(workflows);
  await migrateEngine(sql);
  sql.close();
  const served = start(["up"], env(), folder);
  await served.said("no GitHub App is set");

  const init = start(
    [
      "init",
      "--yes",
      "--create",
      "--org",
      "acme",
      "--feed",
      "pull",
      "--no-browser",
      "--no-linear",
      "--port",
      "0",
      "--json",
    ],
    env(),
    folder,
  );
  let words = "";
  init.process.stderr?.on("data", (bytes: Buffer) => (words += bytes.toString("utf8")));
  await init.said("/start/");
  await init.said("ssh -L");
  expect(await browse(/http:\S+\/start\/\S+/u.exec(words)?.[0] ?? "")).toContain(
    "forgehand bootstrap acme/web",
  );
  const { code, out, err } = await init.ended;
  expect(code, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    schema: "init/1",
    data: {
      app: { did: "made", slug: "forgehand-acme", owner: "acme" },
      feed: { is: "pull" },
      repositories: ["acme/web"],
      linear: "skipped",
      runtimes: [
        { name: "claude-code", is: "absent" },
        { name: "codex", is: "absent" },
      ],
      doctor: { healthy: false },
    },
  });
  const file = join(home, ".config", "forgehand", "forgehand.env");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  for (const secret of [hub.state.app.webhookSecret, hub.state.app.privateKey.trim().slice(40, 80)]) {
    expect(out + err).not.toContain(secret);
  }
  expect(readFileSync(file, "utf8")).toContain("FORGEHAND_FEED=pull");

  await served.said("forgehand serves at");
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write done.txt." });
  people.label(issue, "agent-ready", "bob");
  await served.said("ready.granted");
  served.process.kill("SIGTERM");
  await served.said("draining");
  served.process.kill("SIGTERM");
  const ended = await served.ended;
  expect(ended.code, ended.err).toBe(0);
  expect(ended.err).toContain("asked for every few seconds, no public URL needed");
  expect(ended.err).not.toContain(hub.state.app.webhookSecret);
});

test("without a terminal and without flags it says which ones, and ends with 4", async () => {
  const { code, err } = await run(["init"], env(), home);
  expect(err).toContain("--create, or --import --app-id");
  expect(code).toBe(4);
  const hidden = await run(
    ["init", "--yes", "--create"],
    {
      ...env(),
      FORGEHAND_APP_ID: "7",
      FORGEHAND_WEBHOOK_SECRET: "s",
      FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
    },
    home,
  );
  expect(hidden.err).toContain("unset FORGEHAND_APP_ID FORGEHAND_PRIVATE_KEY FORGEHAND_WEBHOOK_SECRET");
  expect(hidden.code).toBe(4);
  const other = await run(["init", "--yes", "--feed", "pull"], { ...env(), FORGEHAND_FEED: "webhook" }, home);
  expect(other.err).toContain("unset FORGEHAND_FEED");
  expect(other.code).toBe(4);
});

test("the manifest can be read before anybody is asked for it", async () => {
  const { out, code } = await run(["app", "manifest", "--json"], env(), home);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    schema: "app-manifest/1",
    data: { public: false, hook_attributes: { active: true }, default_permissions: { contents: "write" } },
  });
});
