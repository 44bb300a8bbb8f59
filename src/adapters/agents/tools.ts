import type { McpServer, OwnTool, ToolName, WorkOrder } from "../../ports-agents.ts";

/** All that an access may ever give, whatever a list says. */
const given: Readonly<Record<WorkOrder["access"], readonly OwnTool[]>> = {
  read: ["read", "search"],
  write: ["read", "search", "edit", "shell", "delegate"],
};

/** The tools of one server that may be called; every one when `only` is left out. */
export interface OpenServer {
  readonly server: McpServer;
  readonly only: readonly string[] | undefined;
  readonly not: readonly string[];
}
/** What an order may use, in our words; each runtime has its own names for it. */
export interface Permitted {
  readonly own: ReadonlySet<OwnTool>;
  /** A server of which nothing may be called is not even started. */
  readonly servers: readonly OpenServer[];
}

/** What is left of the tools of this access, and of the order's servers, once the order's rules have taken theirs. */
export function permittedTools({ access, tools, mcp = [] }: ToolOrder): Permitted {
  const { allow, deny = [] } = tools ?? {};
  const may = (name: ToolName): boolean => (allow?.includes(name) ?? true) && !deny.includes(name);
  return {
    own: new Set(given[access].filter(may)),
    servers: mcp.flatMap((server) => {
      const all = `mcp:${server.name}` as const;
      const only = allow === undefined || allow.includes(all) ? undefined : within(allow, server);
      const not = within(deny, server);
      const left = only?.filter((tool) => !not.includes(tool));
      return deny.includes(all) || left?.length === 0 ? [] : [{ server, only: left, not }];
    }),
  };
}
type ToolOrder = Pick<WorkOrder, "access" | "tools" | "mcp">;

/** The tools of this server that a list names one by one. */
function within(list: readonly ToolName[], { name }: McpServer): readonly string[] {
  const prefix = `mcp:${name}/`;
  return list.flatMap((one) => (one.startsWith(prefix) ? [one.slice(prefix.length)] : []));
}
