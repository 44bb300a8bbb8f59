import type { AgentOutcome, McpServer, WorkOrder } from "../ports.ts";
import { failed } from "./agent-failure.ts";
import { permittedTools } from "./agent-tools.ts";

/**
 * The order as the protocol can keep its rules about tools: it knows who may write and who only looks, and whole servers
 * for those who write. What it could keep only by half is refused.
 */
export function acpOrder(
  order: WorkOrder,
  title: string,
): WorkOrder | Extract<AgentOutcome, { is: "failed" }> {
  const { own, servers } = permittedTools(order);
  const all = permittedTools({ access: order.access }).own;
  const looking = permittedTools({ access: "read" }).own;
  const refused = (why: string) =>
    failed(
      "blocked",
      "tools-unsupported",
      `${title} cannot keep the tools to what was asked: ${why}. Change \`runtime.tools\` or \`runtime.mcp\`, or choose another runtime`,
    );
  const access = own.size === all.size ? order.access : "read";
  if (own.size !== all.size && (own.size !== looking.size || [...looking].some((tool) => !own.has(tool))))
    return refused("it may either look and write with all its tools, or only look");
  if (servers.some(({ only, not }) => only !== undefined || not.length > 0))
    return refused("of a server it gets every tool or none");
  if (servers.length > 0 && access === "read")
    return refused("whoever only looks is given leave for no server's tools");
  return { ...order, access, mcp: servers.map(({ server }) => server), tools: undefined };
}

/** The servers of an order as the protocol spells them; what is secret in them goes over the agent's own input. */
export const acpServers = ({ mcp = [] }: WorkOrder) =>
  mcp.map((server: McpServer) =>
    server.is === "process"
      ? { name: server.name, command: server.command, args: server.args, env: pairs(server.env) }
      : { type: "http", name: server.name, url: server.url, headers: pairs(server.headers) },
  );
const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([name, value]) => ({ name, value }));
