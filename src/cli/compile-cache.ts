// Whole, because an older Node lacks one of its names and would end with a syntax error before saying which it is.
import * as modules from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// Before 22.14 the database's binary, which asks for Node-API 10, would end the process without a word.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 14)) {
  process.stderr.write(
    `forgehand needs Node 22.14 or newer, and this is ${process.versions.node}: install a newer one, https://nodejs.org\n`,
  );
  process.exit(6);
}

/**
 * Node keeps what it compiled, which saves a third of a command's start. In the user's own cache and not in the shared
 * /tmp, where another user could leave compiled code of his own. Where that folder cannot be made nothing is kept.
 */
modules.enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "forgehand"));
