import { existsSync } from "node:fs";
import { configDefaults, defineConfig } from "vitest/config";

// GitHub's published descriptions are too large for every install: `npm run test:published` fetches them.
const unfetched = existsSync(".published-descriptions/node_modules")
  ? []
  : ["test/simulator/published.test.ts"];

export default defineConfig({
  resolve: { conditions: ["forgehand-source"] },
  ssr: { resolve: { conditions: ["forgehand-source", "node", "import", "default"] } },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.{ts,tsx}", "bootstrap/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...unfetched],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
