/** `forgehand backup` and `restore`: whole or not at all, and nothing of an archive is believed. */
import { createHash, generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { execFileSync } from "node:child_process";
import Database from "better-sqlite3";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readArchive } from "../../src/backup/archive.ts";
import { backup } from "../../src/cli/backup.ts";
import { restore } from "../../src/cli/restore.ts";
import { openSqlite } from "../../src/sql.ts";
import { makeLease, takeInstance } from "../../src/store/database.ts";
import { thisProcess } from "../../src/adapters/owner.ts";
import { fillDatabase, type Filled } from "./filled.ts";
import { startHub } from "../../src/simulator/hub/hub.ts";
import { run, start } from "./run.ts";

let filled: Filled;
const before = { ...process.env };
const at = (...parts: readonly string[]): string => join(filled.dir, ...parts);
beforeEach(async () => {
  filled = await fillDatabase();
  for (const name of Object.keys(process.env)) if (name.startsWith("FORGEHAND_")) delete process.env[name];
  process.env["FORGEHAND_DATA_DIR"] = filled.dir;
  process.env["XDG_CONFIG_HOME"] = at("config");
});
afterEach(() => {
  process.env = { ...before };
  filled.close();
});
const tool = (name: string, argv: readonly string[]): void => {
  execFileSync(name, argv, { stdio: "ignore" });
};
const titles = (path: string): readonly unknown[] => {
  const db = new Database(path, { readonly: true });
  const rows = db.prepare("select id, state, title from ticket order by id").all();
  db.close();
  return rows;
};
const take = async (options = {}): Promise<string> => {
  await backup(at("b.tar.gz"), options);
  return at("b.tar.gz");
};

