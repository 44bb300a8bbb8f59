// Copies what tsc leaves behind: SQL migrations and scripts that run as they are.
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";

cpSync("src/store/migrations", "dist/src/store/migrations", { recursive: true });
cpSync("src/personas", "dist/src/personas", { recursive: true });
const copyScripts = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) copyScripts(path);
    else if (/\.(mjs|json)$/.test(entry.name)) cpSync(path, join("dist", path));
  }
};
copyScripts("src");
