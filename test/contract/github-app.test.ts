import { describe, expect, test } from "vitest";
import { openGitHub } from "../../src/adapters/github/app.ts";
import type { GitHub } from "../../src/adapters/github/app.ts";
import { githubHooks } from "../../src/adapters/github/hooks.ts";
import { githubTracker } from "../../src/adapters/github/issues.ts";
import { githubForge } from "../../src/adapters/github/github.ts";
import { head, issue, now, ok, privateKey, pull, repo, scripted } from "./scripted.ts";
import { key } from "./stage.ts";

const tracker = (github: GitHub) => githubTracker(github, () => []);
const readTicket = (github: GitHub) => tracker(github).ticket({ repo, number: 4 });

describe("tokens", () => {
  test("a token is narrowed to one repository and to what the operation needs, and shared until it ages", async () => {
    const world = await scripted({ "GET /repos/acme/shop/issues/4": ok(issue()) });
    await readTicket(world.github);
    await readTicket(world.github);
    const mints = world.asks("POST", "/access_tokens");
    expect(mints.map((asked) => asked.body)).toEqual([
      { repository_ids: [77], permissions: { issues: "read" } },
    ]);
    world.time.now += 56 * 60_000;
    await readTicket(world.github);
    expect(world.asks("POST", "/access_tokens")).toHaveLength(2);
    expect(world.asks("GET", "/issues/4").map((asked) => asked.token)).toEqual(["ghs_1", "ghs_1", "ghs_2"]);
  });

  test("many operations at once mint one token", async () => {
    const world = await scripted({ "GET /repos/acme/shop/issues/4": ok(issue()) });
    await Promise.all([1, 2, 3, 4].map(() => readTicket(world.github)));
    expect(world.asks("POST", "/access_tokens")).toHaveLength(1);
  });

  test("a token that GitHub no longer takes is dropped, and the request sent once more", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/issues/4": ({ token }) =>
        token === "ghs_1" ? { status: 401, body: { message: "Bad credentials" } } : ok(issue()),
    });
    expect(await readTicket(world.github)).toMatchObject({ title: "t" });
    expect(world.asks("POST", "/access_tokens")).toHaveLength(2);
  });

  test("a second refusal is trouble, not a loop", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/issues/4": { status: 401, body: { message: "Bad credentials" } },
    });
    await expect(readTicket(world.github)).rejects.toMatchObject({ code: "github-auth", permanent: true });
    expect(world.asks("GET", "/issues/4")).toHaveLength(2);
  });

  test("a push token carries contents alone, and no token is ever logged", async () => {
    const world = await scripted({ "GET /repos/acme/shop/issues/4": { status: 500, body: {} } });
    expect(await world.github.pushToken(repo, "write")).toBe("ghs_1");
    expect(await world.github.pushToken(repo, "read")).toBe("ghs_2");
    await readTicket(world.github).catch(() => undefined);
    expect(world.asks("POST", "/access_tokens").map((asked) => asked.body)).toMatchObject([
      { permissions: { contents: "write" } },
      { permissions: { contents: "read" } },
      { permissions: { issues: "read" } },
    ]);
    expect(world.said.length).toBeGreaterThan(0);
    expect(world.said.join("\n")).not.toMatch(/ghs_|eyJ/);
  });

  test("a grant that the installation lacks is named", async () => {
    const world = await scripted({
      "POST /app/installations/5/access_tokens": {
        status: 422,
        body: { message: "The permissions requested are not granted to this installation." },
      },
    });
    const trouble = await readTicket(world.github).catch((error: unknown) => error);
    expect(trouble).toMatchObject({ code: "github-forbidden", permanent: true });
    expect(String(trouble)).toMatch(/installation 5.*issues: read/);
  });

  test("a key that is no key is refused at once", () => {
    const open = () =>
      openGitHub({
        appId: 9,
        privateKey: "not a key",
        userAgent: "t",
        clock: { now: () => now },
        remember: { get: async () => undefined, set: async () => {} },
        scrub: (text) => text,
      });
    expect(open).toThrow(/private key cannot be read/);
  });
});

describe("addresses", () => {
  test("an Enterprise server gets REST, GraphQL and git under its own paths", async () => {
    let auto: object | null = null;
    const world = await scripted(
      {
        "GET /repos/acme/shop": ok({ allow_squash_merge: true }),
        "GET /repos/acme/shop/pulls/3": () => ok(pull({ auto_merge: auto })),
        "POST /api/graphql": () => {
          auto = {};
          return ok({ data: {} });
        },
      },
      { path: "/api/v3" },
    );
    expect(await githubForge(world.github).arm(key("k"), { repo, number: 3 }, head)).toBe("armed");
    expect(world.asks("POST", "/api/graphql")).toHaveLength(1);
    expect(world.github.gitUrl(repo)).toBe(`${world.front.url}/acme/shop.git`);
  });

  test.each([
    [undefined, "https://github.com/acme/shop.git"],
    ["https://api.github.com/", "https://github.com/acme/shop.git"],
    ["https://git.corp.example/api/v3", "https://git.corp.example/acme/shop.git"],
    ["https://api.acme.ghe.com", "https://acme.ghe.com/acme/shop.git"],
  ])("git for %s is at %s", (apiUrl, url) => {
    const github = openGitHub({
      appId: 9,
      privateKey,
      apiUrl,
      userAgent: "t",
      clock: { now: () => now },
      remember: { get: async () => undefined, set: async () => {} },
      scrub: (text) => text,
    });
    expect(github.gitUrl(repo)).toBe(url);
  });
});

