import type { OwnTool, ToolName, WorkOrder } from "../../../ports-agents.ts";
import { editTool, listTool, readTool, writeTool } from "./file-tools.ts";
import type { ServerTool } from "./mcp-tools.ts";
import { runTool, searchTool, type Shop } from "./process-tools.ts";
import type { AgentTool } from "./tool.ts";
import type { Worktree } from "./worktree.ts";

/** What an order lets its agent do: what its access gives, less what its rules take away. */
export function toolsFor(
  order: Pick<WorkOrder, "access" | "tools">,
  tree: Worktree,
  shop: Shop,
  served: readonly ServerTool[],
): ReadonlyMap<string, AgentTool> {
  const own: readonly (readonly [OwnTool, AgentTool])[] = [
    ["read", readTool(tree)],
    ["read", listTool(tree)],
    ["search", searchTool(tree, shop)],
    ...(order.access === "write"
      ? ([
          ["edit", writeTool(tree)],
          ["edit", editTool(tree)],
          ["shell", runTool(shop)],
        ] as const)
      : []),
  ];
  const named: readonly (readonly [ToolName, AgentTool])[] = [
    ...own,
    ...served.map((tool) => [tool.rule, tool] as const),
  ];
  return new Map(named.filter(([rule]) => isGiven(rule, order.tools)).map(([, tool]) => [tool.name, tool]));
}

/** Whether rules leave a tool; those about a server are about all of its tools. */
function isGiven(name: ToolName, rules: WorkOrder["tools"]): boolean {
  const server = name.startsWith("mcp:") ? name.split("/", 1)[0] : undefined;
  const isAmong = (names: readonly ToolName[]): boolean =>
    names.some((one) => one === name || one === server);
  return !isAmong(rules?.deny ?? []) && (rules?.allow === undefined || isAmong(rules.allow));
}
