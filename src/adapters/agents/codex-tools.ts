import type { AgentOutcome, McpServer, WorkOrder } from "../../ports-agents.ts";
import { permittedTools, type OpenServer } from "./tools.ts";
import { failed } from "./failure.ts";

/** As Codex names how it keeps itself in; the last leaves that to whoever started it. */
export type CodexSandbox = "workspace-write" | "read-only" | "danger-full-access";

/** What an order's tools and servers come to for Codex. */
export interface CodexTools {
  readonly sandbox: "workspace-write" | "read-only";
  /** `key=value` for `-c`: nothing secret, since others of this host may read a command line. */
  readonly settings: readonly string[];
  /** What the servers need, under the names that the settings mention. */
  readonly env: Readonly<Record<string, string>>;
}

/** Off whatever the order says: what looks outside the worktree, or comes from the operator's own account and home. */
const never = [
  'web_search="disabled"',
  "features.apps=false",
  "features.plugins=false",
  "features.hooks=false",
  "skills.include_instructions=false",
] as const;

/** An order that may use nothing: what is left to it is a tool for patches, which writes nothing in a sandbox to read in. */
const nothing = ["features.shell_tool=false", "features.view_image=false", "features.goals=false"] as const;

/**
 * Codex looks, edits and runs by one shell in a sandbox: it may write there or not. A rule that it cannot keep is
 * refused, because to keep it half would be to say yes to what was forbidden.
 */
export function codexTools(
  order: WorkOrder,
  /** What its own environment says already. */
  taken: Readonly<Record<string, string>> = {},
): CodexTools | Extract<AgentOutcome, { is: "failed" }> {
  const { own, servers } = permittedTools(order);
  if (own.size > 0 && (!own.has("read") || !own.has("search")))
    return refused("it cannot be kept from reading and searching the worktree");
  if (own.has("edit") !== own.has("shell"))
    return refused("`edit` and `shell` are one to it: allow both, or neither");
  const env: Record<string, string> = {};
  const clashes = servers.flatMap(({ server }) =>
    Object.entries(envOf(server)).flatMap(([name, value]) => {
      const other = env[name] ?? taken[name];
      if (other !== undefined && other !== value) return [name];
      env[name] = value;
      return [];
    }),
  );
  if (clashes.length > 0)
    return refused(`its servers want ${clashes.join(", ")} with another value than one of them or it has`);
  return {
    sandbox: own.has("shell") ? "workspace-write" : "read-only",
    settings: [
      ...never,
      ...(own.size === 0 ? nothing : []),
      ...(own.has("delegate") ? [] : ["features.multi_agent=false"]),
      ...servers.map((open) => `mcp_servers.${open.server.name}=${serverTable(open)}`),
    ],
    env,
  };
}

const refused = (why: string): Extract<AgentOutcome, { is: "failed" }> =>
  failed(
    "blocked",
    "tools-unsupported",
    `Codex cannot keep the tools to what was asked: ${why}. Change \`runtime.tools\`, or choose another runtime`,
  );

/** A server's own variables under their names, its headers under names of ours. */
const envOf = (server: McpServer): Readonly<Record<string, string>> =>
  server.is === "process"
    ? server.env
    : Object.fromEntries(
        Object.values(server.headers).map((value, index) => [headerVariable(server.name, index), value]),
      );
const headerVariable = (server: string, index: number): string =>
  `MCP_HEADER_${server.toUpperCase().replaceAll("-", "_")}_${index}`;

function serverTable({ server, only, not }: OpenServer): string {
  const rules = {
    // There is nobody to ask; what may be called has been said already.
    default_tools_approval_mode: "approve",
    ...(only === undefined ? {} : { enabled_tools: only }),
    ...(not.length === 0 ? {} : { disabled_tools: not }),
  };
  if (server.is === "process")
    return inToml({
      command: server.command,
      args: server.args,
      env_vars: Object.keys(server.env),
      ...rules,
    });
  const headers = Object.keys(server.headers).map(
    (name, index) => [name, headerVariable(server.name, index)] as const,
  );
  return inToml({ url: server.url, env_http_headers: Object.fromEntries(headers), ...rules });
}

/** A value as TOML writes it on one line. */
export function inToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inToml).join(",")}]`;
  if (typeof value === "object" && value !== null && !(value instanceof Date))
    return `{${Object.entries(value)
      .map(([key, inner]) => `${inToml(key)}=${inToml(inner)}`)
      .join(",")}}`;
  // A string of JSON is one of TOML, but for one character that JSON lets stand.
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007F", String.raw`\u007F`);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")
    return String(value);
  if (value instanceof Date) return value.toISOString();
  throw new TypeError(`TOML has no word for ${String(value)}`);
}
