#!/usr/bin/env node
// First and alone, so that all that is loaded below comes from the cache.
import "./cli/compile-cache.ts";

const { start } = await import("./cli/start.ts");
await start();
