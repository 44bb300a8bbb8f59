import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settleApp, takeOver } from "../../src/cli/init-app.ts";
import { linearFormUrl, settleLinear } from "../../src/cli/init-linear.ts";
import { lookAtRuntimes, runtimesInWords } from "../../src/cli/init-runtimes.ts";
import { ownSettingsFile } from "../../src/cli/own-environment.ts";
import { readProgress } from "../../src/cli/settings-store.ts";
import { pulledHookUrl } from "../../src/config-feed.ts";
import { browse, openForm, openInitStage, submit, type InitStage } from "./init-stage.ts";

let stage: InitStage;
beforeEach(async () => {
  stage = await openInitStage();
});
afterEach(() => stage.close());

const thrownBy = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => undefined,
    (error: unknown) => error,
  );
const keyFile = (pem: string): string => {
  const path = join(stage.home, "key.pem");
  writeFileSync(path, pem, { mode: 0o600 });
  return path;
};
const secretFile = (text: string): string => {
  const path = join(stage.home, "secret");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

describe("an App by manifest", () => {
  test("three clicks make it, store it closed to others, and leave the browser with what comes next", async () => {
    const last = Promise.withResolvers<string>();
    const step = await settleApp(
      stage.init(
        { create: true, org: "acme", feed: "pull" },
        { openBrowser: async (url) => (browse(url).then(last.resolve, last.reject), true) },
      ),
    );
    expect(step).toMatchObject({ did: "made", access: { slug: "forgehand-acme", owner: "acme" } });
    const { app } = stage.hub.state;
    expect(stage.init().environment()).toMatchObject({
      github: { appId: app.id, privateKey: app.privateKey.trim(), webhookSecrets: [app.webhookSecret] },
      feed: { is: "pull" },
    });
    expect(stage.init().environment().access?.client).toEqual(stage.hub.registration.logins.client);
    expect(statSync(ownSettingsFile({ HOME: stage.home })).mode & 0o777).toBe(0o600);
    expect(statSync(join(stage.home, ".config", "forgehand")).mode & 0o777).toBe(0o700);
    expect(stage.file()).not.toMatch(/[\\"']/u);
    expect(await last.promise).toContain("<code>forgehand bootstrap acme/web</code>");
    expect(await step.access.repositories()).toEqual(["acme/web"]);
    expect(stage.said.join("\n")).not.toContain(app.webhookSecret);
    expect(readProgress(stage.init().places).pending).toBeUndefined();
  });

  test("is asked for as app.yml has it: private, least permissions, a webhook that leads to nobody", async () => {
    const form = Promise.withResolvers<Awaited<ReturnType<typeof openForm>>>();
    const making = settleApp(
      stage.init(
        { create: true, feed: "pull", name: "mine" },
        {
          openBrowser: async (url) => {
            form.resolve(await openForm(url));
            return true;
          },
        },
      ),
    );
    const { action, manifest } = await form.promise;
    expect(action).toContain(`${stage.hub.url}/settings/apps/new?state=`);
    expect(manifest).toMatchObject({
      name: "mine",
      public: false,
      hook_attributes: { url: pulledHookUrl, active: true },
      default_permissions: { contents: "write", metadata: "read" },
    });
    expect(String(manifest["redirect_url"])).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/created$/u);
    expect(String(manifest["setup_url"])).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/installed$/u);
    await browse(stage.said.join("\n").match(/http:\S+\/start\/\S+/u)?.[0] ?? "");
    await making;
  });

  test("on a host that is reached over https, people may log in through it there, and nowhere else", async () => {
    await settleApp(stage.init({ create: true, feed: "webhook", url: "https://forgehand.example/hooks" }));
    expect(stage.hub.registration.logins.callbackUrls).toEqual([
      "https://forgehand.example/login/github/callback",
    ]);
  });

  test("an answer of another set-up, a stranger's look and a foreign host name change nothing", async () => {
    const url = Promise.withResolvers<string>();
    const making = settleApp(
      stage.init({ create: true, feed: "pull" }, { openBrowser: async (at) => (url.resolve(at), true) }),
    );
    const start = await url.promise;
    const { origin } = new URL(start);
    const asked = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(`${origin}${path}`, init)).status;
    expect(await asked("/created?code=theirs&state=guessed")).toBe(400);
    expect(await asked("/created?code=theirs")).toBe(400);
    expect(await asked("/start/guessed")).toBe(404);
    expect(await asked("/")).toBe(404);
    expect(await asked("/start", { method: "POST" })).toBe(404);
    expect(await statusWithHost(start, "evil.example")).toBe(421);
    expect(await (await fetch(`${origin}/installed?installation_id=1`)).text()).not.toContain("acme/web");
    expect(existsSync(ownSettingsFile({ HOME: stage.home }))).toBe(false);
    await browse(start);
    await making;
    expect(stage.said.join("\n")).toContain("belongs to another set-up");
  });

  test("a code that expired is told, and the same page goes on with the next", async () => {
    const url = Promise.withResolvers<string>();
    const making = settleApp(
      stage.init({ create: true, feed: "pull" }, { openBrowser: async (at) => (url.resolve(at), true) }),
    );
    const form = await openForm(await url.promise);
    const back = await submit(form);
    stage.hub.registration.codes.clear();
    const refused = await fetch(back);
    expect([refused.status, await refused.text()]).toEqual([502, expect.stringContaining("for an hour")]);
    await browse(await url.promise);
    expect((await making).did).toBe("made");
  });

  test("GitHub out of reach in the middle: the tab is loaded again, and the same code is taken", async () => {
    const url = Promise.withResolvers<string>();
    const making = settleApp(
      stage.init({ create: true, feed: "pull" }, { openBrowser: async (at) => (url.resolve(at), true) }),
    );
    const form = await openForm(await url.promise);
    const back = await submit(form);
    stage.hub.fail({ method: "POST", path: /conversions/, status: "reset" });
    expect((await fetch(back)).status).toBe(502);
    expect((await fetch(back)).status).toBe(200);
    stage.hub.state.app.installed = true;
    expect((await making).did).toBe("made");
    // Once it is stored, loading the tab again exchanges nothing.
    expect(stage.hub.state.calls.filter(({ path }) => path.includes("conversions"))).toHaveLength(1);
  });

  test("interrupted while GitHub shows its page, the next init takes up the answer of that very page", async () => {
    const url = Promise.withResolvers<string>();
    const first = thrownBy(
      settleApp(
        stage.init(
          { create: true, feed: "pull" },
          {
            openBrowser: async (at) => (url.resolve(at), true),
            prompter: { ...stage.init().prompter, during: () => Promise.reject(new Error("Ctrl-C")) },
          },
        ),
      ),
    );
    const form = await openForm(await url.promise).catch(() => undefined);
    expect(String(await first)).toContain("Ctrl-C");
    const { pending } = readProgress(stage.init().places);
    expect(pending).toBeDefined();
    expect(statSync(join(stage.home, ".config", "forgehand", "init.json")).mode & 0o777).toBe(0o600);
    const second = settleApp(
      stage.init(
        { create: true, feed: "pull" },
        {
          openBrowser: async (at) => {
            // Same address as before, unless something else took the port meanwhile.
            expect(new URL(at).pathname).toBe(`/start/${pending?.key ?? ""}`);
            void browse(form === undefined ? at : await url.promise);
            return true;
          },
        },
      ),
    );
    expect((await second).did).toBe("made");
  });

  test("a port that is taken gives way to another", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    // `address` is an object for a server that listens on a port.
    const { port } = taken.address() as AddressInfo;
    const step = await settleApp(stage.init({ create: true, feed: "pull", port: String(port) }));
    expect(step.did).toBe("made");
    await new Promise((resolve) => taken.close(resolve));
  });

  test("no browser here: the address is printed, with the way through ssh", async () => {
    const making = settleApp(
      stage.init(
        { create: true, feed: "pull" },
        { openBrowser: async () => (setTimeout(() => void browse(addressSaid()), 0), false) },
      ),
    );
    await making;
    expect(stage.said.join("\n")).toMatch(/ssh -L \d+:localhost:\d+ THIS-HOST/u);
  });

  test("a name that is taken is GitHub's to say: nothing comes back, and the wait ends with what to type", async () => {
    stage.hub.registration.taken.add("forgehand");
    const error = await thrownBy(
      settleApp(
        stage.init(
          { create: true, feed: "pull", name: "forgehand", timeout: "0.01" },
          {
            openBrowser: async (url) => {
              expect(await submit(await openForm(url))).toContain("422 <p>Name has already been taken");
              return true;
            },
          },
        ),
      ),
    );
    expect(error).toMatchObject({
      exit: 2,
      message: expect.stringContaining("`forgehand init` goes on") as unknown,
    });
  });

  test("a home that cannot be written is told before anybody is sent to GitHub", async ({ skip }) => {
    if (process.getuid?.() === 0) return skip("root writes everywhere");
    mkdirSync(join(stage.home, ".config"));
    chmodSync(join(stage.home, ".config"), 0o500);
    const opened: string[] = [];
    const init = stage.init(
      { create: true, feed: "pull" },
      { openBrowser: async (url) => (opened.push(url), true) },
    );
    expect(await thrownBy(settleApp(init))).toMatchObject({ code: "settings-file-unwritable" });
    expect(opened).toEqual([]);
  });

  test("a folder that is a file is told the same way, whoever runs it", async () => {
    writeFileSync(join(stage.home, ".config"), "not a folder");
    const error = await thrownBy(settleApp(stage.init({ create: true, feed: "pull" })));
    expect(error).toMatchObject({ code: "settings-file-unwritable", values: { why: "ENOTDIR" } });
  });

  test("with the keychain, the file holds names and no secret", async () => {
    await settleApp(stage.init({ create: true, feed: "pull" }, { keychain: stage.keychain }));
    const { app } = stage.hub.state;
    expect(stage.settings()).toEqual({
      FORGEHAND_APP_ID: String(app.id),
      FORGEHAND_GITHUB_API_URL: stage.hub.url,
      FORGEHAND_FEED: "pull",
      FORGEHAND_PRIVATE_KEY_KEYCHAIN: `private-key-${app.id}`,
      FORGEHAND_WEBHOOK_SECRET_KEYCHAIN: `webhook-secret-${app.id}`,
      FORGEHAND_CLIENT_ID: stage.hub.registration.logins.client.id,
      FORGEHAND_CLIENT_SECRET_KEYCHAIN: `client-secret-${app.id}`,
    });
    expect(stage.init().environment().access?.client).toEqual(stage.hub.registration.logins.client);
    expect(stage.file()).not.toContain(stage.hub.registration.logins.client.secret);
    expect(stage.init().environment().github?.privateKey).toBe(app.privateKey.trim());
  });

  const addressSaid = (): string => /http:\S+\/start\/\S+/u.exec(stage.said.join("\n"))?.[0] ?? "";
});

