import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keepLinear } from "../../src/linear.ts";
import { Trouble } from "../../src/ports.ts";
import {
  hourMs,
  movedClock,
  openHouse,
  secretKey,
  signInTo,
  type House,
  type HouseOptions,
} from "./house.ts";
import { app, openLinearStand, personalKey, type LinearStand } from "./stand.ts";

let stand: LinearStand;
let houses: House[] = [];
beforeEach(async () => {
  stand = await openLinearStand();
});
afterEach(async () => {
  for (const house of houses) house.close();
  houses = [];
  await stand.close();
});
async function house(options: Partial<HouseOptions> = {}): Promise<House> {
  const opened = await openHouse({ stand, ...options });
  houses.push(opened);
  return opened;
}
async function signedIn(options: Partial<HouseOptions> = {}): Promise<House> {
  const opened = await house(options);
  await signInTo(opened, stand);
  return opened;
}
const tokenOf = async (at: House): Promise<string> => {
  const access = await at.desk.accessToken("org-acme");
  if (access.is !== "granted") throw new Error(`signed out: ${access.why}`);
  return access.token;
};
const refreshes = (): number => stand.asked.filter((grant) => grant === "refresh_token").length;
async function troubleOf(work: Promise<unknown>): Promise<Trouble> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Trouble)) throw new Error(`no trouble but ${String(error)}`);
  return error;
}

describe("a token of Linear", () => {
  test("is answered as it is while it lasts, and refreshed ahead of its end", async () => {
    const at = await signedIn();
    const first = await tokenOf(at);
    at.clock.move(23 * hourMs);
    expect(await tokenOf(at)).toBe(first);
    expect(refreshes()).toBe(0);
    at.clock.move(hourMs - 4 * 60_000);
    const second = await tokenOf(at);
    expect(second).not.toBe(first);
    expect(refreshes()).toBe(1);
    expect(await tokenOf(at)).toBe(second);
  });

  test("is refreshed early by whoever serves, so that nobody waits for it", async () => {
    const at = await signedIn();
    at.clock.move(21 * hourMs);
    await at.desk.keepFresh();
    expect(refreshes()).toBe(0);
    at.clock.move(1.5 * hourMs);
    await at.desk.keepFresh();
    expect(refreshes()).toBe(1);
  });

  test("is asked for once when twenty want it at the same moment", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    const release = stand.hold();
    const all = Array.from({ length: 20 }, () => tokenOf(at));
    release();
    expect(new Set(await Promise.all(all)).size).toBe(1);
    expect(refreshes()).toBe(1);
  });

  test("is not sealed away from a second connection: it reads what the first stored", async () => {
    const at = await signedIn();
    const other = await house({ database: at.database, clock: at.clock });
    at.clock.move(25 * hourMs);
    const [one, two] = await Promise.all([tokenOf(other), tokenOf(at)]);
    expect(one).toBe(two);
    expect(refreshes()).toBe(1);
  });

  test("counts as ended when the clock was set back before it was given", async () => {
    const at = await signedIn();
    const first = await tokenOf(at);
    at.clock.move(-hourMs);
    expect(await tokenOf(at)).not.toBe(first);
    expect(refreshes()).toBe(1);
    await tokenOf(at);
    expect(refreshes()).toBe(1);
  });

  test("that Linear refuses early is replaced once, by all who met the refusal", async () => {
    const at = await signedIn();
    const refused = await tokenOf(at);
    const replaced = await Promise.all(Array.from({ length: 5 }, () => at.desk.replace("org-acme", refused)));
    expect(
      new Set(replaced.map((access) => (access.is === "granted" ? access.token : access.why))).size,
    ).toBe(1);
    expect(await at.desk.replace("org-acme", refused)).toEqual(replaced[0]);
    expect(refreshes()).toBe(1);
  });

  test("keeps its refresh token where Linear sends no other", async () => {
    const at = await signedIn();
    stand.next.push({ status: 200, body: { access_token: "honey_access_again", expires_in: 10 } });
    at.clock.move(25 * hourMs);
    expect(await tokenOf(at)).toBe("honey_access_again");
    at.clock.move(11_000);
    await tokenOf(at);
    expect(await at.desk.signedOut()).toEqual([]);
    expect((await at.store.linearWorkspace("org-acme"))?.scopes).toEqual(stand.grantedScopes);
  });

  test("comes from the app's secret alone with client credentials, as often as needed", async () => {
    const at = await house();
    const signed = await at.desk.signIn("client-credentials", at.oauth.clientCredentials);
    expect(signed).toMatchObject({ is: "signed-in", identity: { workspace: stand.organisation } });
    const first = await tokenOf(at);
    at.clock.move(25 * hourMs);
    expect(await tokenOf(at)).not.toBe(first);
    expect(stand.asked).toEqual(["client_credentials", "client_credentials"]);
  });

  test("of one workspace is not that of another", async () => {
    const at = await signedIn();
    stand.organisation = { id: "org-beta", name: "Beta", urlKey: "beta" };
    await signInTo(at, stand);
    const [acme, beta] = await Promise.all([
      at.desk.accessToken("org-acme"),
      at.desk.accessToken("org-beta"),
    ]);
    expect(acme).not.toEqual(beta);
    expect(await at.desk.workspaces()).toEqual(["org-acme", "org-beta"]);
  });
});

