import type { OwnTool, WorkOrder } from "../../ports-agents.ts";
import { permittedTools } from "./tools.ts";

const names: Readonly<Record<OwnTool, readonly string[]>> = {
  read: ["Read"],
  search: ["Grep", "Glob"],
  edit: ["Edit", "Write", "NotebookEdit"],
  shell: ["Bash"],
  delegate: ["Task"],
};
/** Named as forbidden too when an order only looks, so that no version of the runtime offers them by another way. */
const forbiddenWhenLooking = [
  ...names.edit,
  ...names.shell,
  "WebFetch",
  "WebSearch",
  ...names.delegate,
] as const;

/**
 * The flags that name tools. Looking only, there is no shell and nothing to write with; none of the looking tools is
 * allowed by name, for that would open the whole host to it: unnamed, they work inside the worktree alone, links
 * followed. Edits inside the worktree need no leave either. A shell does, and nothing fences it in but an environment
 * without secrets and a host that alone may push. No server's tool is called without leave.
 */
export function claudeToolArguments(order: WorkOrder): readonly string[] {
  const { own, servers } = permittedTools(order);
  const offered = [...own].flatMap((tool) => names[tool]);
  const allowed = [
    ...(own.has("shell") ? names.shell : []),
    ...servers.flatMap(({ server, only }) =>
      only === undefined ? [`mcp__${server.name}`] : only.map((tool) => `mcp__${server.name}__${tool}`),
    ),
  ];
  const forbidden = [
    ...(order.access === "read" ? forbiddenWhenLooking : []),
    ...servers.flatMap(({ server, not }) => not.map((tool) => `mcp__${server.name}__${tool}`)),
  ];
  return [
    // An empty name stands for no tool at all.
    "--tools",
    ...(offered.length === 0 ? [""] : offered),
    ...(allowed.length === 0 ? [] : ["--allowedTools", ...allowed]),
    ...(forbidden.length === 0 ? [] : ["--disallowedTools", ...forbidden]),
  ];
}

/** What `--mcp-config` reads; undefined when the order has no server. It may hold secrets: never an argument. */
export function claudeServers(order: WorkOrder): string | undefined {
  const { servers } = permittedTools(order);
  if (servers.length === 0) return undefined;
  const mcpServers = Object.fromEntries(
    servers.map(({ server }) => [
      server.name,
      server.is === "process"
        ? { type: "stdio", command: server.command, args: server.args, env: server.env }
        : { type: "http", url: server.url, headers: server.headers },
    ]),
  );
  return JSON.stringify({ mcpServers });
}
