import { join } from "node:path";
import type { Environment } from "../config-environment.ts";
import { readServerBundles, type ServerBundles } from "../config-servers.ts";
import { operatorsFile } from "./operators-file.ts";

/** The bundles of MCP servers that the operator of this host offers. Throws a `Problem` for a file that is wrong. */
export function serverBundles(
  { mcp, dataDir }: Pick<Environment, "mcp" | "dataDir">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ServerBundles {
  const path = mcp ?? join(dataDir, "mcp.yml");
  return readServerBundles(path, operatorsFile(path, mcp, "servers-wrong"), env);
}