describe("trouble that passes", () => {
  test.each([
    ["a dropped connection", "reset" as const],
    ["status 503", { status: 503 }],
    ["no JSON", { status: 200, body: "hello" }],
  ])("(%s) leaves the workspace signed in and is tried again later", async (_, misdeed) => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    stand.next.push(misdeed);
    const trouble = await troubleOf(at.desk.accessToken("org-acme"));
    expect(trouble.code).toBe("linear-unavailable");
    expect(trouble.retryAt).toBeGreaterThan(at.clock.now());
    expect(await at.desk.signedOut()).toEqual([]);
    // Not before its time, whoever asks.
    await troubleOf(at.desk.accessToken("org-acme"));
    expect(refreshes()).toBe(1);
    at.clock.move((trouble.retryAt ?? 0) - at.clock.now());
    await tokenOf(at);
    expect(refreshes()).toBe(2);
  });

  test("(a rate limit, as status 400) waits for the end that Linear names", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    const end = at.clock.now() + 17 * 60_000;
    stand.next.push({
      status: 400,
      body: { errors: [{ message: "slow down", extensions: { code: "RATELIMITED" } }] },
      headers: { "x-ratelimit-requests-reset": String(end) },
    });
    const trouble = await troubleOf(at.desk.accessToken("org-acme"));
    expect(trouble).toMatchObject({ code: "linear-rate-limited", retryAt: end });
  });

  test("that one process met is respected by another which waited for it", async () => {
    const at = await signedIn();
    const other = await house({ database: at.database, clock: at.clock });
    at.clock.move(25 * hourMs);
    stand.next.push({ status: 503 });
    const release = stand.hold();
    const both = [at, other].map((one) => troubleOf(one.desk.accessToken("org-acme")));
    release();
    const [one, two] = await Promise.all(both);
    expect(two?.retryAt).toBe(one?.retryAt);
    expect(refreshes()).toBe(1);
  });

  test("does not stop work while the token of now still holds", async () => {
    const at = await signedIn();
    const first = await tokenOf(at);
    at.clock.move(24 * hourMs - 4 * 60_000);
    stand.next.push({ status: 500 });
    expect(await tokenOf(at)).toBe(first);
    expect(await tokenOf(at)).toBe(first);
    expect(refreshes()).toBe(1);
  });

  test("waits longer each time, up to ten minutes", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      stand.next.push({ status: 500 });
      const { retryAt = 0 } = await troubleOf(at.desk.accessToken("org-acme"));
      waits.push(retryAt - at.clock.now());
      at.clock.move(retryAt - at.clock.now());
    }
    expect(waits[0]).toBeLessThan(10_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(15 * 60_000);
    expect(waits.at(-1)).toBeGreaterThan(5 * 60_000);
  });

  test("on disk does not lose the pair that Linear gave: the next try stores it", async () => {
    let isFull = true;
    const at = await signedIn({
      around: (store) => ({
        ...store,
        keepLinearTokens: async (...args) => {
          if (isFull) throw new Error("disk full");
          return await store.keepLinearTokens(...args);
        },
      }),
    });
    at.clock.move(25 * hourMs);
    await expect(at.desk.accessToken("org-acme")).rejects.toThrow("disk full");
    isFull = false;
    await tokenOf(at);
    expect(refreshes()).toBe(1);
  });
});