describe("a backup", () => {
  test("holds database, key, files and unpublished commits, for this user alone, and comes back elsewhere", async () => {
    writeFileSync(at("forgehand.db.key"), `${"k".repeat(43)}=\n`, { mode: 0o600 });
    writeFileSync(at("prices.yml"), "m: { input: 1, output: 2 }\n");
    mkdirSync(at("workflows"));
    writeFileSync(at("workflows", "docs.tsx"), "export default 1;\n");
    const mirror = at("workspaces", "mirrors", "77-abc");
    const git = (...argv: string[]) =>
      execFileSync("git", argv, {
        cwd: mirror,
        encoding: "utf8",
        stdio: ["pipe", "pipe", "ignore"],
        input: "",
      }).trim();
    mkdirSync(mirror, { recursive: true });
    git("init", "-q", "--bare");
    const tree = git("mktree");
    const who = ["-c", "user.name=a", "-c", "user.email=a@b"];
    const pushed = git(...who, "commit-tree", tree, "-m", "pushed");
    const kept = git(...who, "commit-tree", tree, "-p", pushed, "-m", "not pushed");
    git("update-ref", "refs/remotes/origin/main", pushed);
    git("update-ref", "refs/heads/main", pushed);
    git("update-ref", "refs/heads/forgehand/7-x", kept);
    const file = await take();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { files } = await readArchive(file);
    expect([...files.keys()]).toEqual([
      "forgehand.db",
      "forgehand.db.key",
      "files/prices.yml",
      "workflows/docs.tsx",
      "git/77-abc.bundle",
    ]);
    const answer = await restore(file, { to: at("new") });
    expect(answer.text).toContain("1 unpublished branches");
    expect(titles(at("new", "forgehand.db"))).toEqual(titles(filled.database));
    expect(readFileSync(at("new", "prices.yml"), "utf8")).toContain("input: 1");
    expect(readFileSync(at("new", "workflows", "docs.tsx"), "utf8")).toBe("export default 1;\n");
    expect(statSync(at("new", "forgehand.db.key")).mode & 0o777).toBe(0o600);
    const there = execFileSync("git", ["for-each-ref", "--format=%(objectname) %(refname)"], {
      cwd: at("new", "workspaces", "mirrors", "77-abc"),
      encoding: "utf8",
    });
    expect(there).toBe(`${kept} refs/heads/forgehand/7-x\n`);
    expect(readdirSync(filled.dir).filter((name) => name.startsWith(".forgehand-"))).toEqual([]);
  });

  test("holds the App's key only when that is asked for, and never over settings that are there", async () => {
    process.env["FORGEHAND_WEBHOOK_SECRET"] = "hush-1";
    const pem = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs1", format: "pem" })
      .toString();
    writeFileSync(at("app.pem"), pem);
    process.env["FORGEHAND_APP_ID"] = "12";
    process.env["FORGEHAND_PRIVATE_KEY_FILE"] = at("app.pem");
    const open = await take();
    expect(gunzipSync(readFileSync(open)).includes("hush-1")).toBe(false);
    expect(gunzipSync(readFileSync(open)).includes("PRIVATE KEY")).toBe(false);
    rmSync(open);
    const secret = await take({ withSecrets: true });
    await restore(secret, { to: at("new") });
    const settings = readFileSync(at("new", "forgehand.env"), "utf8");
    expect(settings).toContain("FORGEHAND_APP_ID=12\n");
    expect(settings).toContain("FORGEHAND_WEBHOOK_SECRET=hush-1\n");
    expect(
      settings
        .split("\n")
        .find((line) => line.includes("PRIVATE_KEY="))
        ?.replaceAll(String.raw`\n`, "\n"),
    ).toBe(`FORGEHAND_PRIVATE_KEY=${pem.trim()}`);
    writeFileSync(at("new", "forgehand.env"), "FORGEHAND_APP_ID=13\n");
    await restore(secret, { to: at("new"), yes: true });
    expect(readFileSync(at("new", "forgehand.env"), "utf8")).toBe("FORGEHAND_APP_ID=13\n");
    expect(existsSync(at("new", "forgehand.env.restored"))).toBe(true);
  });

  test("is taken while somebody writes, and its copy is nobody's", async () => {
    const sql = openSqlite(filled.database);
    makeLease(sql);
    await sql.commit(() => takeInstance(thisProcess(), () => false, 1));
    const file = await take({ verify: true });
    sql.close();
    await restore(file, { to: at("new") });
    const db = new Database(at("new", "forgehand.db"));
    expect(db.prepare("select count(*) from instance").pluck().get()).toBe(0);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
  });

  test("takes the place of no file, and names what cannot be written or is not there", async () => {
    const file = await take();
    const size = statSync(file).size;
    await expect(backup(file, {})).rejects.toMatchObject({ code: "backup-there" });
    expect(statSync(file).size).toBe(size);
    await expect(backup(at("nowhere", "b.tar.gz"), {})).rejects.toThrow("make it first");
    await expect(backup(undefined, { database: at("none.db") })).rejects.toThrow("there is no database at");
    writeFileSync(at("odd.db"), "not a database at all, but long enough to look at".repeat(50));
    await expect(backup(at("c.tar.gz"), { database: at("odd.db") })).rejects.toMatchObject({
      code: "database-broken",
    });
    expect(existsSync(at("c.tar.gz"))).toBe(false);
  });

  test("on a full disk leaves nothing behind and says so", async ({ skip }) => {
    mkdirSync(at("small"));
    try {
      tool("mount", ["-t", "tmpfs", "-o", "size=128k,mode=0700", "none", at("small")]);
    } catch {
      return skip("mounting is not allowed here");
    }
    try {
      await expect(backup(at("small", "b.tar.gz"), {})).rejects.toThrow(/is full/u);
      expect(readdirSync(at("small"))).toEqual([]);
    } finally {
      tool("umount", [at("small")]);
    }
  });
});

