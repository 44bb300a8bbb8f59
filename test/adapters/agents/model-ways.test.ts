/** How pi and the known agents are led to their model by our proxy: they hold its token, and we the key. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acpFurnisher } from "../../../src/adapters/agents/acp/homes.ts";
import type { Furnisher } from "../../../src/adapters/sandboxes/lodging.ts";
import { piFurnisher } from "../../../src/adapters/agents/pi-login.ts";

const door = { url: "http://127.0.0.1:4180", token: "token-of-this-run" };
const key = "the-real-key";
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ways-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function furnisher(
  known: string | undefined,
  own: Readonly<Record<string, string>>,
  model?: string,
): Furnisher {
  const host = { home, searchPath: "/usr/bin", tmp: "/tmp", own };
  const env = { ...own, PATH: "/usr/bin", SWITCH: "1" };
  return known === "pi"
    ? piFurnisher(host, env, model)
    : acpFurnisher(known, { title: "House", host, env, model, logins: [".house/auth.json"] });
}

test.each<
  [
    name: string,
    own: Readonly<Record<string, string>>,
    model: string | undefined,
    upstream: object,
    header: object,
    tells: readonly string[],
  ]
>([
  [
    "pi",
    { ANTHROPIC_API_KEY: key },
    undefined,
    { dialect: "anthropic", url: "https://api.anthropic.com" },
    { "x-api-key": key },
    [
      `{"providers":{"anthropic":{"baseUrl":"http://127.0.0.1:4180"}}}`,
      `"ANTHROPIC_API_KEY":"token-of-this-run"`,
    ],
  ],
  [
    "pi",
    { ANTHROPIC_API_KEY: "other", OPENAI_API_KEY: key },
    "openai/gpt-5.5",
    { dialect: "openai", url: "https://api.openai.com/v1" },
    { authorization: `Bearer ${key}` },
    [`{"providers":{"openai":{"baseUrl":"http://127.0.0.1:4180/v1"}}}`],
  ],
  [
    "opencode",
    { ANTHROPIC_API_KEY: key, HTTPS_PROXY: "http://proxy" },
    "anthropic/claude-opus-5-5",
    {
      dialect: "anthropic",
      url: "https://api.anthropic.com",
      proxyEnvironment: { HTTPS_PROXY: "http://proxy" },
    },
    { "x-api-key": key },
    ["http://127.0.0.1:4180/v1", "anthropic/claude-opus-5-5"],
  ],
  [
    "opencode",
    { OPENAI_API_KEY: key, OPENAI_BASE_URL: "https://models.example/v1/" },
    undefined,
    { dialect: "openai", url: "https://models.example/v1" },
    { authorization: `Bearer ${key}` },
    ["http://127.0.0.1:4180/v1"],
  ],
  [
    "copilot",
    {
      COPILOT_PROVIDER_TYPE: "anthropic",
      COPILOT_PROVIDER_BASE_URL: "https://models.example",
      COPILOT_PROVIDER_API_KEY: key,
      COPILOT_MODEL: "claude-opus-5-5",
    },
    undefined,
    { dialect: "anthropic", url: "https://models.example" },
    { "x-api-key": key },
    [`"COPILOT_PROVIDER_BASE_URL":"http://127.0.0.1:4180"`, `"COPILOT_MODEL":"claude-opus-5-5"`],
  ],
  [
    "gemini",
    { GEMINI_API_KEY: key },
    undefined,
    { dialect: "google", url: "https://generativelanguage.googleapis.com" },
    { "x-goog-api-key": key },
    [`"GOOGLE_GEMINI_BASE_URL":"http://127.0.0.1:4180"`, "gemini-api-key"],
  ],
  [
    "qwen",
    { OPENAI_API_KEY: key, OPENAI_BASE_URL: "https://dashscope.example/v1", OPENAI_MODEL: "qwen3-coder" },
    undefined,
    { dialect: "openai", url: "https://dashscope.example/v1" },
    { authorization: `Bearer ${key}` },
    [`"OPENAI_BASE_URL":"http://127.0.0.1:4180/v1"`, `"OPENAI_MODEL":"qwen3-coder"`],
  ],
  [
    "claude-agent-acp",
    { ANTHROPIC_API_KEY: key, ANOTHER_TOKEN: "other" },
    undefined,
    { dialect: "anthropic" },
    { "x-api-key": key },
    [`"ANTHROPIC_BASE_URL":"http://127.0.0.1:4180"`],
  ],
  [
    "codex-acp",
    { CODEX_API_KEY: key },
    undefined,
    { dialect: "openai" },
    { authorization: `Bearer ${key}` },
    ["http://127.0.0.1:4180/v1", `"CODEX_API_KEY":"token-of-this-run"`],
  ],
])(
  "%s with %j is led to its model, and neither its environment nor a file of it holds the key",
  async (name, own, model, upstream, header, tells) => {
    const lent = furnisher(name, own, model);
    const found = await lent.upstream();
    expect(found).toMatchObject(upstream);
    expect(await found.credential()).toEqual(header);
    const furniture = await lent.furnish("/home-of-the-run", door);
    const told = `${JSON.stringify(furniture.env)}\n${Object.values(furniture.files).join("\n")}`;
    expect(furniture.login ?? {}).toEqual({});
    expect(told).not.toContain(key);
    expect(told).not.toContain("other");
    expect(furniture.env).not.toHaveProperty("HTTPS_PROXY");
    expect(told).toContain(door.token);
    for (const part of tells) expect(told.replaceAll(String.raw`\"`, `"`)).toContain(part);
    expect(furniture.env).toMatchObject({ SWITCH: "1" });
  },
);

test.each<[string | undefined, Readonly<Record<string, string>>, string | undefined, string, RegExp]>([
  ["pi", {}, undefined, "logged-out", /ANTHROPIC_API_KEY or OPENAI_API_KEY/u],
  ["pi", { ANTHROPIC_API_KEY: key }, "openrouter/x", "logged-out", /a `model` of that maker/u],
  ["pi", { ANTHROPIC_API_KEY: key }, "gemini-3-pro", "logged-out", /a `model` of that maker/u],
  ["opencode", { OPENAI_API_KEY: key }, "anthropic/claude-opus-5-5", "logged-out", /under `env`/u],
  ["copilot", {}, undefined, "logged-out", /COPILOT_PROVIDER_BASE_URL/u],
  [
    "copilot",
    { COPILOT_PROVIDER_TYPE: "azure", COPILOT_PROVIDER_BASE_URL: "https://x", COPILOT_PROVIDER_API_KEY: key },
    undefined,
    "logged-out",
    /`openai` or `anthropic`/u,
  ],
  ["gemini", {}, undefined, "logged-out", /GEMINI_API_KEY/u],
  ["qwen", {}, undefined, "logged-out", /OPENAI_API_KEY/u],
  [undefined, { HOUSE_API_KEY: key }, undefined, "no-way-to-model", /FORGEHAND_SANDBOX_NETWORK=open/u],
])("%s with %j and the model %s is told what to set", async (name, own, model, code, why) => {
  await expect(furnisher(name, own, model).upstream()).rejects.toMatchObject({
    code,
    permanent: true,
    message: expect.stringMatching(why),
  });
});

test("a key that pi keeps itself is lent, to where its own file says, and its login is not in the home", async () => {
  mkdirSync(join(home, ".pi/agent"), { recursive: true });
  writeFileSync(join(home, ".pi/agent/auth.json"), `{"anthropic":{"type":"api_key","key":"${key}"}}`);
  writeFileSync(
    join(home, ".pi/agent/models.json"),
    `{"providers":{"anthropic":{"baseUrl":"https://models.example/"}}}`,
  );
  const lent = furnisher("pi", { ANTHROPIC_API_KEY: "another" });
  expect(await lent.upstream()).toMatchObject({ url: "https://models.example" });
  expect(await (await lent.upstream()).credential()).toEqual({ "x-api-key": key });
  expect(JSON.stringify(await lent.furnish("/home-of-the-run", door))).not.toContain(key);
});