describe("trouble", () => {
  const at = "GET /repos/acme/shop/issues/4";
  test.each([
    [
      "retry-after",
      { status: 429, body: { message: "slow" }, headers: { "retry-after": "30" } },
      { code: "github-rate-limited", retryAt: now + 30_000 },
    ],
    [
      "an empty allowance",
      {
        status: 403,
        body: { message: "API rate limit exceeded" },
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 90) },
      },
      { code: "github-rate-limited", retryAt: now + 90_000 },
    ],
    [
      "a secondary limit",
      { status: 403, body: { message: "You have exceeded a secondary rate limit" } },
      { code: "github-rate-limited", retryAt: now + 60_000 },
    ],
    [
      "a missing permission",
      {
        status: 403,
        body: { message: "Resource not accessible by integration" },
        headers: { "x-accepted-github-permissions": "issues=read" },
      },
      {
        code: "github-forbidden",
        permanent: true,
        message: expect.stringMatching(/Installation 5.*lacks issues: read/),
      },
    ],
    [
      "a suspended installation",
      { status: 403, body: { message: "This installation has been suspended" } },
      { code: "github-forbidden", permanent: true, message: expect.stringMatching(/suspended there/) },
    ],
    [
      "a broken GitHub",
      { status: 502, body: { message: "bad gateway" } },
      { code: "github-unavailable", permanent: false },
    ],
    ["a lost connection", "reset", { code: "github-unavailable", permanent: false }],
  ] as const)("%s", async (_, answer, trouble) => {
    const world = await scripted({ [at]: answer });
    await expect(readTicket(world.github)).rejects.toMatchObject(trouble);
  });

  test("what the App asks for itself is said of it, and an absence doubts where it was asked", async () => {
    const world = await scripted({ "GET /app": { status: 404, body: { message: "Not Found" } } });
    await expect(world.github.identity()).rejects.toMatchObject({
      code: "github-gone",
      message:
        "GitHub could not read the settings for App 9: it is gone, or the App may not see it (Not Found). Check the App's id and FORGEHAND_GITHUB_API_URL.",
    });
  });

  test("a read is tried again, a write never", async () => {
    let reads = 0;
    const world = await scripted({
      [at]: () => (++reads < 2 ? { status: 502, body: {} } : ok(issue())),
      "PATCH /repos/acme/shop/issues/4": { status: 502, body: {} },
    });
    await expect(tracker(world.github).move(key("k"), { repo, number: 4 }, "Done")).rejects.toMatchObject({
      code: "github-unavailable",
    });
    expect(reads).toBe(2);
    expect(world.asks("PATCH", "/issues/4")).toHaveLength(1);
  });
});

describe("tickets", () => {
  test("an issue that moved to another repository is gone; a renamed repository is not", async () => {
    const moved = issue({ repository_url: "https://api.github.com/repos/acme/other" });
    const away = await scripted({
      "GET /repos/acme/shop/issues/4": ok(moved),
      "GET /repositories/77": ok({ full_name: "acme/shop" }),
    });
    expect(await readTicket(away.github)).toBeUndefined();
    const renamed = await scripted({
      "GET /repos/acme/shop/issues/4": ok(moved),
      "GET /repositories/77": ok({ full_name: "acme/other" }),
    });
    expect(await readTicket(renamed.github)).toMatchObject({ title: "t" });
  });

  test("a label that the repository lacks is created in our colour, under the repository's name for it", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/issues/4": ok(issue()),
      "POST /repos/acme/shop/labels": { status: 201, body: {} },
      "POST /repos/acme/shop/issues/4/labels": ok([]),
    });
    const words = [{ label: "needs-spec", name: "spec please", color: "fbca04", description: "Gaps" }];
    await githubTracker(world.github, () => words).setLabels(
      key("k"),
      { repo, number: 4 },
      { add: ["needs-spec"], remove: [] },
    );
    expect(world.asks("POST", "/repos/acme/shop/labels")[0]?.body).toEqual({
      name: "spec please",
      color: "fbca04",
      description: "Gaps",
    });
    expect(world.asks("POST", "/issues/4/labels")[0]?.body).toEqual({ labels: ["spec please"] });
  });
});

describe("hooks", () => {
  test("a webhook sent as a form is read as JSON", async () => {
    const delivery = {
      id: 7,
      guid: "a",
      event: "issues",
      status_code: 0,
      delivered_at: new Date(now).toISOString(),
    };
    const world = await scripted({
      "GET /app/hook/deliveries": ok([delivery]),
      "GET /app/hook/deliveries/7": ok({ request: { payload: '{"action":"closed"}' } }),
    });
    const missed = await githubHooks(world.github).missed(now, () => false);
    expect(missed).toEqual([{ guid: "a", name: "issues", payload: { action: "closed" } }]);
  });

  test("a file is read at the tip it names; a folder is no file", async () => {
    const world = await scripted({
      "GET /repos/acme/shop/git/ref/heads%2Fmain": ok({ object: { sha: head } }),
      "GET /repos/acme/shop/contents/.github%2Fforgehand.yml": ok({
        type: "file",
        encoding: "base64",
        size: 2,
        content: Buffer.from("hi").toString("base64"),
      }),
      "GET /repos/acme/shop/contents/src": ok([]),
    });
    const hooks = githubHooks(world.github);
    expect(await hooks.file(repo, ".github/forgehand.yml")).toEqual({ text: "hi", at: head });
    expect(await hooks.file(repo, "src")).toEqual({ text: undefined, at: head });
    expect(await hooks.file(repo, "missing")).toEqual({ text: undefined, at: head });
    expect(world.front.asked.some((asked) => asked.path.includes(`ref=${head}`))).toBe(true);
  });
});
