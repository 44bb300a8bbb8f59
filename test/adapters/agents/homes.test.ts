/** pi and the agents of the agents file in homes of their own: what of the operator's is in them, and what is left of it. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { acpProtocol } from "../../../src/adapters/agents/acp/entry.ts";
import { readAgentsFile, type AgentGround } from "../../../src/adapters/agents/agents-file.ts";
import { piProtocol } from "../../../src/adapters/agents/cli-entries.ts";
import { systemClock } from "../../../src/adapters/clock.ts";
import { localSandbox } from "../../../src/adapters/sandboxes/local.ts";
import type { SandboxName } from "../../../src/adapters/sandboxes/sandbox.ts";
import type { Agent, WorkOrder } from "../../../src/ports-agents.ts";
import { readSample } from "./samples.ts";
import { orderIn, sessionIn, work as turn } from "./turns.ts";

const program = fileURLToPath(new URL("../../fixtures/acp-agent.mjs", import.meta.url));
const outside = "honey of the operator";
let folder: string;
const at = (...path: readonly string[]): string => join(folder, ...path);
const put = (path: string, text: string | object): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), typeof text === "string" ? text : JSON.stringify(text));
};
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "homes-")));
  for (const path of ["tree", "operator", "state"]) mkdirSync(at(path));
  for (const path of [".ssh/id_rsa", ".git-credentials", ".config/gh/hosts.yml", ".claude/settings.json"])
    put(`operator/${path}`, outside);
  const availableModes = ["default", "acceptEdits", "read-only", "workspace-write", "agent-full-access"].map(
    (id) => ({
      id,
      name: id,
    }),
  );
  put("part.json", {
    notes: at("notes"),
    session: { modes: { availableModes, currentModeId: "default" } },
    steps: [{ say: "done" }],
    answer: { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } },
  });
  put("notes", "");
  put("pi-said", `${readSample("pi-edit").lines.join("\n")}\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An entry of the agents file whose program lists its home into the worktree, runs the script, and then plays its part. */
function agentOf(entry: object, script = "true", within: SandboxName = "local"): Agent {
  const isPi = "protocol" in entry && entry.protocol === "pi";
  const rest = isPi
    ? `cat > /dev/null; cat ${at("pi-said")}`
    : `FAKE_ACP=${at("part.json")} exec ${process.execPath} ${program}`;
  const list = `(cd "$HOME" && find -L . -type f | sort | while read -r file; do echo "$(stat -L -c %a "$file") $file"; cat "$file"; echo; done)`;
  put(
    "agent",
    `#!/bin/sh\nif [ "$1" = --version ]; then echo 0.73.1; exit; fi\necho "$HOME" > ${at("home")}\nenv > ${at("env")}\n${list} > ${at("found")} 2> /dev/null\n${script}\n${rest}\n`,
  );
  chmodSync(at("agent"), 0o755);
  const ground: AgentGround = {
    host: () => ({
      home: at("operator"),
      searchPath: "/usr/bin:/bin",
      tmp: tmpdir(),
      own: {},
    }),
    quartersOf: () => ({
      sandbox: { ...localSandbox(), name: within },
      network: "open",
      limits: {},
      root: at("lodgings"),
    }),
    stateDir: at("state"),
    clock: systemClock(),
  };
  const command = isPi ? at("agent") : [at("agent"), "--acp"];
  const { agents, faults } = readAgentsFile(JSON.stringify({ house: { ...entry, command } }), {
    acp: acpProtocol,
    pi: piProtocol,
  });
  const agent = agents.get("house")?.(ground);
  if (agent === undefined) throw new Error(faults.map(({ message }) => message).join());
  return agent;
}
const work = (agent: Agent, change: Partial<WorkOrder> = {}) => turn(agent, orderIn(at("tree"), change));
const found = (): string => readFileSync(at("found"), "utf8");
const paths = (): readonly string[] => found().match(/^\d{3} \.\/.*$/gmu) ?? [];
const below = (path: string): readonly string[] =>
  existsSync(at(path)) ? readdirSync(at(path), { recursive: true, encoding: "utf8" }) : [];

