/** The packages of the AI SDK are optional: nobody loads them who does not use them, and who misses one is told what to type. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  installCommand,
  isTested,
  loadPackage,
  PackageMissing,
  versionOf,
} from "../../../src/adapters/agents/ai-sdk/packages.ts";
import { openStand, work, type Stand } from "./stand.ts";

let stand: Stand;
let folder: string;
beforeEach(async () => {
  stand = await openStand();
  folder = mkdtempSync(join(tmpdir(), "ai-sdk-loading-"));
});
afterEach(async () => {
  await stand.close();
  rmSync(folder, { recursive: true, force: true });
});

const root = new URL("../../../", import.meta.url);
/** Runs a module in a process of its own in which none of these packages can be found; answers who asked for one. */
function without(source: string): { readonly asked: readonly string[]; readonly out: unknown } {
  writeFileSync(
    join(folder, "hooks.mjs"),
    `import { registerHooks } from "node:module";
globalThis.asked = [];
registerHooks({ resolve: (name, context, next) => {
  if (!/^(?:ai|@ai-sdk\\/[\\w-]+)$/.test(name)) return next(name, context);
  globalThis.asked.push(name);
  throw Object.assign(new Error("Cannot find package " + name), { code: "ERR_MODULE_NOT_FOUND" });
} });`,
  );
  writeFileSync(
    join(folder, "main.mjs"),
    `import { writeSync } from "node:fs";\n${source}\nwriteSync(1, JSON.stringify({ asked: globalThis.asked, out }));`,
  );
  const args = [
    "--conditions=forgehand-source",
    "--import",
    join(folder, "hooks.mjs"),
    join(folder, "main.mjs"),
  ];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" })) as ReturnType<
    typeof without
  >;
}

test("neither reading the program's agents nor making one loads a package; working does", () => {
  const { asked, out } = without(`
await import("${new URL("src/cli/agents.ts", root).href}");
const { aiSdk } = await import("${new URL("src/adapters/agents/ai-sdk/agent.ts", root).href}");
const { aiSdkEntry } = await import("${new URL("src/adapters/agents/ai-sdk/entry.ts", root).href}");
const entry = aiSdkEntry.parse({ protocol: "ai-sdk", provider: "anthropic", model: "claude-haiku-4-5", key: "K" });
const host = { home: "/tmp", searchPath: "/bin", tmp: "/tmp", own: { K: "k" } };
const clock = { now: () => 0, until: () => new Promise(() => {}) };
const agent = aiSdk({ name: "own", entry, host, stateDir: ${JSON.stringify(folder)}, clock });
const before = [...globalThis.asked];
const limits = { turnMs: 1000, stallMs: 1000, outputTokens: 1000, usd: 1 };
const order = { role: "build", prompt: "?", cwd: "/tmp", access: "read", runId: "r", limits };
let last;
for await (const said of agent.work(order, new AbortController().signal)) last = said;
const out = { before, last };`);
  expect(out).toMatchObject({
    before: [],
    last: {
      outcome: {
        how: "blocked",
        code: "runtime-absent",
        why: expect.stringMatching(
          /`@ai-sdk\/anthropic` is not installed.*npm install -g @ai-sdk\/anthropic@4/u,
        ),
      },
    },
  });
  expect(asked).toEqual(["@ai-sdk/anthropic"]);
});

test("a package that is there and broken is not called missing", async () => {
  await expect(loadPackage("ai")).resolves.toHaveProperty("streamText");
  const agent = stand.agent("openai", {
    load: async () => {
      throw new Error("unexpected end of input");
    },
  });
  const { outcome } = await work(agent, stand.order([{ say: "?" }]));
  expect(outcome).toMatchObject({ is: "failed", why: expect.stringContaining("unexpected end of input") });
});

test("probing tells the version, a missing key and what to type, and asks no model", async () => {
  expect(await stand.agent("anthropic").probe()).toEqual({
    found: true,
    version: await versionOf("ai"),
    why: undefined,
  });
  const host = { home: stand.at("home"), searchPath: "/bin", tmp: "/tmp", own: {} };
  const { why } = await stand.agent("anthropic", { host }).probe();
  expect(why).toBe("`own` is not logged in: set MODEL_KEY to a key of Anthropic where forgehand is started");
  expect(stand.model.calls).toHaveLength(0);
  expect(await versionOf("no-such-package" as "ai")).toBeUndefined();
  expect(isTested("ai", "7.9.1")).toBe(true);
  expect(isTested("ai", "6.0.0")).toBe(false);
  expect(installCommand("ai", "@ai-sdk/mcp")).toContain("npm install -g ai@7 @ai-sdk/mcp@2");
  expect(new PackageMissing("ai", { cause: undefined }).message).toContain("npm install -g ai@7");
});
