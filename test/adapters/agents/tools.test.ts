/** What rules about tools and servers come to for each runtime. */
import { describe, expect, test } from "vitest";
import { permittedTools } from "../../../src/adapters/agents/tools.ts";
import { claudeServers, claudeToolArguments } from "../../../src/adapters/agents/claude-tools.ts";
import { codexTools, inToml } from "../../../src/adapters/agents/codex-tools.ts";
import type { McpServer, ToolName, ToolRules, WorkOrder } from "../../../src/ports-agents.ts";

const docs: McpServer = {
  is: "process",
  name: "docs",
  command: "/opt/docs",
  args: ["--quiet", 'a "b"'],
  env: { DOCS_KEY: "secret-1" },
};
const wiki: McpServer = {
  is: "http",
  name: "wiki",
  url: "https://wiki.example/mcp",
  headers: { Authorization: "Bearer secret-2" },
};
const order = (
  access: WorkOrder["access"],
  tools?: ToolRules,
  mcp: readonly McpServer[] = [docs, wiki],
): WorkOrder => ({
  role: "build",
  prompt: "",
  cwd: "/tree",
  resume: undefined,
  access,
  schema: undefined,
  runId: "r",
  model: undefined,
  limits: { turnMs: 1, stallMs: 1, outputTokens: 1, usd: 1 },
  mcp,
  tools,
});
const listed = (args: readonly string[], flag: string): readonly string[] => {
  const from = args.indexOf(flag);
  const to = args.findIndex((arg, at) => at > from && arg.startsWith("--"));
  return from === -1 ? [] : args.slice(from + 1, to === -1 ? undefined : to);
};

describe("rules take away from what access gives", () => {
  const everything: readonly ToolName[] = ["read", "search", "edit", "shell", "delegate"];
  test.each<[string, WorkOrder["access"], ToolRules | undefined, readonly string[], readonly string[]]>([
    ["nothing said, writing", "write", undefined, everything, ["docs", "wiki"]],
    ["nothing said, looking", "read", undefined, ["read", "search"], ["docs", "wiki"]],
    ["an allowed shell opens none to who only looks", "read", { allow: everything }, ["read", "search"], []],
    ["only what is allowed", "write", { allow: ["read", "edit"] }, ["read", "edit"], []],
    ["a denial beats a leave", "write", { allow: ["read", "edit"], deny: ["edit"] }, ["read"], []],
    ["one server allowed", "write", { allow: ["read", "mcp:docs"] }, ["read"], ["docs"]],
    ["one server denied", "read", { deny: ["mcp:docs"] }, ["read", "search"], ["wiki"]],
    [
      "all that was allowed of a server denied",
      "read",
      { allow: ["mcp:docs/a"], deny: ["mcp:docs/a"] },
      [],
      [],
    ],
    ["a server nobody ordered", "read", { allow: ["mcp:mail", "read"] }, ["read"], []],
  ])("%s", (_, access, tools, own, servers) => {
    const permitted = permittedTools(order(access, tools));
    expect([...permitted.own]).toEqual(own);
    expect(permitted.servers.map(({ server }) => server.name)).toEqual(servers);
  });
});

describe("Claude Code", () => {
  test("calls the tools of its servers and no other server's", () => {
    const args = claudeToolArguments(order("read"));
    expect(listed(args, "--tools")).toEqual(["Read", "Grep", "Glob"]);
    expect(listed(args, "--allowedTools")).toEqual(["mcp__docs", "mcp__wiki"]);
    expect(listed(args, "--disallowedTools")).toEqual(expect.arrayContaining(["Bash", "Edit", "Write"]));
  });
  test("gets tool for tool what the rules leave", () => {
    const rules: ToolRules = {
      allow: ["read", "mcp:docs/find", "mcp:docs/drop", "mcp:wiki"],
      deny: ["mcp:docs/drop"],
    };
    const args = claudeToolArguments(order("write", rules));
    expect(listed(args, "--tools")).toEqual(["Read"]);
    expect(listed(args, "--allowedTools")).toEqual(["mcp__docs__find", "mcp__wiki"]);
    expect(listed(args, "--disallowedTools")).toEqual(["mcp__docs__drop"]);
  });
  test("is offered no tool at all where the rules leave none", () => {
    expect(claudeToolArguments(order("write", { allow: [] }))).toEqual(["--tools", ""]);
  });
  test("reads its servers from a file, which holds those and no more", () => {
    expect(JSON.parse(claudeServers(order("write", { deny: ["mcp:wiki"] })) ?? "")).toEqual({
      mcpServers: { docs: { type: "stdio", command: "/opt/docs", args: docs.args, env: docs.env } },
    });
    expect(claudeServers(order("write", { allow: ["read"] }))).toBeUndefined();
    expect(claudeServers(order("write", undefined, []))).toBeUndefined();
  });
});