const tokens = { access_token: "short", refresh_token: "honey", expiry_date: 1 };
const cases: readonly (readonly [
  name: string,
  entry: object,
  operators: Readonly<Record<string, string | object>>,
  finds: readonly string[],
  keeps: readonly string[],
])[] = [
  [
    "pi",
    { protocol: "pi" },
    {
      ".pi/agent/auth.json": {
        anthropic: { type: "oauth", access: "short", refresh: "honey", expires: 1 },
        openai: { type: "api_key", key: "sk-own" },
      },
      ".pi/agent/models.json": { providers: { local: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "own" } } },
      ".pi/agent/settings.json": {
        defaultModel: "gpt-5.5",
        defaultProvider: "openai",
        packages: ["honey"],
        extensions: ["honey"],
      },
      ".pi/agent/AGENTS.md": "honey",
      ".pi/agent/sessions/x/old.jsonl": "honey",
    },
    ["400 ./.pi/agent/auth.json", "400 ./.pi/agent/models.json", "600 ./.pi/agent/settings.json"],
    ["short", "sk-own", "http://127.0.0.1:1/v1", "gpt-5.5"],
  ],
  [
    "opencode",
    { use: "opencode" },
    {
      ".local/share/opencode/auth.json": {
        anthropic: { type: "oauth", access: "short", refresh: "honey", expires: 1 },
        "github-copilot": { type: "oauth", access: "same", refresh: "same", expires: 0 },
      },
      ".local/share/opencode/storage/session/old.json": "honey",
      ".config/opencode/opencode.jsonc": `{ // mine\n "model": "local/m", /* honey */ "provider": { "local": { "npm": "p" }, }, "mcp": { "x": "honey" }, "plugin": ["honey"] }`,
      ".config/opencode/AGENTS.md": "honey",
    },
    ["600 ./.config/opencode/opencode.jsonc", "400 ./.local/share/opencode/auth.json"],
    ["short", '"refresh":"same"', `"provider":{"local":{"npm":"p"}}`],
  ],
  [
    "copilot",
    { use: "copilot" },
    {
      ".copilot/config.json": `// managed\n{"copilot_tokens":{"https://github.com:bob":"own"},"last_logged_in_user":{"login":"bob"},"trusted_folders":["honey"]}`,
      ".copilot/mcp-config.json": "honey",
    },
    ["600 ./.copilot/config.json"],
    [`{"copilot_tokens":{"https://github.com:bob":"own"},"last_logged_in_user":{"login":"bob"}}`],
  ],
  [
    "gemini",
    { use: "gemini" },
    {
      ".gemini/oauth_creds.json": tokens,
      ".gemini/google_accounts.json": { active: "bob@example.org" },
      ".gemini/settings.json": {
        security: { auth: { selectedType: "oauth-personal" } },
        mcpServers: { x: "honey" },
        hooks: "honey",
      },
      ".gemini/.env": "GEMINI_API_KEY=own\nGITHUB_TOKEN=honey\n# honey\n",
      ".gemini/GEMINI.md": "honey",
      ".gemini/extensions/x/gemini-extension.json": "honey",
    },
    [
      "400 ./.gemini/.env",
      "400 ./.gemini/google_accounts.json",
      "400 ./.gemini/oauth_creds.json",
      "600 ./.gemini/settings.json",
    ],
    ["short", "bob@example.org", "GEMINI_API_KEY=own", '"oauth-personal"'],
  ],
  [
    "qwen",
    { use: "qwen" },
    {
      ".qwen/oauth_creds.json": tokens,
      ".qwen/settings.json": {
        security: { auth: { selectedType: "openai" } },
        env: { OPENAI_API_KEY: "own", GH_TOKEN: "honey" },
        mcpServers: { x: "honey" },
      },
    },
    ["400 ./.qwen/oauth_creds.json", "600 ./.qwen/settings.json"],
    ["short", '"env":{"OPENAI_API_KEY":"own"}'],
  ],
  [
    "claude-agent-acp",
    { use: "claude-agent-acp" },
    {
      ".claude/.credentials.json": { claudeAiOauth: { accessToken: "short", refreshToken: "honey" } },
      ".claude/CLAUDE.md": "honey",
    },
    ["600 ./.claude.json", "400 ./.claude/.credentials.json"],
    ["short"],
  ],
  [
    "codex-acp",
    { use: "codex-acp" },
    {
      ".codex/auth.json": { OPENAI_API_KEY: null, tokens: { access_token: "short", refresh_token: "honey" } },
      ".codex/config.toml": `model = "gpt-5.5"\nnotify = ["honey"]\n[mcp_servers.x]\ncommand = "honey"\n`,
    },
    ["400 ./.codex/auth.json", "600 ./.codex/config.toml"],
    ["short", 'model="gpt-5.5"'],
  ],
  [
    "an agent nobody knows",
    { protocol: "acp", logins: [".house/auth.json", ".house/./key"] },
    { ".house/auth.json": "own login", ".house/key": "own key", ".house/settings.json": "honey" },
    ["400 ./.house/auth.json", "400 ./.house/key"],
    ["own login", "own key"],
  ],
];