describe("restore", () => {
  test("keeps what was there, asks before it takes its place, and has everything look first", async () => {
    const file = await take();
    const db = new Database(filled.database);
    db.exec("update ticket set title = 'later'");
    db.close();
    await expect(restore(file, {})).rejects.toThrow("Say --yes");
    const answer = await restore(file, { yes: true });
    const [kept = ""] = (answer.data as { kept: string[] }).kept;
    expect(kept).toContain(".before-restore-");
    expect(titles(kept)).toContainEqual(expect.objectContaining({ title: "later" }));
    expect(titles(filled.database)).not.toContainEqual(expect.objectContaining({ title: "later" }));
    await filled.look(async (store) => {
      expect(await store.setting("halt-all")).toMatchObject({ value: "a backup that was put back" });
      expect(await store.instanceOwner()).toBeUndefined();
    });
  });

  test("refuses while somebody serves the target, and changes nothing", async () => {
    const file = await take();
    const sql = openSqlite(filled.database);
    makeLease(sql);
    await sql.commit(() => takeInstance({ ...thisProcess(), host: "elsewhere" }, () => false, 1));
    sql.close();
    await expect(restore(file, { yes: true })).rejects.toMatchObject({ code: "second-instance" });
    await expect(restore(file, { yes: true, stop: true })).rejects.toMatchObject({ code: "second-instance" });
    expect(readdirSync(filled.dir).some((name) => name.includes("before-restore"))).toBe(false);
  });

  test("refuses a damaged database too while somebody serves it", async () => {
    const file = await take();
    const sql = openSqlite(filled.database);
    makeLease(sql);
    await sql.commit(() => takeInstance({ ...thisProcess(), host: "elsewhere" }, () => false, 1));
    sql.script("create table harmed (a); insert into harmed values (null)");
    sql.close();
    const db = new Database(filled.database);
    db.unsafeMode();
    db.pragma("writable_schema = on");
    db.exec("update sqlite_schema set sql = 'create table harmed (a not null)' where name = 'harmed'");
    db.close();
    await expect(restore(file, { yes: true })).rejects.toMatchObject({ code: "second-instance" });
    expect(readdirSync(filled.dir).some((name) => name.includes("before-restore"))).toBe(false);
  });

  test("puts a sound database in the place of a damaged one", async () => {
    const file = await take();
    writeFileSync(filled.database, "damaged ".repeat(1000));
    const { text } = await restore(file, { yes: true });
    expect(text).toContain("was damaged");
    expect(titles(filled.database)).toHaveLength(11);
  });

  test("refuses a database of a newer version, and says which version it needs", async () => {
    const db = new Database(filled.database);
    db.exec("insert into store_migration (number, name) values (999, '0999-later.sql')");
    db.close();
    const file = await take();
    await expect(restore(file, { to: at("new") })).rejects.toMatchObject({ code: "backup-newer" });
    expect(existsSync(at("new", "forgehand.db"))).toBe(false);
  });
});

interface Entry {
  readonly name: string;
  readonly text: Buffer;
  readonly type?: "file" | "symlink" | "link" | "directory";
}
async function archive(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, text, type = "file" } of entries)
    if (type === "file") tar.entry({ name }, text);
    else tar.entry({ name, type, linkname: "/etc/passwd" });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}
const memberOf = (name: string, text: Buffer) => ({
  name,
  bytes: text.length,
  sha256: createHash("sha256").update(text).digest("hex"),
});
const manifestOf = (members: readonly object[]) =>
  Buffer.from(
    JSON.stringify({
      format: 1,
      forgehand: "0.1.0",
      at: "2026-01-05T09:00:00.000Z",
      store: 2,
      engine: 1,
      ledger: { seq: 0, hash: "x" },
      members,
    }),
  );