describe("a refused refresh", () => {
  test("signs the workspace out, pages once, and names the command", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    stand.revokeAll();
    const all = await Promise.all(Array.from({ length: 5 }, () => at.desk.accessToken("org-acme")));
    for (const access of all) expect(access).toMatchObject({ is: "signed-out", name: "Acme" });
    expect(at.pages).toHaveLength(1);
    const [out] = await at.desk.signedOut();
    expect(out?.why).toContain("no longer accepts the refresh token");
    expect(out?.fix).toContain("`forgehand auth linear`");
    expect(refreshes()).toBe(1);
    await at.desk.keepFresh();
    expect(refreshes()).toBe(1);
  });

  test("is healed by a refresh by hand once Linear takes the token again, and by a new sign-in", async () => {
    const at = await signedIn();
    stand.next.push({ status: 400, body: { error: "invalid_grant" } });
    expect(await at.desk.refresh("org-acme")).toMatchObject({ is: "signed-out" });
    expect(await at.desk.accessToken("org-acme")).toMatchObject({ is: "signed-out" });
    expect(await at.desk.refresh("org-acme")).toMatchObject({ is: "granted" });
    expect(await at.desk.signedOut()).toEqual([]);
    stand.revokeAll();
    expect(await at.desk.refresh("org-acme")).toMatchObject({ is: "signed-out" });
    await signInTo(at, stand);
    await tokenOf(at);
    expect(at.pages).toHaveLength(2);
  });

  test("says so when the answer to an earlier one was lost on its way", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    stand.next.push("lost");
    const { retryAt = 0 } = await troubleOf(at.desk.accessToken("org-acme"));
    at.clock.move(retryAt - at.clock.now());
    const access = await at.desk.accessToken("org-acme");
    expect(access).toMatchObject({ is: "signed-out", why: expect.stringContaining("was lost on its way") });
  });

  test("of a wrong secret names the settings, and heals with them", async () => {
    const at = await signedIn({ linear: { clientSecret: "honey-wrong-secret-55" } });
    stand.secrets.add("honey-wrong-secret-55");
    at.clock.move(25 * hourMs);
    const access = await at.desk.accessToken("org-acme");
    expect(access).toMatchObject({
      is: "signed-out",
      why: expect.stringContaining("FORGEHAND_LINEAR_CLIENT_SECRET"),
    });
    for (const secret of stand.secrets) expect(JSON.stringify(access)).not.toContain(secret);
    const mended = await house({ database: at.database, clock: at.clock });
    expect(await mended.desk.refresh("org-acme")).toMatchObject({ is: "granted" });
  });

  test("that comes late does not replace the sign-in that came after --revoke", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    const release = stand.hold();
    const waiting = at.desk.accessToken("org-acme");
    while (refreshes() === 0) await new Promise((resolve) => void setImmediate(resolve));
    await at.desk.revoke("org-acme");
    await signInTo(at, stand);
    const signedInAs = await tokenOf(at);
    release();
    await waiting;
    expect(await tokenOf(at)).toBe(signedInAs);
  });

  test("does not sign out a workspace that was signed in to meanwhile", async () => {
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    stand.revokeAll();
    const release = stand.hold();
    const waiting = at.desk.accessToken("org-acme");
    while (refreshes() === 0) await new Promise((resolve) => void setImmediate(resolve));
    await signInTo(at, stand);
    release();
    expect(await waiting).toMatchObject({ is: "granted" });
    expect(at.pages).toEqual([]);
  });
});

