import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { usualSandbox } from "./config-sandbox.ts";
import { readEnvironment, requireGitHub, secretVariables } from "./config-environment.ts";
import { secretValues } from "./config-secrets.ts";
import { Problem } from "./problems.ts";

const pemOf = (type: "rsa" | "ed25519"): string =>
  (type === "rsa"
    ? generateKeyPairSync("rsa", { modulusLength: 2048 })
    : generateKeyPairSync("ed25519")
  ).privateKey
    .export({ type: "pkcs8", format: "pem" })
    .toString();
const pem = pemOf("rsa");
const app = { FORGEHAND_APP_ID: "111", FORGEHAND_PRIVATE_KEY: pem, FORGEHAND_WEBHOOK_SECRET: "s3cret" };
const noFile = (): string => {
  throw Object.assign(new Error("no such file"), { code: "ENOENT" });
};
const problem = (env: Record<string, string>, readText: (path: string) => string = noFile): Problem => {
  try {
    readEnvironment(env, readText);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("no problem");
};

describe("the environment", () => {
  test("may be empty: then there is no App and every default holds", () => {
    const environment = readEnvironment({ PATH: "/bin" }, noFile, {
      home: "/home/ada",
      isThere: () => false,
    });
    expect(environment).toEqual({
      github: undefined,
      database: "/home/ada/.local/state/forgehand/forgehand.db",
      dataDir: "/home/ada/.local/state/forgehand",
      host: "127.0.0.1",
      port: 3000,
      logLevel: "info",
      concurrency: 3,
      runtimes: { "claude-code": "claude", codex: "codex" },
      sandbox: usualSandbox,
    });
    expect(() => requireGitHub(environment)).toThrow(
      /not set: FORGEHAND_APP_ID, FORGEHAND_PRIVATE_KEY, FORGEHAND_WEBHOOK_SECRET\./u,
    );
  });
  test("keeps a data folder that holds a database already", () => {
    const found = { home: "/home/ada", isThere: (path: string) => path === "./data/forgehand.db" };
    expect(readEnvironment({}, noFile, found).dataDir).toBe("./data");
    expect(readEnvironment({ FORGEHAND_DATA_DIR: "/srv" }, noFile, found).database).toBe("/srv/forgehand.db");
    const state = { home: "/home/ada", isThere: () => false };
    expect(readEnvironment({ XDG_STATE_HOME: "/state" }, noFile, state).database).toBe(
      "/state/forgehand/forgehand.db",
    );
  });
  test("names a sandbox for all and others for single runtimes, with their limits", () => {
    const { sandbox } = readEnvironment(
      {
        FORGEHAND_SANDBOX: "bubblewrap, codex=bubblewrap",
        FORGEHAND_SANDBOX_NETWORK: "model",
        FORGEHAND_SANDBOX_READ: "/opt/tools:/srv/go",
        FORGEHAND_COMMAND_NETWORK: "none",
        FORGEHAND_AGENT_MEMORY_MB: "4096",
      },
      noFile,
    );
    expect(sandbox).toMatchObject({
      usual: "bubblewrap",
      byRuntime: { codex: "bubblewrap" },
      network: "model",
      commandNetwork: "none",
      read: ["/opt/tools", "/srv/go"],
      limits: { memoryMb: 4096 },
    });
  });
  test("names the hosts, images and namespaces agents may run on, and says what is wrong with one", () => {
    const told = {
      FORGEHAND_SANDBOX: "ssh,codex=docker",
      FORGEHAND_SSH_HOSTS: "agent@build-1?cap=4",
      FORGEHAND_SANDBOX_IMAGE: "registry.example/agents:1",
      FORGEHAND_DOCKER_RUNTIME: "runsc",
      FORGEHAND_AGENT_CPUS: "1.5",
      FORGEHAND_EXTENDS_FROM: "Acme, labs",
    };
    const { sandbox, extendsFrom } = readEnvironment(told, noFile);
    expect(extendsFrom).toEqual(["acme", "labs"]);
    expect(sandbox).toMatchObject({
      usual: "ssh",
      byRuntime: { codex: "docker" },
      limits: { cpus: 1.5 },
      elsewhere: { image: "registry.example/agents:1", dockerRuntime: "runsc", sshHosts: [{ cap: 4 }] },
    });
    for (const [name, value, wrong] of [
      ["SSH_HOSTS", "-oProxyCommand=evil", /FORGEHAND_SSH_HOSTS is wrong: -oProxyCommand=evil is no host/u],
      ["SANDBOX_IMAGE", "--privileged", /name of an image/u],
      ["KUBERNETES_NAMESPACE", "Agents", /name of a namespace/u],
      ["SSH_CONFIG", "config", /absolute path/u],
      ["AGENT_CPUS", "0", /at least 0.1/u],
      ["EXTENDS_FROM", "acme/web", /owners on GitHub/u],
    ] as const)
      expect(() => readEnvironment({ [`FORGEHAND_${name}`]: value }, noFile)).toThrow(wrong);
  });
  test("gives secrets directly or by file, and a previous one during a rotation", () => {
    const files: Record<string, string> = { "/key": pem.replaceAll("\n", String.raw`\n`), "/hook": "new\n" };
    const { github } = readEnvironment(
      {
        FORGEHAND_APP_ID: "111",
        FORGEHAND_PRIVATE_KEY_FILE: "/key",
        FORGEHAND_WEBHOOK_SECRET_FILE: "/hook",
        FORGEHAND_WEBHOOK_SECRET_PREVIOUS: "old",
        FORGEHAND_GITHUB_API_URL: "https://ghe.example.com/api/v3/",
      },
      (path) => files[path] ?? noFile(),
    );
    expect(github).toEqual({
      appId: 111,
      privateKey: pem.trim(),
      webhookSecrets: ["new", "old"],
      apiUrl: "https://ghe.example.com/api/v3",
    });
  });
  test("knows where the API is without an App, too, also from a file", () => {
    const env = { FORGEHAND_GITHUB_API_URL_FILE: "/url" };
    expect(readEnvironment(env, () => "https://ghe.example.com/api/v3/\n")).toMatchObject({
      github: undefined,
      apiUrl: "https://ghe.example.com/api/v3",
    });
  });
});

describe("what is kept of agents", () => {
  test("may be summed up by a runtime, with or without its model, and be limited", () => {
    const read = (summary: string) => readEnvironment({ FORGEHAND_SUMMARY: summary }, noFile).summary;
    expect(read("codex")).toEqual({ runtime: "codex", model: undefined });
    expect(read("codex:gpt-5.5-mini")).toEqual({ runtime: "codex", model: "gpt-5.5-mini" });
    expect(read("local:qwen3:8b")).toEqual({ runtime: "local", model: "qwen3:8b" });
    for (const wrong of ["", "codex:", ":model", "codex --yolo", "codex:-c"])
      expect(problem({ FORGEHAND_SUMMARY: wrong }).message).toContain("such as codex:MODEL");
    expect(readEnvironment({ FORGEHAND_LOG_MB: "3" }, noFile).logBytes).toBe(3 * 1024 * 1024);
  });
  test("never holds our own secrets, nor what a variable calls one", () => {
    const { github } = readEnvironment({ ...app, FORGEHAND_WEBHOOK_SECRET_PREVIOUS: "older one" }, noFile);
    const values = secretValues(
      { github, metricsToken: "m".repeat(43) },
      { ANTHROPIC_API_KEY: "k1", PATH: "/bin", GH_TOKEN: "t1", EMPTY: undefined },
      new Map([
        [
          "wiki",
          {
            access: "read",
            servers: [
              {
                is: "process",
                name: "one",
                command: "/bin/wiki",
                args: [],
                env: { WIKI_TOKEN: "t2", LANG: "C" },
              },
              {
                is: "http",
                name: "two",
                url: "https://wiki.test",
                headers: { Authorization: "Bearer abcdefghijklmnopqrstuvwxyz", Accept: "text/plain" },
              },
            ],
          },
        ],
      ]),
    );
    expect(values).toEqual([
      "k1",
      "t1",
      "t2",
      "abcdefghijklmnopqrstuvwxyz",
      "m".repeat(43),
      pem.trim(),
      "s3cret",
      "older one",
    ]);
  });
});

describe("a wrong setting stops the start with its name", () => {
  test.each([
    [
      "half an App",
      { FORGEHAND_APP_ID: "1" },
      "github-missing",
      "FORGEHAND_PRIVATE_KEY, FORGEHAND_WEBHOOK_SECRET",
    ],
    [
      "an id that is none",
      { ...app, FORGEHAND_APP_ID: "my-app" },
      "environment-wrong",
      "FORGEHAND_APP_ID is wrong: a whole number",
    ],
    [
      "a path instead of a key",
      { ...app, FORGEHAND_PRIVATE_KEY: "/etc/app.pem" },
      "github-key-wrong",
      "is it a path?",
    ],
    ["a damaged key", { ...app, FORGEHAND_PRIVATE_KEY: pem.slice(0, 300) }, "github-key-wrong", "damaged"],
    [
      "a key of another kind",
      { ...app, FORGEHAND_PRIVATE_KEY: pemOf("ed25519") },
      "github-key-wrong",
      "ed25519",
    ],
    [
      "a sandbox that nobody knows",
      { FORGEHAND_SANDBOX: "chroot" },
      "environment-wrong",
      "FORGEHAND_SANDBOX is wrong: one of local, bubblewrap",
    ],
    [
      "a sandbox that cannot close the network",
      { FORGEHAND_SANDBOX: "bubblewrap,codex=local", FORGEHAND_SANDBOX_NETWORK: "model" },
      "environment-wrong",
      "the sandbox local cannot keep `model`",
    ],
    [
      "a folder that is no absolute path",
      { FORGEHAND_SANDBOX_READ: "tools:/opt" },
      "environment-wrong",
      "absolute paths",
    ],
    ["an empty secret", { ...app, FORGEHAND_WEBHOOK_SECRET: " " }, "environment-wrong", "it is empty"],
    [
      "an API URL that is none",
      { ...app, FORGEHAND_GITHUB_API_URL: "ghe.example.com" },
      "environment-wrong",
      "http or https",
    ],
    [
      "an API URL of another kind",
      { FORGEHAND_GITHUB_API_URL: "file:///etc" },
      "environment-wrong",
      "http or https",
    ],
    [
      "an API URL with credentials",
      { FORGEHAND_GITHUB_API_URL: "https://a:b@h/" },
      "environment-wrong",
      "credentials",
    ],
    ["a port that is none", { FORGEHAND_PORT: "70000" }, "environment-wrong", "at most 65535"],
    ["a log level that is none", { FORGEHAND_LOG_LEVEL: "loud" }, "environment-wrong", "one of trace"],
    [
      "a misspelt name",
      { FORGEHAND_WEBHOOK_SECRETS: "x" },
      "environment-unknown",
      "did you mean FORGEHAND_WEBHOOK_SECRET?",
    ],
    ["both spellings", { FORGEHAND_PORT: "1", FORGEHAND_PORT_FILE: "/p" }, "environment-wrong", "both"],
    [
      "a file that is not there",
      { FORGEHAND_PRIVATE_KEY_FILE: "/gone" },
      "environment-file",
      "/gone that FORGEHAND_PRIVATE_KEY_FILE",
    ],
  ])("%s", (_, env, code, words) => {
    const found = problem(env);
    expect(found.code).toBe(code);
    expect(found.exitCode).toBe(4);
    expect(found.message).toContain(words);
    expect(found.message).not.toContain("s3cret");
    expect(found.message).not.toContain("MII");
  });
});

test("the secrets are listed under both spellings, for whoever scrubs", () => {
  expect(secretVariables).toContain("FORGEHAND_PRIVATE_KEY");
  expect(secretVariables).toContain("FORGEHAND_WEBHOOK_SECRET_PREVIOUS_FILE");
  expect(secretVariables).not.toContain("FORGEHAND_PORT");
});