/** A name that somebody points to this host, as a browser would send it. */
async function statusWithHost(url: string, host: string): Promise<number> {
  const { request } = await import("node:http");
  return await new Promise((resolve, reject) => {
    const asking = request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.once("error", reject);
    asking.end();
  });
}

describe("an App that exists", () => {
  test("is confirmed by GitHub, stored, and its webhook pointed where it should", async () => {
    const { app } = stage.hub.state;
    stage.hub.courier.target("https://old.example.com/hooks");
    const access = await takeOver(
      stage.init({
        appId: String(app.id),
        keyFile: keyFile(app.privateKey),
        webhookSecretFile: secretFile(`${app.webhookSecret}\n`),
        url: "https://forge.example.com/",
      }),
    );
    expect(access).toMatchObject({ id: app.id, slug: "forgehand" });
    expect(stage.hub.courier.url).toBe("https://forge.example.com/webhooks/github");
    expect(stage.settings()).toMatchObject({ FORGEHAND_FEED: "webhook", FORGEHAND_APP_ID: String(app.id) });
    expect(stage.said.join("\n")).toContain("led to https://old.example.com/hooks");
  });

  test("of another key is refused, and nothing is written", async () => {
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();
    const { app } = stage.hub.state;
    const options = {
      appId: String(app.id),
      keyFile: keyFile(other),
      webhookSecretFile: secretFile("s"),
      feed: "pull",
    };
    expect(await thrownBy(takeOver(stage.init(options)))).toMatchObject({ code: "github-app-refused" });
    expect(existsSync(ownSettingsFile({ HOME: stage.home }))).toBe(false);
  });

  test("refused by a clock that is off is told with how far", async () => {
    const { app } = stage.hub.state;
    stage.hub.fail({
      path: /^\/app$/,
      status: 401,
      message: "'Expiration time' claim ('exp') is too far",
      times: 3,
    });
    const ahead = { now: () => Date.now() + 3_600_000, until: async () => undefined };
    const options = {
      appId: String(app.id),
      keyFile: keyFile(app.privateKey),
      webhookSecretFile: secretFile("s"),
      feed: "pull",
    };
    const error = await thrownBy(takeOver(stage.init(options, { clock: ahead })));
    expect(error).toMatchObject({ code: "clock-wrong" });
    expect(String(error)).toMatch(/this clock is 3600 s ahead of GitHub's/u);
  });

  test("out of reach is told with the address that was tried", async () => {
    const { app } = stage.hub.state;
    const init = stage.init({
      appId: "7",
      keyFile: keyFile(app.privateKey),
      webhookSecretFile: secretFile("s"),
      feed: "pull",
    });
    const nowhere = { ...init, environment: () => ({ ...init.environment(), apiUrl: "http://127.0.0.1:9" }) };
    expect(await thrownBy(takeOver(nowhere))).toMatchObject({ code: "github-url-wrong" });
  });

  test.each([
    [{ appId: "x" }, /--app-id: a number is expected/u],
    [{ appId: "7", keyFile: "/nowhere.pem" }, /\/nowhere\.pem .*ENOENT/u],
  ])("%o is refused before anybody is asked", async (options, words) => {
    expect(String(await thrownBy(takeOver(stage.init({ feed: "pull", ...options }))))).toMatch(words);
  });

  test("may be given a new webhook secret, which forgehand then holds", async () => {
    const { app } = stage.hub.state;
    const before = app.webhookSecret;
    const options = {
      appId: String(app.id),
      keyFile: keyFile(app.privateKey),
      newWebhookSecret: true,
      feed: "pull",
    } as const;
    await takeOver(stage.init(options));
    expect(app.webhookSecret).not.toBe(before);
    expect(stage.settings()["FORGEHAND_WEBHOOK_SECRET"]).toBe(app.webhookSecret);
    expect(stage.hub.courier.url).toBe(pulledHookUrl);
  });

  test("is not stored before its webhook is as wanted: whoever waits for it would take it up with another feed", async () => {
    const { app } = stage.hub.state;
    const options = {
      appId: String(app.id),
      keyFile: keyFile(app.privateKey),
      webhookSecretFile: secretFile("s"),
      feed: "pull",
    };
    stage.hub.fail({ path: /^\/app\/hook\/config$/, status: 422, message: "Validation Failed", times: 9 });
    expect(await thrownBy(takeOver(stage.init(options)))).toBeDefined();
    expect(existsSync(ownSettingsFile({ HOME: stage.home }))).toBe(false);
  });

  test("is pointed elsewhere by the next init where only --hook-url is said", async () => {
    const { app } = stage.hub.state;
    const options = {
      appId: String(app.id),
      keyFile: keyFile(app.privateKey),
      webhookSecretFile: secretFile("s"),
      feed: "pull",
    };
    await takeOver(stage.init(options));
    const hookUrl = "https://mine.example.com/nothing";
    expect((await settleApp(stage.init({ yes: true, hookUrl }))).did).toBe("kept");
    expect(stage.hub.courier.url).toBe(hookUrl);
    expect(stage.settings()["FORGEHAND_FEED"]).toBe("pull");
  });

  test("is kept by the next init, with how its news arrive, and replaced only where that is said", async () => {
    const { app } = stage.hub.state;
    const options = {
      appId: String(app.id),
      keyFile: keyFile(app.privateKey),
      webhookSecretFile: secretFile("s"),
      url: "https://a.example",
    };
    await takeOver(stage.init(options));
    const before = stage.file();
    expect((await settleApp(stage.init({ yes: true }))).did).toBe("kept");
    expect(stage.file()).toBe(before);
    expect(await thrownBy(settleApp(stage.init({ create: true })))).toMatchObject({ exit: 4 });
    expect((await settleApp(stage.init({ yes: true, feed: "pull" }))).did).toBe("kept");
    expect(stage.hub.courier.url).toBe(pulledHookUrl);
    expect(stage.settings()["FORGEHAND_FEED"]).toBe("pull");
  });
});

describe("a script", () => {
  test("that leaves out what nobody could guess is told the flags, and ends with 4", async () => {
    const error = await thrownBy(settleApp(stage.init({ yes: true })));
    expect(error).toMatchObject({
      exit: 4,
      message: expect.stringContaining("--create, or --import --app-id") as unknown,
    });
  });
  test("that takes an App without its key is told that flag", async () => {
    const error = await thrownBy(
      settleApp(stage.init({ yes: true, import: true, appId: "7", feed: "pull" })),
    );
    expect(error).toMatchObject({ exit: 4, message: expect.stringContaining("--key-file PATH") as unknown });
  });
});

describe("Linear", () => {
  test("is one filled-in page and three values", async () => {
    stage.answers.push("https://me.example.com", "client-1", "hush-secret", "hush-webhook");
    expect(await settleLinear(stage.init({ linear: true, browser: false }))).toBe("stored");
    const page = new URL(/https:\/\/linear\.app\S+/u.exec(stage.said.join("\n"))?.[0] ?? "");
    expect(page.origin + page.pathname).toBe("https://linear.app/settings/api/applications/new");
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      "oauth.redirect_uris": "http://localhost:8977/linear/callback",
      "webhook.url": "https://me.example.com/webhooks/linear",
      distribution: "private",
    });
    expect(stage.init().environment().linear).toMatchObject({
      clientId: "client-1",
      clientSecret: "hush-secret",
    });
    expect(stage.said.join("\n")).not.toContain("hush");
  });
  test("another application without a webhook leaves nothing of the one before", async () => {
    stage.answers.push("https://me.example.com", "client-1", "hush-secret", "hush-webhook");
    await settleLinear(stage.init({ linear: true, browser: false }));
    stage.answers.push("", "client-2", "hush-two", "");
    const init = stage.init({ linear: true, browser: false });
    const prompter = { ...init.prompter, agree: async () => false };
    expect(await settleLinear({ ...init, prompter })).toBe("stored");
    expect(stage.settings()).toMatchObject({ FORGEHAND_LINEAR_CLIENT_ID: "client-2" });
    expect(stage.file()).not.toContain("hush-webhook");
  });

  test("without a public URL has no webhook in its form", () => {
    expect(linearFormUrl({ redirect: "http://localhost:1/x", webhookUrl: undefined })).not.toContain(
      "webhook",
    );
  });
  test("nobody who does not want it is asked for anything", async () => {
    expect(await settleLinear(stage.init({ linear: false }))).toBe("skipped");
    expect(await settleLinear(stage.init({}))).toBe("skipped");
  });
});

describe("runtimes", () => {
  const agent = (name: string, family: "anthropic" | "openai", probed: object) =>
    [name, { name, family, probe: async () => ({ version: "1.0", why: undefined, ...probed }) }] as const;
  test.each([
    [[{ found: true }, { found: true }], "Two families of models are ready"],
    [[{ found: true }, { found: false }], "Only anthropic is ready"],
    [[{ found: false }, { found: true, why: "run `codex login`" }], "No agent is ready yet"],
  ])("%j", async ([claude = {}, codex = {}], words) => {
    // Of an agent only these are asked.
    const agents = new Map([
      agent("claude-code", "anthropic", claude),
      agent("codex", "openai", codex),
    ]) as never;
    const text = runtimesInWords(await lookAtRuntimes(agents));
    expect(text).toContain(words);
    if ("why" in codex) expect(text).toContain("→ run `codex login`");
  });
});