describe.each(cases)("%s", (name, entry, operators, finds, keeps) => {
  const put1 = (): void => {
    for (const [path, text] of Object.entries(operators)) put(`operator/${path}`, text);
  };

  test("its home is its own and holds its login, the way to its models, and nothing else of the operator's", async () => {
    put1();
    const { outcome } = await work(agentOf(entry));
    expect(outcome).toEqual(expect.objectContaining({ is: "done" }));
    expect(paths().toSorted()).toEqual([...finds].toSorted());
    for (const text of keeps) expect(found()).toContain(text);
    expect(found()).not.toContain("honey");
    const home = readFileSync(at("home"), "utf8").trim();
    expect(home.startsWith(at("lodgings"))).toBe(true);
    for (const [path, text] of Object.entries(operators))
      expect(readFileSync(at("operator", path), "utf8")).toBe(
        typeof text === "string" ? text : JSON.stringify(text),
      );
  });

  test("no copy outlives the run", async () => {
    put1();
    await work(agentOf(entry));
    for (const path of below("lodgings")) {
      const file = at("lodgings", path);
      if (!existsSync(file) || !lstatSync(file).isFile()) continue;
      for (const text of keeps) expect(readFileSync(file, "utf8")).not.toContain(text);
    }
    expect(below("lodgings").filter((path) => path.includes("run-"))).toEqual([]);
  });

  test("whether it is logged in is asked in such a home, and nothing is left of it", async () => {
    put1();
    expect(await agentOf(entry).probe()).toMatchObject({ found: true, why: undefined });
    if (name === "pi") return;
    expect(paths().toSorted()).toEqual([...finds].toSorted());
    expect(readFileSync(at("home"), "utf8")).toContain("/lodgings/");
    expect(below("lodgings").filter((path) => !/^house(?:\/by-session)?$/u.test(path))).toEqual([]);
  });
});

const house = { protocol: "acp", logins: [".house/auth.json"] };

test("what such an agent keeps is there when its session goes on, with the operator's login of today, and nowhere else", async () => {
  put("operator/.house/auth.json", "of yesterday");
  const agent = agentOf(house, `echo mine > "$HOME/.house/session"`);
  const session = sessionIn((await work(agent)).says);
  put("operator/.house/auth.json", "of today");
  await work(agent, { resume: session });
  expect(found()).toContain("of today");
  expect(found()).not.toContain("of yesterday");
  expect(paths()).toContain("644 ./.house/session");
  await work(agent);
  expect(found()).not.toContain("mine");
});

