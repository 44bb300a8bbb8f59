import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runMarks } from "../../../src/adapters/processes/run-marks.ts";
import { readSample } from "./samples.ts";
import { at, make, notes, onStage, order, script, scriptSample } from "./stage.ts";
import { usages, work } from "./turns.ts";

onStage();

describe("codex-app-server", () => {
  const thread = "01a1feb2-e0dd-7672-8b01-1cd07d64384a";

  test("a resumed thread is charged for what is new, even by another process", async () => {
    scriptSample("app-server-edit");
    const first = await work(make("codex-app-server"), order());
    expect(usages(first.says)).toHaveLength(4);
    scriptSample("app-server-resume");
    const second = await work(make("codex-app-server"), order({ resume: thread }));
    expect(usages(second.says)).toEqual([
      { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 40, reasoningTokens: 0, usd: undefined },
    ]);
  });

  test("it lives in a home of its own, with nothing of the operator's but the login", async () => {
    writeFileSync(join(at("codex"), "auth.json"), '{"of":"the operator"}');
    writeFileSync(
      join(at("codex"), "config.toml"),
      'model = "gpt-6"\n[mcp_servers.mine]\ncommand = "mine"\n',
    );
    scriptSample("app-server-edit");
    await work(make("codex-app-server"), order());
    await work(make("codex-app-server"), order());
    const [note] = notes();
    const home = note?.env["CODEX_HOME"] ?? "";
    expect(home.startsWith(at("state"))).toBe(true);
    expect(readdirSync(home)).toEqual(["auth.json"]);
    expect(readFileSync(join(home, "auth.json"), "utf8")).toBe('{"of":"the operator"}');
    expect(note?.args).toContain('model="gpt-6"');
    expect(note?.args.join(" ")).not.toContain("mine");
    expect(note?.args).toContain(`projects={"${at("tree")}"={trust_level="untrusted"}}`);
  });

  test("a key reaches it by a provider that names its variable, and never its command line", async () => {
    scriptSample("app-server-edit");
    await work(make("codex-app-server", at("fake"), { OPENAI_API_KEY: "sk-secret" }), order());
    const [note] = notes();
    expect(note?.env["CODEX_API_KEY"]).toBe("sk-secret");
    expect(note?.args).toContain('model_provider="openai-by-key"');
    expect(note?.args.join(" ")).not.toContain("sk-secret");
  });

  test("the work under way can be spoken to by its run, and by nobody once it is over", async () => {
    const { lines } = readSample("app-server-steered");
    script({ lines });
    const agent = runMarks("/data/forgehand.db").agent(make("codex-app-server"));
    const what = order();
    let answer: Promise<string> | undefined;
    for await (const one of agent.work(what, new AbortController().signal))
      if (one.type === "tool" && one.name === "shell")
        answer = agent.steering?.(what.runId)?.say("Mind the dog.");
    expect(await answer).toBe("heard");
    expect(agent.steering?.(what.runId)).toBeUndefined();
    expect(notes()[0]?.heard?.at(-1)).toMatchObject({
      method: "turn/steer",
      params: { input: [{ text: "Mind the dog." }] },
    });
  });
});
