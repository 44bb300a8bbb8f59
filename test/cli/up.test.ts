import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import { peopleOn } from "../../src/simulator/hub/people.ts";
import { all, openSqlite } from "../../src/sql.ts";
import { makeLease, takeInstance } from "../../src/store/database.ts";
import { run, start } from "./run.ts";

let hub: RunningHub;
let dir: string;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "up-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const settings = (more: Readonly<Record<string, string>> = {}) => ({
  FORGEHAND_APP_ID: String(hub.state.app.id),
  FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
  FORGEHAND_WEBHOOK_SECRET: hub.state.app.webhookSecret,
  FORGEHAND_GITHUB_API_URL: hub.url,
  FORGEHAND_DATA_DIR: join(dir, "data"),
  FORGEHAND_PORT: "0",
  ...more,
});
const otherKey = (): string =>
  generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

describe("up refuses, and says what to do", () => {
  test("without an App", async () => {
    const { code, err } = await run(["up"], {}, dir);
    expect(err).toContain("not set: FORGEHAND_APP_ID, FORGEHAND_PRIVATE_KEY, FORGEHAND_WEBHOOK_SECRET.");
    expect(code).toBe(4);
    expect(existsSync(join(dir, "data"))).toBe(false);
  });
  test("with a key that is none, without showing it", async () => {
    const { code, err } = await run(["up"], settings({ FORGEHAND_PRIVATE_KEY: "s3cret" }));
    expect(err).toContain("FORGEHAND_PRIVATE_KEY is no usable RSA private key");
    expect(err).not.toContain("s3cret");
    expect(code).toBe(4);
  });
  test("with the key of another App", async () => {
    const { code, err } = await run(["up"], settings({ FORGEHAND_PRIVATE_KEY: otherKey() }));
    expect(err).toContain(`GitHub does not accept App ${hub.state.app.id} with this private key (401)`);
    expect(code).toBe(6);
  });
  test("when GitHub does not answer", async () => {
    const { code, err } = await run(["up"], settings({ FORGEHAND_GITHUB_API_URL: "http://127.0.0.1:9" }));
    expect(err).toContain("No GitHub API answers at http://127.0.0.1:9");
    expect(code).toBe(8);
  });
  test("on a port that is taken, and to a program in JSON", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    // `address` is an object for a server that listens on a port.
    const { port } = taken.address() as AddressInfo;
    const { code, out } = await run(["up", "--json"], settings({ FORGEHAND_PORT: String(port) }));
    expect(JSON.parse(out)).toMatchObject({ schema: "up/1", data: null, error: { code: "port-taken" } });
    expect(code).toBe(9);
    await new Promise((resolve) => taken.close(resolve));
  });
  test("when another host serves the database, and leaves the tables of its version alone", async () => {
    const path = join(dir, "forgehand.db");
    const owner = { pid: 1, startedAt: "long ago", host: "elsewhere" };
    const older = openSqlite(path);
    makeLease(older);
    await older.commit(() => takeInstance(owner, () => false, 1));
    older.close();
    const { code, err } = await run(["up", "--database", path], settings());
    expect(err).toContain("elsewhere");
    expect(code).toBe(9);
    const sql = openSqlite(path, { readonly: true });
    const tables = await sql.read(() => all("select name from sqlite_schema where type = 'table'"));
    sql.close();
    expect(tables).toEqual([{ name: "instance" }]);
  });
  test("in a folder that is not there, which it names", async () => {
    const path = join(dir, "gone", "x.db");
    const { code, err } = await run(["up"], settings({ FORGEHAND_DATABASE: path }));
    expect(err).toContain(`The database ${path} cannot be opened: there is no folder ${join(dir, "gone")}.`);
    expect(err).not.toContain("    at ");
    expect(code).toBe(4);
  });
  test("on a file that is no database", async () => {
    const { code, err } = await run(["up", "--database", join(dir, "data")], settings());
    expect(err).toContain(`The database ${join(dir, "data")} cannot be opened`);
    expect(code).toBe(4);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const tool = (name: string, argv: readonly string[]): void => {
  execFileSync(name, argv, { stdio: "ignore" });
};

/** Mounting takes root; where it is not given these are left out. */
function mounted(options: string): string | undefined {
  const place = join(dir, "disk");
  mkdirSync(place);
  try {
    tool("mount", ["-t", "tmpfs", "-o", options, "none", place]);
    return place;
  } catch {
    return undefined;
  }
}

describe("a disk that does not take it", () => {
  test("full: nothing starts, and the disk is named", async ({ skip }) => {
    const place = mounted("size=64k,mode=0700");
    if (place === undefined) return skip("mounting is not allowed here");
    try {
      const { code, err } = await run(["up"], settings({ FORGEHAND_DATA_DIR: place }));
      expect(err).toContain(`The disk that holds ${join(place, "forgehand.db")} is full`);
      expect(code).toBe(1);
    } finally {
      tool("umount", [place]);
    }
  });
  test("read-only: every command says so, and none fails with a stack", async ({ skip }) => {
    const place = mounted("size=8m,mode=0700");
    if (place === undefined) return skip("mounting is not allowed here");
    try {
      const env = settings({ FORGEHAND_DATA_DIR: place });
      const first = start(["up"], env);
      await first.said("forgehand serves at");
      first.process.kill("SIGTERM");
      expect((await first.ended).code).toBe(0);
      tool("mount", ["-o", "remount,ro", place]);
      for (const argv of [["up"], ["ps"], ["stop", "1"]]) {
        const { code, err } = await run(argv, env);
        expect(err).toContain(`The database ${join(place, "forgehand.db")} cannot be written`);
        expect(code).toBe(6);
      }
    } finally {
      tool("umount", [place]);
    }
  });
});

describe("up", () => {
  test("a second instance is refused, naming the owner, and the first goes on", async () => {
    const first = start(["up"], settings());
    await first.said("forgehand serves at");
    const second = await run(["up"], settings());
    const since = new RegExp(`process ${first.process.pid} on .*, since (\\S+)\\.\n`, "u").exec(
      second.err,
    )?.[1];
    expect(Math.abs(Date.parse(since ?? "") - Date.now())).toBeLessThan(120_000);
    expect(second.code).toBe(9);
    expect((await run(["doctor"], settings())).out).toContain(`served by process ${first.process.pid}`);
    first.process.kill("SIGTERM");
    const { code, err } = await first.ended;
    expect(err).toContain("draining");
    expect(code).toBe(0);
  });

  test("a signal while it starts is not lost", async () => {
    const early = start(["up"], settings());
    await early.said("serving");
    early.process.kill("SIGTERM");
    early.process.kill("SIGINT");
    expect((await early.ended).code).toBe(0);
    expect((await run(["ps"], settings())).code).toBe(0);
  });

  test("SIGTERM in the middle of a run drains, a second one does not wait, and the next start goes on", async () => {
    const repo = await hub.seed({ owner: "acme", name: "mid", files: { "README.md": "# mid\n" } });
    const people = peopleOn(hub, repo);
    people.person("bob", "write");
    // An agent that thinks for as long as it is let.
    const binary = join(dir, "thinker");
    writeFileSync(binary, '#!/bin/sh\n[ "$1" = --version ] && echo 2.1.0 && exit 0\nexec sleep 300\n', {
      mode: 0o755,
    });
    const port = String(await freePort());
    const env = settings({
      FORGEHAND_CLAUDE_CODE_BINARY: binary,
      FORGEHAND_CODEX_BINARY: binary,
      FORGEHAND_PORT: port,
    });
    const first = start(["up", "--json"], env);
    await first.said("up/1");
    hub.courier.target(`http://127.0.0.1:${port}/webhooks/github`);
    const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write done.txt." });
    people.label(issue, "agent-ready", "bob");
    await first.said("slot.granted");
    first.process.kill("SIGTERM");
    await first.said("draining");
    const asked = ["healthz", "readyz"].map(
      async (path) => (await fetch(`http://127.0.0.1:${port}/${path}`)).status,
    );
    expect(await Promise.all(asked)).toEqual([200, 503]);
    first.process.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
    expect((await run(["explain", String(issue)], env)).out).toContain("Spec gate for");
    const second = start(["up"], env);
    await second.said("forgehand serves at");
    second.process.kill("SIGTERM");
    await second.said("draining");
    second.process.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
    expect((await run(["ledger", "verify"], env)).code).toBe(0);
  });

  test("after SIGKILL the next one takes over at once", async () => {
    const first = start(["up"], settings());
    await first.said("forgehand serves at");
    first.process.kill("SIGKILL");
    await first.ended;
    const second = start(["up", "--json"], settings());
    await second.said('"schema":"up/1"');
    second.process.kill("SIGINT");
    expect((await second.ended).code).toBe(0);
  });

  test.each([
    ["by itself", ["up"]],
    ["under a launcher", ["up", "--supervised"]],
  ])("logs to a file, and to another one once that was moved away, %s", async (_, argv) => {
    const log = join(dir, "logs/up.log");
    const served = start(argv, settings({ FORGEHAND_LOG_FILE: log }));
    await served.said("forgehand serves at");
    const before = readFileSync(log, "utf8");
    expect(before).toContain('"serving"');
    renameSync(log, `${log}.mine`);
    await vi.waitFor(() => {
      // A launcher passes it on once it has heard that its child serves.
      served.process.kill("SIGHUP");
      expect(existsSync(log)).toBe(true);
    });
    served.process.kill("SIGTERM");
    const { code, err } = await served.ended;
    expect([code, err.includes('"serving"')]).toEqual([0, false]);
  });

  test("tells every other command where its database is, from whatever folder", async () => {
    const served = start(["up", "--json"], { ...settings(), FORGEHAND_DATA_DIR: "below" }, dir);
    await served.said("up/1");
    served.process.kill("SIGTERM");
    const { out, code } = await served.ended;
    expect(JSON.parse(out)).toMatchObject({ data: { database: join(dir, "below", "forgehand.db") } });
    expect(code).toBe(0);
  });
});
