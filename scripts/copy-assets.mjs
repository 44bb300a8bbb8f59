// Copies what tsc leaves behind: SQL migrations, personas, scripts that run as they are; and what an installation cannot read.
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { declarationsOfSdk } from "../dist/src/simulator/linear/sdk-declarations.js";

cpSync("src/store/migrations", "dist/src/store/migrations", { recursive: true });
cpSync("src/personas", "dist/src/personas", { recursive: true });
cpSync("src/web/assets", "dist/src/web/assets", { recursive: true });
const copyScripts = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) copyScripts(path);
    else if (/\.(mjs|json)$/.test(entry.name)) cpSync(path, join("dist", path));
  }
};
copyScripts("src");
writeFileSync("dist/src/simulator/linear/declarations.txt", declarationsOfSdk());