describe("Codex", () => {
  const kept = (what: WorkOrder) => {
    const tools = codexTools(what);
    if ("is" in tools) throw new Error(tools.why);
    return tools;
  };
  test("starts its servers with their variables in the environment, and no secret in the settings", () => {
    const { settings, env } = kept(order("write", { deny: ["mcp:docs/drop"] }));
    expect(settings).toContain(
      'mcp_servers.docs={"command"="/opt/docs","args"=["--quiet","a \\"b\\""],"env_vars"=["DOCS_KEY"],"default_tools_approval_mode"="approve","disabled_tools"=["drop"]}',
    );
    expect(settings).toContain(
      'mcp_servers.wiki={"url"="https://wiki.example/mcp","env_http_headers"={"Authorization"="MCP_HEADER_WIKI_0"},"default_tools_approval_mode"="approve"}',
    );
    expect(env).toEqual({ DOCS_KEY: "secret-1", MCP_HEADER_WIKI_0: "Bearer secret-2" });
    expect(settings.join(" ")).not.toContain("secret");
  });
  test("only some tools of a server", () => {
    const { settings } = kept(order("read", { allow: ["read", "search", "mcp:docs/find"] }));
    expect(settings.filter((one) => one.startsWith("mcp_servers"))).toEqual([
      'mcp_servers.docs={"command"="/opt/docs","args"=["--quiet","a \\"b\\""],"env_vars"=["DOCS_KEY"],"default_tools_approval_mode"="approve","enabled_tools"=["find"]}',
    ]);
  });
  test("has no shell where the rules leave nothing, and nothing to write in", () => {
    const { sandbox, settings } = kept(order("write", { allow: [] }));
    expect(sandbox).toBe("read-only");
    expect(settings).toEqual(
      expect.arrayContaining(["features.shell_tool=false", "features.view_image=false"]),
    );
    expect(kept(order("read")).settings.join()).not.toContain("shell_tool");
  });
  test.each<[ToolRules | undefined, string]>([
    [undefined, "workspace-write"],
    [{ deny: ["delegate"] }, "workspace-write"],
    [{ deny: ["edit", "shell"] }, "read-only"],
    [{ allow: ["read", "search"] }, "read-only"],
  ])("writes under %j in a sandbox that is %s", (rules, sandbox) => {
    expect(kept(order("write", rules)).sandbox).toBe(sandbox);
  });
  test.each<[string, WorkOrder]>([
    ["`edit` and `shell` are one", order("write", { deny: ["shell"] })],
    ["`edit` and `shell` are one", order("write", { allow: ["read", "search", "shell"] })],
    ["cannot be kept from reading", order("read", { deny: ["search"] })],
    [
      "want DOCS_KEY",
      order("read", undefined, [docs, { ...docs, name: "more", env: { DOCS_KEY: "other" } }]),
    ],
  ])("refuses what it could keep only by half: %s", (why, what) => {
    const refused = codexTools(what);
    expect(refused).toMatchObject({ is: "failed", how: "blocked", code: "tools-unsupported" });
    expect("is" in refused && refused.why).toContain(why);
  });
  test("gives no server a variable of its own in place of the ordered one", () => {
    const refused = codexTools(order("write"), { DOCS_KEY: "the runtime's" });
    expect(refused).toMatchObject({ code: "tools-unsupported" });
    expect(codexTools(order("write"), { DOCS_KEY: "secret-1" })).not.toHaveProperty("code");
  });
  test("writes every value so that TOML reads it back", async () => {
    const { parse } = await import("smol-toml");
    const value = { text: 'a "b" \\ \n \u007F é', list: [1, true, "x"], "odd key": { deep: 1.5 } };
    expect(parse(`value=${inToml(value)}`)).toEqual({ value });
  });
});
