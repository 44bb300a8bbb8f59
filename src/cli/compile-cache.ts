import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Node keeps what it compiled, which saves a third of a command's start. In the user's own cache and not in the shared
 * /tmp, where another user could leave compiled code of his own. Where that folder cannot be made nothing is kept.
 */
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "forgehand"));
