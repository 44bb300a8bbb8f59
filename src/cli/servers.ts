import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config-environment.ts";
import { readServerBundles, type ServerBundles } from "../config-servers.ts";
import { Problem } from "../problems.ts";

/** The bundles of MCP servers that the operator of this host offers. Throws a `Problem` for a file that is wrong. */
export function serverBundles(
  { mcp, dataDir }: Pick<Environment, "mcp" | "dataDir">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ServerBundles {
  const path = mcp ?? join(dataDir, "mcp.yml");
  let text: string | undefined;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
    // Nobody has to have one; but one that was named should be there.
    if (!isAbsent || mcp !== undefined)
      throw new Problem(
        "servers-wrong",
        { path, why: isAbsent ? "there is no such file." : "it cannot be read." },
        { cause: error },
      );
  }
  return readServerBundles(path, text, env);
}