test.each([
  ["a folder on the way to its login", `rm -rf "$HOME/.house"; ln -s VICTIM "$HOME/.house"`],
  ["its login", `rm -f "$HOME/.house/auth.json"; ln -s VICTIM/auth.json "$HOME/.house/auth.json"`],
  ["its whole home", `cd /; rm -rf "$HOME"; ln -s VICTIM "$HOME"`],
])("a home in which %s leads elsewhere is put right, and nothing is written there", async (_, script) => {
  put("operator/.house/auth.json", "own");
  put("victim/auth.json", "untouched");
  const { says } = await work(agentOf(house, script.replaceAll("VICTIM", at("victim"))));
  const session = sessionIn(says);
  const { outcome } = await work(agentOf(house), { resume: session });
  expect(outcome.is).toBe("done");
  expect(paths()).toEqual(["400 ./.house/auth.json"]);
  expect(below("victim")).toEqual(["auth.json"]);
  expect(readFileSync(at("victim/auth.json"), "utf8")).toBe("untouched");
});

test.each([
  ["leads out of the home", () => symlinkSync(at("secret"), at("operator/.house/auth.json"))],
  [
    "leads to a file that no agent is given",
    () => symlinkSync("../.ssh/id_rsa", at("operator/.house/auth.json")),
  ],
  ["is no file", () => mkdirSync(at("operator/.house/auth.json"))],
  ["is no file", () => execFileSync("/bin/sh", ["-c", `mkfifo ${at("operator/.house/auth.json")}`])],
  ["is larger than 1024 KiB", () => put("operator/.house/auth.json", "x".repeat(1024 * 1024 + 1))],
])("a login that %s blocks with its path, and nothing runs", async (why, make) => {
  put("secret", "honey");
  mkdirSync(at("operator/.house"));
  make();
  const { outcome } = await work(agentOf(house));
  expect(outcome).toMatchObject({ is: "failed", how: "blocked", code: "login-unusable" });
  expect(outcome).toHaveProperty("why", expect.stringContaining(`\`.house/auth.json\` ${why}`));
  expect(await agentOf(house).probe()).toMatchObject({
    problem: "unusable",
    why: expect.stringContaining(why),
  });
  expect(existsSync(at("found"))).toBe(false);
});

test.each([
  "/etc/passwd",
  "../other/auth.json",
  ".house/../../x",
  "~/.house/auth.json",
  ".",
  ".house/",
  ".ssh/id_ed25519",
  ".house/../.git-credentials",
  ".config/gh/hosts.yml",
  ".npmrc",
])("the agents file may not name %s as a login", (path) => {
  const { faults } = readAgentsFile(
    JSON.stringify({ a: { command: ["x"], protocol: "acp", logins: [path] } }),
    {
      acp: acpProtocol,
    },
  );
  expect(faults.map(({ message }) => message).join()).toMatch(/a\.logins\.0/u);
});

test("one that is not there is no trouble of the place: the agent itself says that it is not logged in", async () => {
  expect((await work(agentOf(house))).outcome.is).toBe("done");
  expect(paths()).toEqual([]);
});

test.each<[SandboxName, WorkOrder["access"], WorkOrder["tools"], string]>([
  ["local", "write", undefined, "workspace-write"],
  ["local", "read", undefined, "read-only"],
  ["ssh", "write", undefined, "workspace-write"],
  ["bubblewrap", "write", undefined, "agent-full-access"],
  ["bubblewrap", "read", undefined, "agent-full-access"],
  // The place lets it write and the order does not: it keeps asking for leave.
  ["bubblewrap", "write", { deny: ["edit", "shell"] }, "read-only"],
])("codex-acp in %s with access to %s under %j works in its mode %s", async (within, access, tools, mode) => {
  await work(agentOf({ use: "codex-acp" }, "true", within), { access, tools });
  expect(readFileSync(at("notes"), "utf8")).toContain(`"modeId":"${mode}"`);
});