describe("whoever serves", () => {
  test("keeps tokens fresh from the start, and logs once what a person must do, without a secret", async () => {
    const at = await signedIn();
    const lines: string[] = [];
    const note = (fields: object, message: string): void =>
      void lines.push(JSON.stringify({ ...fields, message }));
    const log = { info: note, warn: note, error: note };
    const environment = { database: at.database, secretKey, linear: at.settings };
    const serve = () => keepLinear({ environment, store: at.store, clock: at.clock, log });
    at.clock.move(23 * hourMs);
    await serve().stop();
    expect(refreshes()).toBe(1);
    expect(lines).toEqual([]);
    stand.revokeAll();
    at.clock.move(23 * hourMs);
    await serve().stop();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("forgehand auth linear");
    for (const secret of stand.secrets) expect(lines[0]).not.toContain(secret);
    // A restart says it again.
    await serve().stop();
    expect(lines).toHaveLength(2);
    expect(refreshes()).toBe(2);
  });
});

describe("webhooks", () => {
  test("a revocation signs out at once and is paged once", async () => {
    const at = await signedIn();
    const notice = { workspace: "org-acme", client: app.id, at: at.clock.now() + 1 };
    await at.desk.revoked(notice);
    await at.desk.revoked(notice);
    expect(await at.desk.accessToken("org-acme")).toMatchObject({
      is: "signed-out",
      why: "the app was revoked in Linear",
    });
    expect(at.pages).toHaveLength(1);
  });

  test("a late revocation of an earlier sign-in, of another app or workspace changes nothing", async () => {
    const at = await signedIn();
    await at.desk.revoked({ workspace: "org-acme", client: app.id, at: at.clock.now() - hourMs });
    await at.desk.revoked({ workspace: "org-acme", client: "another", at: at.clock.now() + 1 });
    await at.desk.revoked({ workspace: "org-none", client: app.id, at: at.clock.now() + 1 });
    await tokenOf(at);
  });

  test("a revocation that seems earlier than the sign-in counts where Linear refuses the token", async () => {
    const at = await signedIn();
    stand.revokeAll();
    await at.desk.revoked({ workspace: "org-acme", client: app.id, at: at.clock.now() - hourMs });
    expect(at.pages).toHaveLength(1);
  });

  test("a revocation that calls the app by another id counts where Linear refuses the token", async () => {
    const at = await signedIn();
    const notice = { workspace: "org-acme", client: "0f0e0d0c-0b0a-4908-8706-050403020100" };
    await at.desk.revoked({ ...notice, at: at.clock.now() + 1 });
    await tokenOf(at);
    stand.revokeAll();
    await at.desk.revoked({ ...notice, at: at.clock.now() + 2 });
    expect(at.pages).toHaveLength(1);
  });

  test("teams that were lost are known, whatever order their news come in", async () => {
    const at = await signedIn();
    const change = { workspace: "org-acme", appUser: "user-app", added: [], removed: [] };
    await at.desk.teamsChanged({ ...change, removed: ["t1", "t2"], at: 20 });
    await at.desk.teamsChanged({ ...change, added: ["t2"], at: 30 });
    await at.desk.teamsChanged({ ...change, added: ["t1"], at: 10 });
    await at.desk.teamsChanged({ ...change, appUser: "user-other", removed: ["t3"], at: 40 });
    expect(await at.desk.lostTeams("org-acme")).toEqual(["t1"]);
  });
});

