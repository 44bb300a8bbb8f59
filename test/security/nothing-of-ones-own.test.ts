/** Servers, hooks, keys and instructions that an operator keeps for themselves never reach an agent. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claudeCode } from "../../src/adapters/agents/claude-code.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { codex } from "../../src/adapters/agents/codex.ts";
import type { McpServer, WorkOrder } from "../../src/ports-agents.ts";
import { orderIn, work } from "../adapters/agents/turns.ts";

const program = fileURLToPath(new URL("../adapters/agents/fake-runtime.mjs", import.meta.url));
const servers: readonly McpServer[] = [
  { is: "process", name: "docs", command: "/opt/docs", args: [], env: { DOCS_KEY: "ordered-secret" } },
];
let folder: string;
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-"));
  for (const name of ["tree", "home/.claude", "state", "home/.codex"])
    mkdirSync(at(name), { recursive: true });
  // It keeps a copy of the file of servers, which is gone once it ends.
  writeFileSync(
    at("fake"),
    `#!/bin/sh\nfor a in "$@"; do [ -f "$a" ] && cat "$a" > "${at("servers-seen")}"; done\nexec "${process.execPath}" "${program}" "$@"\n`,
  );
  chmodSync(at("fake"), 0o755);
  writeFileSync(at("part.json"), JSON.stringify({ lines: [], notes: at("notes"), exit: 1 }));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Noted {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
async function play(name: "claude-code" | "codex", change: Partial<WorkOrder> = {}) {
  const host = {
    home: at("home"),
    searchPath: "/usr/bin:/bin",
    tmp: tmpdir(),
    own: { FAKE: at("part.json") },
  };
  const common = { binary: at("fake"), host, stateDir: at("state"), clock: systemClock() };
  const agent = name === "codex" ? codex({ ...common, codexHome: at("home/.codex") }) : claudeCode(common);
  const { says } = await work(agent, orderIn(at("tree"), { runId: "own-1", ...change }));
  const noted = existsSync(at("notes"))
    ? (JSON.parse(readFileSync(at("notes"), "utf8").split("\n")[0] ?? "") as Noted)
    : undefined;
  return { says, noted };
}
const configToml = `
model = "gpt-5.5"
model_provider = "house"
approval_policy = "never"
sandbox_mode = "danger-full-access"
notify = ["/home/me/tell-me"]
[model_providers.house]
name = "House"
base_url = "https://models.example/v1"
experimental_bearer_token = "house-token"
http_headers = { "X-Team" = "house-header" }
[model_providers.private]
base_url = "https://private.example"
[mcp_servers.mine]
command = "/home/me/my-server"
env = { MINE = "my-secret" }
[shell_environment_policy]
inherit = "all"
`;

test.each([undefined, "s-1"])(
  "Claude Code reads no settings, and of servers those of the order (resume %s)",
  async (resume) => {
    writeFileSync(
      at("home/.claude.json"),
      JSON.stringify({ mcpServers: { mine: { command: "/home/me/my-server" } } }),
    );
    writeFileSync(
      at("home/.claude/settings.json"),
      JSON.stringify({ hooks: {}, env: { MINE: "my-secret" } }),
    );
    writeFileSync(at("tree/.mcp.json"), JSON.stringify({ mcpServers: { theirs: { command: "/evil" } } }));
    const { noted } = await play("claude-code", { mcp: servers, resume });
    const { args = [], env = {} } = noted ?? {};
    expect(args).toContain("--strict-mcp-config");
    expect(args[args.indexOf("--setting-sources") + 1]).toBe("");
    expect(Object.keys(JSON.parse(readFileSync(at("servers-seen"), "utf8")).mcpServers)).toEqual(["docs"]);
    expect(`${args.join(" ")} ${JSON.stringify(env)}`).not.toMatch(
      /my-server|my-secret|evil|ordered-secret/u,
    );
  },
);

test("the file of servers is nobody else's to read, and is gone afterwards", async () => {
  writeFileSync(
    at("fake"),
    `#!/bin/sh\nfor a in "$@"; do case "$a" in */servers.json) stat -c %a "$a" "$(dirname "$a")" > "${at("modes")}";; esac; done\nexit 1\n`,
  );
  // Left by a process that was killed; another's that still runs.
  const { pid: dead } = spawnSync("true");
  for (const pid of [dead, process.ppid]) mkdirSync(at(`state/servers-${pid}-x`));
  await play("claude-code", { mcp: servers });
  expect(readFileSync(at("modes"), "utf8").trim().split("\n")).toEqual(["600", "700"]);
  expect(readdirSync(at("state")).filter((name) => name.startsWith("servers"))).toEqual([
    `servers-${process.ppid}-x`,
  ]);
});

test.each([undefined, "t-1"])(
  "Codex leaves its operator's config alone, but for the way to the model (resume %s)",
  async (resume) => {
    writeFileSync(at("home/.codex/config.toml"), configToml);
    const { noted } = await play("codex", { mcp: servers, resume });
    const { args = [], env = {} } = noted ?? {};
    const said = args.join("\n");
    expect(args).toContain("--ignore-user-config");
    expect(said).toContain('model_provider="house"');
    expect(said).toContain('"base_url"="https://models.example/v1"');
    expect(said).toContain('mcp_servers.docs={"command"="/opt/docs"');
    expect(said).not.toMatch(/mine|my-server|tell-me|danger|private\.example|inherit="all"/u);
    // Others of this host may read a command line; an environment they may not.
    expect(said).not.toMatch(/house-token|house-header|ordered-secret/u);
    expect(env).toMatchObject({
      CODEX_PROVIDER_TOKEN: "house-token",
      CODEX_PROVIDER_HEADER_0: "house-header",
      DOCS_KEY: "ordered-secret",
    });
    expect(said).toContain('"env_http_headers"={"X-Team"="CODEX_PROVIDER_HEADER_0"}');
  },
);

test("a config of Codex that is no TOML is told with its place, and nothing is run", async () => {
  writeFileSync(at("home/.codex/config.toml"), 'model = "gpt-5.5"\nmodel_provider = house\n');
  const { says, noted } = await play("codex");
  expect(noted).toBeUndefined();
  expect(says).toEqual([
    {
      type: "result",
      outcome: expect.objectContaining({
        how: "blocked",
        code: "runtime-misconfigured",
        why: expect.stringContaining(at("home/.codex/config.toml")) as string,
      }) as unknown,
    },
  ]);
});
