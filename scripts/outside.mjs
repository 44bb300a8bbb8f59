/**
 * What the build leaves to the installation: a library with a binary, the loader of workflow files, which brings files of
 * its own, what browsers are handed as it is, and what only some agents need. Everything else is bound into `dist/cli` and
 * is a development dependency.
 */
export const outside = [
  "better-sqlite3",
  "jiti",
  "htmx.org",
  "uplot",
  "@napi-rs/keyring",
  "ai",
  "@ai-sdk/anthropic",
  "@ai-sdk/google",
  "@ai-sdk/mcp",
  "@ai-sdk/openai",
  "@ai-sdk/openai-compatible",
];
