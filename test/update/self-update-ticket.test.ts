/** An issue that carries `forgehand:self-update`, on the simulated forge, with forgehand as it ships. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn, type People } from "../../src/simulator/hub/people.ts";
import { currentVersion } from "../../src/update/current.ts";
import { run, start, type Running } from "../cli/run.ts";
import { integrityOf, openRegistry, release, tarballOf, type Registry } from "./releases.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
let hub: RunningHub;
let people: People;
let registry: Registry;
let dir: string;
let serving: Running;
let env: Record<string, string>;
let own = "";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** This very forgehand as a release of another version; what it depends on is found further up. */
async function releaseOfOurs(version: string): Promise<Buffer> {
  const { name, type, bin, imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    unknown
  >;
  const files: Record<string, string | Buffer> = {
    "package.json": JSON.stringify({ name, version, type, bin, imports }),
  };
  for (const below of readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true })) {
    const path = join(below.parentPath, below.name);
    if (below.isFile()) files[relative(root, path)] = readFileSync(path);
  }
  return await tarballOf(files);
}

beforeAll(async () => {
  // Below the packages of the project, so that the release finds them.
  mkdirSync(join(root, "node_modules", ".cache"), { recursive: true });
  dir = mkdtempSync(join(root, "node_modules", ".cache", "update-ticket-"));
  hub = await startHub({ root: join(dir, "forge") });
  const repo = await hub.seed({ owner: "acme", name: "ops", files: { "README.md": "# ops\n" } });
  people = peopleOn(hub, repo);
  people.person("ada", "admin");
  people.person("opal", "triage");
  registry = await openRegistry();
  const port = await freePort();
  env = {
    FORGEHAND_APP_ID: String(hub.state.app.id),
    FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
    FORGEHAND_WEBHOOK_SECRET: hub.state.app.webhookSecret,
    FORGEHAND_GITHUB_API_URL: hub.url,
    FORGEHAND_DATA_DIR: join(dir, "data"),
    FORGEHAND_PORT: String(port),
    FORGEHAND_OPERATORS: "opal",
    FORGEHAND_REGISTRY: registry.url,
    RELEASES_LOG: join(dir, "log"),
    HOME: dir,
  };
  own = (await run(["--version"])).out.trim();
  serving = start(["up", "--supervised", "--health-seconds", "20"], env, dir);
  await serving.said("forgehand serves at");
  hub.courier.target(`http://127.0.0.1:${port}/webhooks/github`);
});
afterAll(async () => {
  serving.process.kill("SIGTERM");
  await serving.ended;
  hub.courier.target(undefined);
  await registry.close();
  await hub.close();
  rmSync(dir, { recursive: true, force: true });
});

const bodyOf = (version: string, integrity: string): string =>
  `Please.\n\n- version: \`${version}\`\n- integrity: \`${integrity}\`\n`;
const open = (body: string): number => people.openIssue({ by: "ada", title: "Update forgehand", body });
const comments = (issue: number): string =>
  people
    .thread(issue)
    .comments.map(({ body }) => body)
    .join("\n---\n");
async function until(what: string, fact: () => boolean): Promise<void> {
  const patience = Date.now() + 90_000;
  while (!fact()) {
    if (Date.now() > patience) throw new Error(`it never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("strangers are refused, a broken release is rolled back and told, a good one closes its issue", async () => {
  const bad = await release("7.0.0", "does not start");
  const badIssue = open(bodyOf("7.0.0", registry.publish("7.0.0", bad)));
  people.label(badIssue, "forgehand:self-update", "ada");
  await until("a stranger is refused", () =>
    comments(badIssue).includes("@ada is not on this forgehand's list"),
  );
  people.unlabel(badIssue, "forgehand:self-update", "ada");
  people.label(badIssue, "forgehand:self-update", "opal");
  await until("its failure is told", () => comments(badIssue).includes("was rolled back"));
  await until("it is marked", () => people.labels(badIssue).includes("harness-blocked"));
  expect(comments(badIssue)).toContain(`**${own}** serves again`);
  expect(currentVersion(join(dir, "data", "versions"))).toBeUndefined();

  const unpinned = open("version: 7.0.0\n");
  people.label(unpinned, "forgehand:self-update", "opal");
  await until("it must be pinned", () => comments(unpinned).includes("pin exactly one version by its hash"));

  const good = await releaseOfOurs("7.1.0");
  registry.publish("7.1.0", good);
  const goodIssue = open(bodyOf("7.1.0", integrityOf(good)));
  people.label(goodIssue, "forgehand:self-update", "opal");
  await until("it is closed", () => people.thread(goodIssue).state === "closed");
  expect(comments(goodIssue)).toContain(`**${own} → 7.1.0**`);
  expect((await run(["self-update", "--status"], env, dir)).out).toContain("installed by update: 7.1.0");
  const again = open(bodyOf("7.1.0", integrityOf(good)));
  people.label(again, "forgehand:self-update", "opal");
  await until("the new one answers", () => comments(again).includes("it is 7.1.0 already"));
}, 180_000);
