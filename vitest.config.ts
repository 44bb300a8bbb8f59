import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["forgehand-source"] },
  ssr: { resolve: { conditions: ["forgehand-source", "node", "import", "default"] } },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.{ts,tsx}", "bootstrap/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: "forks",
  },
});
