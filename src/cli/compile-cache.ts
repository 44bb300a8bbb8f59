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
 * Asked for and not imported: an older Node, which would end with a syntax error over a name it lacks, has said so above;
 * and an import loads what stands behind every name.
 */
const { enableCompileCache } = process.getBuiltinModule("node:module");
const { homedir } = process.getBuiltinModule("node:os");
const { join } = process.getBuiltinModule("node:path");
enableCompileCache(join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "forgehand"));

export {};
