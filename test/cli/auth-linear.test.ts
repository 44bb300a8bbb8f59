import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { app, openLinearStand, personalKey, type LinearStand } from "../linear/stand.ts";
import { run, start, type Ended, type Running } from "./run.ts";

let dir: string;
let stand: LinearStand;
let redirect: string;
let port: number;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "auth-"));
  stand = await openLinearStand();
  port = await freePort();
  redirect = `http://localhost:${port}/linear/callback`;
});
afterEach(async () => {
  await stand.close();
  rmSync(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: free } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return free;
}
/** A request that no client with manners would send. */
async function rawGet(path: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
type Env = Readonly<Record<string, string>>;
const settings = (): Env => ({
  FORGEHAND_DATA_DIR: join(dir, "data"),
  FORGEHAND_LINEAR_CLIENT_ID: app.id,
  FORGEHAND_LINEAR_CLIENT_SECRET: app.secret,
  FORGEHAND_LINEAR_API_URL: stand.url,
  FORGEHAND_LINEAR_REDIRECT: redirect,
});
const auth = (argv: readonly string[] = [], env: Env = {}): Running =>
  start(["auth", "linear", ...argv], { ...settings(), ...env }, dir);
const authorize = /https?:\/\/\S+\/oauth\/authorize\?\S+/u;

/** The address that the command shows. */
async function shown(running: Running): Promise<string> {
  let err = "";
  running.process.stderr?.on("data", (bytes: Buffer) => (err += bytes.toString("utf8")));
  await running.said("waiting for the answer");
  return authorize.exec(err)?.[0] ?? "";
}
/** What a browser would do: follow Linear back to this host. */
const consent = async (url: string): Promise<Response> => await fetch(url.replace("localhost", "127.0.0.1"));
async function signIn(env: Env = {}): Promise<Ended> {
  const running = auth(["--no-browser", "--json"], env);
  const asked = await fetch(await shown(running), { redirect: "manual" });
  const back = asked.headers.get("location") ?? "";
  expect((await consent(back)).status).toBe(200);
  return await running.ended;
}
function nothingLeaked(...ended: readonly Ended[]): void {
  for (const secret of stand.secrets)
    for (const { out, err } of ended) {
      expect(out).not.toContain(secret);
      expect(err).not.toContain(secret);
    }
}
const said = (
  ended: Ended,
): { readonly data: Record<string, unknown> | null; readonly error: { readonly code: string } | null } =>
  JSON.parse(ended.out) as never;

describe("forgehand auth linear", () => {
  test("walks code and proof, tells workspace, app user and end, and keeps nothing readable", async () => {
    const signed = await signIn();
    expect(signed.code, signed.err).toBe(0);
    expect(said(signed).data).toMatchObject({
      did: "signed-in",
      workspaces: [{ id: "org-acme", name: "Acme", user: { name: "forgehand" }, missingScopes: [] }],
    });
    const status = await run(["auth", "linear", "--status", "--json"], settings(), dir);
    expect(status.code).toBe(0);
    expect(said(status).data).toMatchObject({
      workspaces: [{ state: "signed-in", why: null }],
      personalKey: null,
    });
    const people = await run(["auth", "linear", "--status"], settings(), dir);
    expect(people.out).toContain("signed-in");
    nothingLeaked(signed, status, people);
    expect(stand.secrets.size).toBeGreaterThan(3);
    for (const name of readdirSync(join(dir, "data"))) {
      const bytes = readFileSync(join(dir, "data", name));
      for (const secret of stand.secrets) expect(bytes.includes(secret), name).toBe(false);
    }
    expect(statSync(join(dir, "data/forgehand.db.key")).mode & 0o777).toBe(0o600);
  });

  test("asks for the app's own identity, all scopes and a proof", async () => {
    const running = auth(["--no-browser"]);
    const query = new URL(await shown(running)).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      actor: "app",
      scope: "read,write,app:assignable,app:mentionable",
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: redirect,
    });
    expect(query.get("state")?.length).toBeGreaterThan(40);
    running.process.kill("SIGTERM");
    await running.ended;
  });

  test("turns an answer with another state away and waits for its own, once", async () => {
    const running = auth(["--no-browser", "--json"]);
    const url = await shown(running);
    const back = `http://127.0.0.1:${port}/linear/callback`;
    expect((await fetch(`${back}?code=stolen&state=other`)).status).toBe(400);
    expect((await fetch(`${back}?code=stolen`)).status).toBe(400);
    expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404);
    expect(await rawGet("//")).toContain("404");
    const asked = await fetch(url, { redirect: "manual" });
    await consent(asked.headers.get("location") ?? "");
    const ended = await running.ended;
    expect(ended.code, ended.err).toBe(0);
    expect(ended.err).toContain("belongs to another sign-in");
  });

  test.each([
    ["denied consent", "denied", "linear-consent-denied", 6],
    ["an expired code", "expired-code", "linear-code-refused", 6],
  ] as const)("tells %s and what to type", async (_, consents, code, exit) => {
    stand.consents = consents;
    const ended = await signIn();
    expect(said(ended).error).toMatchObject({
      code,
      message: expect.stringContaining("forgehand auth linear"),
    });
    expect(ended.code).toBe(exit);
    nothingLeaked(ended);
  });

  test("ends when nobody answers", async () => {
    const ended = await auth(["--no-browser", "--json", "--timeout", "0.001"]).ended;
    expect(said(ended).error?.code).toBe("linear-no-answer");
    expect(ended.code).toBe(2);
  });

  test("tells a port that is taken, and the setting that changes it", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const ended = await auth(["--no-browser", "--json"]).ended;
    server.close();
    expect(said(ended).error).toMatchObject({
      code: "linear-redirect-taken",
      message: expect.stringContaining("FORGEHAND_LINEAR_REDIRECT"),
    });
    expect(ended.code).toBe(9);
  });

  test("signs in without a browser by the app's secret", async () => {
    const ended = await auth(["--client-credentials", "--json"]).ended;
    expect(ended.code, ended.out).toBe(0);
    expect(said(ended).data).toMatchObject({ workspaces: [{ grantedBy: "client-credentials" }] });
    const wrong = await auth(["--client-credentials", "--json"], {
      FORGEHAND_LINEAR_CLIENT_SECRET: "honey-wrong-secret",
    }).ended;
    expect(said(wrong).error?.code).toBe("linear-app-refused");
    expect(wrong.out).not.toContain("honey-wrong-secret");
    const unknown = await auth(["--client-credentials", "--json"], { FORGEHAND_LINEAR_CLIENT_ID: "nobody" })
      .ended;
    expect(said(unknown).error?.code).toBe("linear-app-refused");
    stand.next.push({ status: 400, body: { error: "invalid_grant", error_description: "not enabled" } });
    const notAllowed = await auth(["--client-credentials", "--json"]).ended;
    expect(said(notAllowed).error).toMatchObject({
      code: "linear-app-refused",
      message: expect.stringContaining("`forgehand auth linear --client-credentials`"),
    });
    nothingLeaked(ended, wrong, unknown, notAllowed);
  });

  test("names what is not set, and what cannot be set so", async () => {
    const bare = await run(["auth", "linear", "--json"], {}, dir);
    expect(said(bare).error).toMatchObject({
      code: "linear-missing",
      message: expect.stringContaining("FORGEHAND_LINEAR_CLIENT_ID"),
    });
    for (const [name, value] of [
      ["FORGEHAND_LINEAR_REDIRECT", "https://example.com:1/x"],
      ["FORGEHAND_LINEAR_API_URL", "http://example.com"],
      ["FORGEHAND_SECRET_KEY", "honey-short"],
    ] as const) {
      const wrong = await auth(["--json"], { [name]: value }).ended;
      expect(said(wrong).error).toMatchObject({
        code: "environment-wrong",
        message: expect.stringContaining(name),
      });
      expect(wrong.out).not.toContain("honey-short");
    }
  });

  test("refreshes by hand, tells a refusal, and resumes", async () => {
    await signIn();
    const done = await auth(["--refresh", "--json"]).ended;
    expect(said(done).data).toMatchObject({ did: "refreshed", workspaces: [{ state: "signed-in" }] });
    stand.next.push("reset");
    const away = await auth(["--refresh", "--json"]).ended;
    expect(said(away).error?.code).toBe("linear-unreachable");
    expect(away.code).toBe(8);
    stand.next.push({ status: 400, body: { error: "invalid_grant" } });
    const refused = await auth(["--refresh", "--json"]).ended;
    expect(said(refused).error?.code).toBe("linear-signed-out");
    expect(refused.code).toBe(6);
    const out = await run(["auth", "linear", "--status", "--json"], settings(), dir);
    expect(out.code).toBe(6);
    expect(said(out).data).toMatchObject({ workspaces: [{ state: "signed-out" }] });
    const again = await auth(["--refresh", "--json"]).ended;
    expect(again.code, again.out).toBe(0);
    nothingLeaked(done, away, refused, out, again);
  });

  test("that is interrupted while it refreshes waits for the answer and stores it", async () => {
    await signIn();
    const release = stand.hold();
    const running = auth(["--refresh", "--json"]);
    while (!stand.asked.includes("refresh_token")) await new Promise((resolve) => void setImmediate(resolve));
    running.process.kill("SIGINT");
    await running.said("so that no token is lost");
    release();
    expect((await running.ended).code).toBe(0);
    const status = await run(["auth", "linear", "--status", "--json"], settings(), dir);
    expect(said(status).data).toMatchObject({ workspaces: [{ state: "signed-in" }] });
    expect((await auth(["--refresh", "--json"]).ended).code).toBe(0);
  });

  test("revokes at Linear and forgets; an unknown workspace is named", async () => {
    await signIn();
    const unknown = await auth(["--revoke", "--workspace", "beta", "--json"]).ended;
    expect(said(unknown).error).toMatchObject({
      code: "linear-workspace-unknown",
      message: expect.stringContaining("acme"),
    });
    const done = await auth(["--revoke", "--json"]).ended;
    expect(said(done).data).toMatchObject({ did: "revoked" });
    expect(stand.revoked).toHaveLength(2);
    const status = await run(["auth", "linear", "--status", "--json"], settings(), dir);
    expect(said(status).data).toMatchObject({ workspaces: [] });
    nothingLeaked(unknown, done, status);
  });

  test("refuses a key file that others may read before it asks anything", async () => {
    mkdirSync(join(dir, "data"), { mode: 0o700 });
    const key = join(dir, "data/forgehand.db.key");
    writeFileSync(key, `${Buffer.alloc(32, 3).toString("base64")}\n`);
    chmodSync(key, 0o644);
    const ended = await auth(["--client-credentials", "--json"]).ended;
    expect(said(ended).error).toMatchObject({
      code: "secret-key-wrong",
      message: expect.stringContaining("chmod 600"),
    });
    expect(stand.asked).toEqual([]);
  });

  test("with a personal key tells whose it is and what it cannot do", async () => {
    const env = { FORGEHAND_LINEAR_API_KEY: personalKey, FORGEHAND_LINEAR_API_URL: stand.url };
    const status = await run(["auth", "linear", "--status", "--json"], env, dir);
    expect(status.code).toBe(0);
    expect(said(status).data).toMatchObject({
      personalKey: { state: "accepted", user: "Ada", workspace: "Acme" },
    });
    expect(status.out).toContain("delegated");
    nothingLeaked(status);
  });
});

