// The manual page is what the built command line says of itself.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";

mkdirSync("dist/man", { recursive: true });
writeFileSync("dist/man/forgehand.1", execFileSync(process.execPath, ["dist/cli/forgehand.js", "man"]));
