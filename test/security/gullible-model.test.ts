/**
 * A model that does whatever it is told, in an agent of the agents file: forgehand calls it itself, and what it runs is
 * run where the operator said that agents run.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { bubblewrapSandbox } from "../../src/adapters/sandboxes/bubblewrap.ts";
import { runtimeAgents } from "../../src/cli/agents.ts";
import { readEnvironment } from "../../src/config-environment.ts";
import { startModelServer, type ModelServer } from "../../src/simulator/model/server.ts";
import { orderIn, work } from "../adapters/agents/turns.ts";

const searchPath = process.env["PATH"] ?? "/usr/bin:/bin";
const { found, why } = await bubblewrapSandbox({
  binary: "bwrap",
  searchPath,
  secret: [],
  read: [],
}).probe();

let model: ModelServer;
let folder: string;
const at = (...names: readonly string[]): string => join(folder, ...names);
beforeEach(async () => {
  model = await startModelServer();
  folder = mkdtempSync(join(tmpdir(), "gullible-model-"));
  for (const name of ["home/.ssh", "data", "tree"]) mkdirSync(at(name), { recursive: true });
  writeFileSync(at("home/.ssh/id_ed25519"), "honey-home");
  writeFileSync(at("data/secret"), "honey-data");
  writeFileSync(
    at("data/agents.yml"),
    `own: { protocol: ai-sdk, provider: openai-compatible, model: m, base_url: "${model.url}/v1", key: MODEL_KEY }\n`,
  );
});
afterEach(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

const asked = z.object({ messages: z.array(z.object({ role: z.string(), content: z.unknown() })) });

/** Has the model run one command, and answers what it was told of it. */
async function told(sandbox: string, command: string): Promise<string> {
  const env = {
    PATH: searchPath,
    HOME: at("home"),
    MODEL_KEY: "honey-key-0123456789",
    GITHUB_TOKEN: "honey-token",
    FORGEHAND_DATA_DIR: at("data"),
    FORGEHAND_SANDBOX: sandbox,
  };
  const environment = readEnvironment(env, (path) => readFileSync(path, "utf8"));
  const agent = runtimeAgents(environment, env).get("own");
  if (agent === undefined) throw new Error("there is no such agent");
  model.script("obey", [{ tool: { name: "run", input: { command } } }, { say: "Done." }]);
  const { outcome } = await work(agent, orderIn(at("tree"), { prompt: "Do it. [[obey]]" }));
  expect(outcome).toMatchObject({ is: "done" });
  const { messages } = asked.parse(JSON.parse(model.calls.at(-1)?.raw ?? ""));
  return String(messages.findLast(({ role }) => role === "tool")?.content);
}

const search = (): string =>
  [
    "env",
    `cat ~/.ssh/* ${at("home/.ssh/id_ed25519")} ${at("data/secret")} /proc/[0-9]*/environ`,
    `ls ${at("data")}`,
    `echo bad > ${at("home/bad")}`,
    `(exec 3<>/dev/tcp/127.0.0.1/${new URL(model.url).port}) && echo reached-the-host`,
    "echo good > good",
  ].join("; ");

describe.skipIf(!found || why !== undefined)(`in bubblewrap ${why ?? ""}`, () => {
  test("it finds nothing of the operator's, reaches nobody, and writes in its worktree alone", async () => {
    const seen = await told("bubblewrap", `bash -c '${search()}' 2>&1`);
    expect(seen).toContain("RUN_ID=");
    expect(seen).not.toMatch(/honey|reached-the-host|agents\.yml/u);
    expect(existsSync(at("home/bad"))).toBe(false);
    expect(readFileSync(at("tree/good"), "utf8")).toBe("good\n");
  });
});

test("without a sandbox its environment and home are still its own, and hold no key", async () => {
  const seen = await told("local", "env; cat ~/.ssh/*; echo $HOME");
  expect(seen).toContain("RUN_ID=");
  expect(seen).toContain(at("data/agents/lodgings/own"));
  expect(seen).not.toContain("honey");
});
