import { existsSync, readdirSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// GitHub's published descriptions are too large for every install: `npm run test:published` fetches them.
const unfetched = existsSync(".published-descriptions/node_modules")
  ? []
  : ["test/simulator/published.test.ts"];

/** Tests that start many processes: most of the time goes into them. */
const heavy = [
  "test/plays",
  "test/security",
  "test/examples",
  "test/cli",
  "test/certificate",
  "test/adapters/agents",
  "test/adapters/git",
  "test/adapters/sandbox",
  "test/browser",
  "test/update",
];
/** Single files of that kind in other folders. */
const heavyFiles = ["test/contract/sandbox-ssh.test.ts", "test/engine/crash.test.ts"];

/**
 * `TEST_SHARE=1/4`: of the heavy tests every fourth file. CI has a quarter of an hour; it runs one share on one day,
 * another on the next, and `npm test` runs all.
 */
function withheldTests(): readonly string[] {
  const [nth = 1, of = 1] = (process.env["TEST_SHARE"] ?? "1/1").split("/").map(Number);
  const filesIn = (folder: string): readonly string[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".test.ts"))
      .toSorted()
      .map((name) => `${folder}/${name}`);
  return [...heavy.map(filesIn), heavyFiles].flatMap((files) =>
    files.filter((_, index) => index % of !== nth - 1),
  );
}

/** The long ones first: begun last, the crash test alone would keep one core busy for minutes after all others. */
const long = [
  "test/state-machine/exhaustive.test.ts",
  "test/plays/interleavings.test.ts",
  "test/plays/stacked.test.ts",
  "test/crash/crash.test.ts",
  "test/crash/linear.test.ts",
  "test/engine/kill-rounds.test.ts",
  "test/plays/road.test.ts",
  "test/security/outliving-children.test.ts",
  "test/adapters/sandbox/ssh.test.ts",
  "test/contract/sandbox-ssh.test.ts",
];
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      (long.findIndex((name) => moduleId.endsWith(name)) + long.length + 1) % (long.length + 1);
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  resolve: { conditions: ["forgehand-source"] },
  ssr: { resolve: { conditions: ["forgehand-source", "node", "import", "default"] } },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.{ts,tsx}", "bootstrap/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/fixtures/repositories/**", ...unfetched, ...withheldTests()],
    // Hundreds of processes that tests start load the same modules.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "forgehand-compile-cache") },
    testTimeout: 240_000,
    hookTimeout: 120_000,
    pool: "forks",
    // Two even on two cores: many tests mostly wait for processes they started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
  },
});