describe("an archive that is not as it was written", () => {
  const text = Buffer.from("some member");
  const name = "files/prices.yml";
  const good: Entry = { name, text };
  const manifest = (members: readonly object[] = [memberOf(name, text)]): Entry => ({
    name: "manifest.json",
    text: manifestOf(members),
  });
  const cases: readonly (readonly [string, readonly Entry[], RegExp])[] = [
    ["no manifest", [good], /does not begin with a manifest/u],
    ["a manifest that is no JSON", [{ name: "manifest.json", text: Buffer.from("{") }], /no JSON/u],
    ["a member is missing", [manifest()], /is missing/u],
    ["a member is changed", [manifest(), { name, text: Buffer.from("some nember") }], /sha256/u],
    ["a member is longer", [manifest(), { name, text: Buffer.from("some member and more") }], /longer/u],
    ["a member is shorter", [manifest(), { name, text: Buffer.from("some") }], /4 of its 11 bytes/u],
    ["a member is there twice", [manifest(), good, good], /twice/u],
    ["a stranger is in it", [manifest(), good, { name: "files/mcp.yml", text }], /not in its manifest/u],
    ["a symbolic link", [manifest(), { name, text, type: "symlink" }], /is a symlink/u],
    ["a hard link", [manifest(), { name, text, type: "link" }], /is a link/u],
    ...[
      "../evil",
      "/etc/passwd",
      "workflows/../../evil",
      "workflows/.git/config",
      "git/../x.bundle",
      "files/a/b",
    ].map(
      (odd) =>
        [
          `a path such as ${odd}`,
          [manifest([memberOf(odd, text)]), { name: odd, text }],
          /no name that a backup has/u,
        ] as const,
    ),
  ];
  test.for(cases)("%s: it is refused, and nothing is touched", async ([, entries, why]) => {
    writeFileSync(at("bad.tar.gz"), await archive(entries));
    await expect(restore(at("bad.tar.gz"), { to: at("new") })).rejects.toThrow(why);
    expect(readdirSync(at("new"))).toEqual([]);
  });

  test("cut off or changed anywhere: it is refused, wherever that is", async () => {
    const whole = readFileSync(await take());
    for (let part = 0; part < 24; part += 1) {
      const place = Math.floor((whole.length * part) / 24);
      writeFileSync(at("cut.tar.gz"), whole.subarray(0, place));
      await expect(readArchive(at("cut.tar.gz"))).rejects.toMatchObject({ code: "backup-broken" });
      const changed = Buffer.from(whole);
      // Behind gzip's own header, where a changed byte may be of no consequence.
      const index = Math.max(10, place);
      changed[index] = (changed[index] ?? 0) ^ 0x40;
      writeFileSync(at("changed.tar.gz"), changed);
      await expect(readArchive(at("changed.tar.gz"))).rejects.toMatchObject({ code: "backup-broken" });
    }
  });

  test("no file, a folder, or something else altogether", async () => {
    await expect(restore(at("none"), { to: at("new") })).rejects.toThrow("there is no file");
    writeFileSync(at("text"), "hello");
    await expect(restore(at("text"), { to: at("new") })).rejects.toMatchObject({ code: "backup-broken" });
    const file = await take();
    symlinkSync(file, at("link"));
    await restore(at("link"), { to: at("new") });
    expect(existsSync(at("new", "forgehand.db"))).toBe(true);
  });
});

test("the commands say it in the caller's language, and end with what it is", async () => {
  const env = { FORGEHAND_DATA_DIR: filled.dir, XDG_CONFIG_HOME: at("config") };
  const first = await run(["backup", at("cli.tar.gz"), "--json"], env);
  expect(JSON.parse(first.out)).toMatchObject({
    schema: "backup/1",
    data: { tickets: 11, store: 4 },
    error: null,
  });
  expect(await run(["backup", at("cli.tar.gz")], env)).toMatchObject({ code: 4 });
  copyFileSync(at("cli.tar.gz"), at("cut.tar.gz"));
  chmodSync(at("cut.tar.gz"), 0o600);
  writeFileSync(at("cut.tar.gz"), readFileSync(at("cli.tar.gz")).subarray(0, 2000));
  expect(await run(["restore", at("cut.tar.gz"), "--yes"], env)).toMatchObject({ code: 1 });
});

test("a forgehand that serves is asked to drain before its database is replaced, and the next start looks first", async () => {
  const hub = await startHub({ root: at("forge") });
  const env = {
    FORGEHAND_APP_ID: String(hub.state.app.id),
    FORGEHAND_PRIVATE_KEY: hub.state.app.privateKey,
    FORGEHAND_WEBHOOK_SECRET: hub.state.app.webhookSecret,
    FORGEHAND_GITHUB_API_URL: hub.url,
    FORGEHAND_DATA_DIR: at("served"),
    FORGEHAND_PORT: "0",
    XDG_CONFIG_HOME: at("config"),
  };
  try {
    const first = start(["up"], env);
    await first.said("forgehand serves at");
    expect((await run(["backup", at("up.tar.gz")], env)).code).toBe(0);
    const refused = await run(["restore", at("up.tar.gz"), "--yes"], env);
    expect(refused.err).toContain(`process ${first.process.pid} on `);
    const replaced = await run(["restore", at("up.tar.gz"), "--yes", "--stop"], env);
    expect(replaced).toMatchObject({
      code: 0,
      err: expect.stringContaining("start it again: `forgehand up`"),
    });
    expect((await first.ended).code).toBe(0);
    const second = start(["up"], env);
    await second.said("the halt is lifted");
    second.process.kill("SIGTERM");
    expect((await second.ended).code).toBe(0);
  } finally {
    await hub.close();
  }
});