describe("a personal API key", () => {
  test("works in its own workspace, as that person, and gives way to the app", async () => {
    const at = await house({ linear: { apiKey: personalKey } });
    expect(await at.desk.workspaces()).toEqual(["org-acme"]);
    expect(await at.desk.accessToken("org-acme")).toEqual({
      is: "granted",
      token: personalKey,
      as: "person",
      expiresAt: undefined,
    });
    expect(await at.desk.accessToken("org-beta")).toMatchObject({ is: "signed-out" });
    await signInTo(at, stand);
    expect(await at.desk.accessToken("org-acme")).toMatchObject({ as: "app" });
  });

  test("whose owner cannot be asked keeps no workspace of the app waiting", async () => {
    const at = await signedIn({ linear: { apiKey: personalKey } });
    await stand.close();
    expect(await at.desk.workspaces()).toEqual(["org-acme"]);
    const alone = await house({ linear: { apiKey: personalKey } });
    expect((await troubleOf(alone.desk.workspaces())).permanent).toBe(false);
  });

  test("that Linear refuses in the middle of work is not given again", async () => {
    const at = await house({ linear: { apiKey: personalKey } });
    await tokenOf(at);
    expect(await at.desk.replace("org-acme", personalKey)).toMatchObject({
      is: "signed-out",
      why: "Linear does not accept FORGEHAND_LINEAR_API_KEY",
    });
    expect(await at.desk.replace("org-acme", "honey_another")).toMatchObject({ is: "granted" });
  });

  test("that Linear refuses is said to be", async () => {
    const at = await house({ linear: { apiKey: "honey_other_key_000" } });
    const access = await at.desk.accessToken("org-acme");
    expect(access).toMatchObject({
      is: "signed-out",
      why: "Linear does not accept FORGEHAND_LINEAR_API_KEY",
    });
  });
});

describe("tokens at rest", () => {
  test("are nowhere in the database's files, nor in what is said of them", async () => {
    const { readdirSync, readFileSync } = await import("node:fs");
    const { dirname, join } = await import("node:path");
    const at = await signedIn();
    at.clock.move(25 * hourMs);
    await tokenOf(at);
    const folder = dirname(at.database);
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
    expect(stand.secrets.size).toBeGreaterThan(4);
    for (const secret of stand.secrets) for (const file of files) expect(file.includes(secret)).toBe(false);
  });

  test("open with no other key, and again with the right one", async () => {
    const at = await signedIn();
    const wrong = await house({ database: at.database, secretKey: Buffer.alloc(32, 8).toString("base64") });
    const access = await wrong.desk.accessToken("org-acme");
    expect(access).toMatchObject({ is: "signed-out", why: expect.stringContaining("another key") });
    expect(access).toMatchObject({ fix: expect.stringContaining("FORGEHAND_SECRET_KEY") });
    expect(wrong.pages).toEqual([]);
    await tokenOf(await house({ database: at.database, secretKey, clock: movedClock() }));
  });

  test("of another app hold until they end, and then say which app it was", async () => {
    const at = await signedIn();
    const other = await house({
      database: at.database,
      clock: at.clock,
      linear: { clientId: "another-app" },
    });
    expect(await other.desk.accessToken("org-acme")).toMatchObject({ is: "granted" });
    expect(await other.desk.signedOut()).toEqual([]);
    at.clock.move(25 * hourMs);
    const access = await other.desk.accessToken("org-acme");
    expect(access).toMatchObject({ is: "signed-out", why: expect.stringContaining(app.id) });
    expect(await other.desk.signedOut()).toEqual([access]);
    expect(refreshes()).toBe(0);
    await tokenOf(at);
  });

  test("are forgotten with --revoke only after Linear has revoked them", async () => {
    const at = await signedIn();
    const token = await tokenOf(at);
    expect(await at.desk.revoke("org-acme")).toBe("revoked");
    expect(stand.revoked).toHaveLength(2);
    expect(stand.revoked.map((one) => createHash("sha256").update(one).digest("hex"))).toContain(
      createHash("sha256").update(token).digest("hex"),
    );
    expect(await at.store.linearWorkspaces()).toEqual([]);
  });
});