describe("doctor", () => {
  interface Check {
    readonly group: string;
    readonly is: string;
    readonly what: string;
    readonly fix: string | null;
  }
  async function linear(env: Env): Promise<readonly Check[]> {
    const ended = await run(["doctor", "--json"], { FORGEHAND_PORT: "0", ...env }, dir);
    nothingLeaked(ended);
    const { data } = JSON.parse(ended.out) as { data: { checks: readonly Check[] } };
    return data.checks.filter(({ group }) => group === "Linear");
  }

  test("speaks of Linear only where something does, and says what to type", async () => {
    expect(await linear({})).toEqual([]);
    expect(await linear(settings())).toMatchObject([{ is: "fail", fix: "forgehand auth linear" }]);
    stand.grantedScopes = ["read", "write"];
    await signIn();
    const few = await linear(settings());
    expect(few).toMatchObject([
      { is: "ok", what: expect.stringContaining("signed in as forgehand") },
      { is: "fail", what: expect.stringContaining("app:assignable, app:mentionable") },
      { is: "warn", what: expect.stringContaining("may enter no team") },
    ]);
    stand.revokeAll();
    expect((await linear(settings()))[0]).toMatchObject({
      is: "fail",
      fix: "forgehand auth linear --refresh",
    });
    const other = await linear({
      ...settings(),
      FORGEHAND_SECRET_KEY: Buffer.alloc(32, 9).toString("base64"),
    });
    expect(other).toMatchObject([{ is: "fail", what: expect.stringContaining("another key") }]);
    const key = await linear({ FORGEHAND_LINEAR_API_KEY: personalKey, FORGEHAND_LINEAR_API_URL: stand.url });
    expect(key.some(({ is, what }) => is === "warn" && what.includes("acts as Ada"))).toBe(true);
  });
});
