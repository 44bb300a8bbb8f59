import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentSays } from "../../../src/ports-agents.ts";
import { acpStage, texts, tools } from "./acp-stage.ts";
import { usages, work } from "./turns.ts";

let stage: ReturnType<typeof acpStage>;
beforeEach(() => {
  stage = acpStage();
});
afterEach(() => stage.remove());

const tokens = { inputTokens: 1000, outputTokens: 40, totalTokens: 1040 };
const cost = (amount: number, currency = "USD") => ({
  update: { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount, currency } },
});
describe("one order", () => {
  test("is one conversation: a session, the prompt, what was done, and the last message as the answer", async () => {
    const path = stage.at("tree", "greet.txt");
    stage.script({
      steps: [{ say: "I " }, { say: "look." }, { edit: { path, text: "hello\n" } }, { say: "Done." }],
      answer: { stopReason: "end_turn", usage: tokens },
    });
    const { says, outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toEqual({ is: "done", text: "Done.", structured: undefined });
    expect(says[0]).toEqual({ type: "session", id: "ses_1" });
    expect(texts(says)).toEqual(["I look.", "Done."]);
    expect(tools(says)).toEqual([`edit ${path}`]);
    expect(usages(says)).toEqual([
      { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 40, reasoningTokens: 0, usd: undefined },
    ]);
    expect(readFileSync(path, "utf8")).toBe("hello\n");
    const [prompt] = stage.heard("session/prompt");
    expect(prompt).toEqual({ sessionId: "ses_1", prompt: [{ type: "text", text: "Do it." }] });
  });

  test("offers the agent neither files nor a terminal, and refuses to lend either", async () => {
    stage.script({
      steps: [{ request: "fs/read_text_file" }, { request: "terminal/create" }, { say: "ok" }],
    });
    await work(stage.agent(), stage.order());
    expect(stage.heard("initialize")[0]?.["clientCapabilities"]).toEqual({
      fs: { readTextFile: false, writeTextFile: false },
      terminal: false,
    });
    expect(stage.notes().flatMap(({ answer }) => answer?.error?.code ?? [])).toEqual([-32601, -32601]);
  });

  test("gives the agent no variable but its own, the mark of the run, and the switches of its access", async () => {
    stage.script({ steps: [{ say: "ok" }] });
    const order = stage.order({ access: "read" });
    await work(stage.agent({ own: { GITHUB_TOKEN: "honey", GH_TOKEN: "honey" } }), order);
    const env = stage.notes()[0]?.env ?? {};
    expect(env["RUN_ID"]).toBe(order.runId);
    expect(env["HOUSE_MAY"]).toBe("look");
    expect(JSON.stringify(env)).not.toContain("honey");
  });

  test("asks for JSON in words and takes the block that ends the last message", async () => {
    const schema = { type: "object", properties: { verdict: { type: "string" } } };
    const quoted = 'It says:\n```json\n{"verdict":"pass"}\n```\nbut';
    stage.script({ steps: [{ say: `${quoted}\n\n\`\`\`json\n{"verdict":"fail"}\n\`\`\`\n` }] });
    const { outcome } = await work(stage.agent(), stage.order({ schema }));
    expect(outcome).toMatchObject({ is: "done", structured: { verdict: "fail" } });
    expect(JSON.stringify(stage.heard("session/prompt"))).toContain("JSON schema");
  });

  test("leaves an answer without JSON to whoever validates it", async () => {
    stage.script({ steps: [{ say: "I would rather not." }] });
    const { outcome } = await work(stage.agent(), stage.order({ schema: { type: "object" } }));
    expect(outcome).toEqual({ is: "done", text: "I would rather not.", structured: undefined });
  });

  test("puts the session into the mode of its access before it prompts", async () => {
    const modes = { currentModeId: "auto", availableModes: [{ id: "auto" }, { id: "ask" }, { id: "edit" }] };
    stage.script({ session: { modes }, steps: [{ say: "ok" }] });
    const agent = stage.agent({ manner: { modes: { read: "ask", write: "edit" } } });
    await work(agent, stage.order({ access: "read" }));
    await work(agent, stage.order());
    expect(stage.heard("session/set_mode").map(({ modeId }) => modeId)).toEqual(["ask", "edit"]);
  });

  test("never starts in another mode than the one it was to be in", async () => {
    stage.script({ session: { modes: { currentModeId: "yolo", availableModes: [{ id: "yolo" }] } } });
    const agent = stage.agent({ manner: { modes: { read: "ask" } } });
    const { outcome } = await work(agent, stage.order({ access: "read" }));
    expect(outcome).toMatchObject({ how: "blocked", code: "mode-unknown" });
    expect(stage.heard("session/prompt")).toEqual([]);
  });

  test("logs in the way that needs nobody when the agent asks for it, once", async () => {
    stage.script({ needsLogin: true, steps: [{ say: "ok" }] });
    const keyed = await work(stage.agent({ manner: { authMethod: "key" } }), stage.order());
    expect(keyed.outcome.is).toBe("done");
    expect(stage.heard("authenticate")).toEqual([{ methodId: "key" }]);
    const { outcome } = await work(stage.agent(), stage.order());
    expect(outcome).toMatchObject({ how: "blocked", code: "logged-out" });
    expect(outcome).toMatchObject({ why: expect.stringContaining("run `house login`") as string });
  });
});

describe("a session", () => {
  const resumable = {
    protocolVersion: 1,
    agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
  };

  test("is taken up again, and the past it tells is not said a second time", async () => {
    stage.script({ steps: [{ say: "More." }] });
    const { says, outcome } = await work(stage.agent(), stage.order({ resume: "ses_1" }));
    expect(outcome).toMatchObject({ is: "done", text: "More." });
    expect(says[0]).toEqual({ type: "session", id: "ses_1" });
    expect(texts(says)).toEqual(["More."]);
    expect(stage.heard("session/new")).toEqual([]);
  });

  test("is resumed without its past where the agent can do that", async () => {
    stage.script({ hello: resumable, steps: [{ say: "More." }] });
    await work(stage.agent(), stage.order({ resume: "ses_1" }));
    expect(stage.heard("session/resume")).toHaveLength(1);
    expect(stage.heard("session/load")).toEqual([]);
  });

  test.each([
    ["cannot be loaded by this agent", { hello: { protocolVersion: 1, agentCapabilities: {} } }],
    ["is not known to it", { errors: { "session/load": { code: -32002, message: "Resource not found" } } }],
    [
      "is refused for no reason we know",
      { errors: { "session/load": { code: -32603, message: "Internal error" } } },
    ],
  ])("that %s has to be started anew", async (_, part) => {
    stage.script(part);
    const { outcome } = await work(stage.agent(), stage.order({ resume: "ses_1" }));
    expect(outcome).toMatchObject({ how: "give-up", code: "session-unknown" });
  });

  test("costs in its second turn what that turn cost, though dollars are counted over its life", async () => {
    const answer = { stopReason: "end_turn", usage: tokens };
    stage.script({ steps: [{ say: "one" }, cost(0.25)], answer });
    const first = await work(stage.agent(), stage.order());
    stage.script({ steps: [{ say: "two" }, cost(0.75)], answer });
    const second = await work(stage.agent(), stage.order({ resume: "ses_1" }));
    expect(usages(first.says).map(({ usd, inputTokens }) => [usd, inputTokens])).toEqual([[0.25, 1000]]);
    expect(usages(second.says).map(({ usd, inputTokens }) => [usd, inputTokens])).toEqual([[0.5, 1000]]);
  });
});

describe("leave", () => {
  const outcomes = () => stage.notes().flatMap(({ leave }) => leave?.result?.outcome ?? []);
  const selected = (optionId: string) => ({ outcome: "selected", optionId });

  test.each(["edit", "execute", "delete", "move", "fetch", "switch_mode", "other"])(
    "is refused to a reader who would %s",
    async (kind) => {
      const path = stage.at("tree", "a.txt");
      stage.script({ steps: [{ edit: { path, text: "x", kind } }, { say: "I could not." }] });
      const { says } = await work(stage.agent(), stage.order({ access: "read" }));
      expect(outcomes()).toEqual([selected("reject_once")]);
      expect(existsSync(path)).toBe(false);
      expect(tools(says).join()).toContain("refused, because this order permits no");
    },
  );

  test("is given to a reader who looks inside the worktree, and to nobody who looks outside", async () => {
    stage.script({
      steps: [
        { edit: { path: stage.at("tree", "in.txt"), text: "", kind: "read" } },
        { edit: { path: stage.at("home", "secret"), text: "", kind: "read" } },
        { say: "ok" },
      ],
    });
    await work(stage.agent(), stage.order({ access: "read" }));
    expect(outcomes()).toEqual([selected("allow_once"), selected("reject_once")]);
  });

  test("is given to nobody who looks at several places of which one is outside", async () => {
    const look = (paths: readonly string[]) => ({
      edit: { path: stage.at("tree", "in.txt"), text: "", kind: "read", input: { paths }, locations: [] },
    });
    const inside = stage.at("tree", "in.txt");
    stage.script({ steps: [look([inside]), look([inside, stage.at("home", "secret")]), { say: "ok" }] });
    await work(stage.agent(), stage.order({ access: "read" }));
    expect(outcomes()).toEqual([selected("allow_once"), selected("reject_once")]);
  });

  test("is given to a writer inside the worktree alone, links followed and git's own left out", async () => {
    symlinkSync(stage.at("home"), stage.at("tree", "link"));
    mkdirSync(stage.at("tree", ".git"));
    const places = [
      "tree/new/deep.txt",
      "home/out.txt",
      "tree/../out.txt",
      "tree/link/out.txt",
      "tree/.git/config",
    ];
    stage.script({
      steps: [
        ...places.map((place) => ({
          edit: { path: stage.at(...place.split("/")), text: "x", kind: "delete" },
        })),
        { say: "ok" },
      ],
    });
    mkdirSync(stage.at("tree", "new"));
    await work(stage.agent(), stage.order());
    expect(outcomes()).toEqual([
      selected("allow_once"),
      ...["home", "..", "link", ".git"].map(() => selected("reject_once")),
    ]);
  });

  test("is never given for good", async () => {
    const path = stage.at("tree", "a.txt");
    stage.script({
      steps: [{ edit: { path, text: "x", options: ["allow_always", "reject_once"] } }, { say: "no" }],
    });
    await work(stage.agent(), stage.order());
    stage.script({ steps: [{ edit: { path, text: "x", options: ["allow_always"] } }, { say: "no" }] });
    await work(stage.agent(), stage.order());
    expect(outcomes()).toEqual([selected("reject_once"), { outcome: "cancelled" }]);
  });
});

describe("rules about tools", () => {
  const run = (kind: string) => ({ edit: { path: stage.at("tree", `${kind}.txt`), text: "x", kind } });
  const served = {
    is: "process",
    name: "wiki",
    command: "wiki",
    args: ["--stdio"],
    env: { KEY: "k" },
  } as const;

  test("take from a writer what they take, and hold it to asking", async () => {
    const modes = { currentModeId: "auto", availableModes: [{ id: "ask" }, { id: "edit" }] };
    stage.script({ session: { modes }, steps: [run("edit"), run("execute"), { say: "ok" }] });
    const agent = stage.agent({ manner: { modes: { read: "ask", write: "edit" } } });
    const { says } = await work(agent, stage.order({ tools: { deny: ["shell"] } }));
    expect(existsSync(stage.at("tree", "edit.txt"))).toBe(true);
    expect(existsSync(stage.at("tree", "execute.txt"))).toBe(false);
    expect(tools(says).join()).toContain("this order permits no command");
    expect(stage.heard("session/set_mode")[0]?.["modeId"]).toBe("ask");
    expect(stage.notes()[0]?.env?.["HOUSE_MAY"]).toBe("look");
  });

  test("give it the servers of the order and no others", async () => {
    stage.script({ steps: [{ say: "ok" }] });
    await work(stage.agent(), stage.order({ mcp: [served] }));
    expect(stage.heard("session/new")[0]?.["mcpServers"]).toEqual([
      { name: "wiki", command: "wiki", args: ["--stdio"], env: [{ name: "KEY", value: "k" }] },
    ]);
    await work(stage.agent(), stage.order({ mcp: [served], tools: { deny: ["mcp:wiki"] } }));
    expect(stage.heard("session/new")[1]?.["mcpServers"]).toEqual([]);
  });

  test("that nobody could enforce are a reason for a person", async () => {
    const narrowed = stage.order({ mcp: [served], tools: { deny: ["mcp:wiki/write"] } });
    const unheard = stage.order({ mcp: [{ is: "http", name: "far", url: "https://x.test", headers: {} }] });
    const blind = stage.order({ tools: { deny: ["read"] } });
    for (const order of [narrowed, unheard, blind])
      expect((await work(stage.agent(), order)).outcome).toMatchObject({
        how: "blocked",
        code: "tools-unsupported",
      });
    expect(stage.heard("session/new")).toEqual([]);
  });
});

describe("the model", () => {
  const choice = (currentValue: string, ...values: readonly string[]) => ({
    configOptions: [
      {
        id: "model",
        category: "model",
        type: "select",
        currentValue,
        options: values.map((value) => ({ value, name: value })),
      },
    ],
  });
  const models = (says: readonly AgentSays[]) => says.filter(({ type }) => type === "model");

  test("is the one the session names", async () => {
    stage.script({ session: choice("anthropic/claude-opus-5-5"), steps: [{ say: "ok" }] });
    const { says } = await work(stage.agent(), stage.order());
    expect(models(says)).toEqual([{ type: "model", id: "anthropic/claude-opus-5-5" }]);
  });

  test("is changed to the one that is wanted, by the end of its name", async () => {
    stage.script({ session: choice("x/gpt-5", "x/gpt-5", "y/qwen3-max"), steps: [{ say: "ok" }] });
    const { says } = await work(stage.agent(), stage.order({ model: "qwen3-max" }));
    expect(stage.heard("session/set_config_option")).toEqual([
      { sessionId: "ses_1", configId: "model", value: "y/qwen3-max" },
    ]);
    expect(models(says)).toEqual([{ type: "model", id: "y/qwen3-max" }]);
  });

  test("thinks as hard as the order says, where it can be told", async () => {
    const efforts = [{ value: "low" }, { value: "high" }];
    const level = {
      id: "effort",
      category: "thought_level",
      type: "select",
      currentValue: "low",
      options: efforts,
    };
    stage.script({ session: { configOptions: [level] }, steps: [{ say: "ok" }] });
    await work(stage.agent(), stage.order({ effort: "high" }));
    await work(stage.agent(), stage.order({ effort: "max" }));
    expect(stage.heard("session/set_config_option").map(({ value }) => value)).toEqual(["high"]);
  });

  test("is named by its own name where the id wraps it", async () => {
    const modelId = "$runtime|openai|qwen3-max(openai)";
    const models = { currentModelId: modelId, availableModels: [{ modelId, name: "qwen3-max" }] };
    stage.script({ session: { models }, steps: [{ say: "ok" }] });
    const { says } = await work(stage.agent(), stage.order());
    expect(says.filter(({ type }) => type === "model")).toEqual([{ type: "model", id: "qwen3-max" }]);
  });

  test("that is wanted and not offered is a reason for a person", async () => {
    stage.script({ session: choice("x/gpt-5", "x/gpt-5") });
    const { outcome } = await work(stage.agent(), stage.order({ model: "qwen3-max" }));
    expect(outcome).toMatchObject({ how: "blocked", code: "model-unknown" });
    expect(outcome).toMatchObject({ why: expect.stringContaining("x/gpt-5") as string });
  });

  test("behind an alias is the one told later, and not the alias", async () => {
    const told = {
      sessionUpdate: "usage_update",
      used: 1,
      size: 2,
      _meta: { "_claude/model": "claude-opus-5-5" },
    };
    stage.script({ session: choice("default"), steps: [{ update: told }, { say: "ok" }] });
    const { says } = await work(stage.agent(), stage.order());
    expect(models(says)).toEqual([{ type: "model", id: "claude-opus-5-5" }]);
  });

  test("that nobody names is only as good as the operator's word, and says so", async () => {
    stage.script({ steps: [{ say: "ok" }] });
    const plain = await work(stage.agent({ manner: { model: "house-1" } }), stage.order());
    expect(models(plain.says)).toEqual([{ type: "model", id: "house-1", configured: "unknown" }]);
    const manner = { model: "house-1", vouched: "mistral" } as const;
    const vouched = await work(stage.agent({ manner }), stage.order());
    expect(models(vouched.says)).toEqual([{ type: "model", id: "house-1", configured: "mistral" }]);
  });

  test("that a repository asks for in its place is not what the operator vouches for", async () => {
    stage.script({ session: choice("house-1", "house-1", "house-2"), steps: [{ say: "ok" }] });
    const manner = { model: "house-1", vouched: "mistral" } as const;
    const other = await work(stage.agent({ manner }), stage.order({ model: "house-2" }));
    expect(models(other.says)[0]).toEqual({ type: "model", id: "house-2", configured: "unknown" });
    const always = { ...manner, only: "mistral" } as const;
    const same = await work(stage.agent({ manner: always }), stage.order({ model: "house-2" }));
    expect(models(same.says)).toEqual([{ type: "model", id: "house-2", configured: "mistral" }]);
  });

  test("observed stands before the operator's word", async () => {
    stage.script({ session: choice("gpt-5"), steps: [{ say: "ok" }] });
    const manner = { model: "gpt-5", vouched: "mistral" } as const;
    const { says } = await work(stage.agent({ manner }), stage.order());
    expect(models(says)).toEqual([{ type: "model", id: "gpt-5" }]);
  });
});

describe("counts", () => {
  const one = { inputTokens: 10, outputTokens: 5 };

  test("told with each call of the model are added up, and said as differences", async () => {
    const call = {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: "" },
      _meta: { usage: tokens },
    };
    stage.script({ steps: [{ update: call }, { say: "ok" }, { update: call }] });
    const { says } = await work(stage.agent(), stage.order());
    expect(usages(says).map(({ inputTokens, outputTokens }) => [inputTokens, outputTokens])).toEqual([
      [1000, 40],
      [1000, 40],
    ]);
  });

  test("by model are taken where they know of more calls than the sum does", async () => {
    const answer = {
      stopReason: "end_turn",
      usage: one,
      _meta: {
        quota: {
          model_usage: [
            { model: "gpt-5", token_count: one },
            { model: "gpt-5-mini", token_count: one },
          ],
        },
      },
    };
    stage.script({ steps: [{ say: "ok" }], answer });
    const { says } = await work(stage.agent(), stage.order());
    expect(usages(says).map(({ inputTokens }) => inputTokens)).toEqual([20]);
  });

  test("of a cache count whether an agent adds them in or not", async () => {
    const apart = { inputTokens: 100, cachedReadTokens: 900, outputTokens: 10, totalTokens: 1010 };
    const within = { inputTokens: 1000, cachedReadTokens: 900, outputTokens: 10, totalTokens: 1010 };
    for (const usage of [apart, within]) {
      stage.script({ steps: [{ say: "ok" }], answer: { stopReason: "end_turn", usage } });
      const { says } = await work(stage.agent(), stage.order());
      expect(usages(says)).toMatchObject([{ inputTokens: 1000, cachedInputTokens: 900, outputTokens: 10 }]);
    }
  });

  test.each([
    ["nothing", cost(0)],
    ["in another currency", cost(3, "credits")],
  ])("that cost %s are priced by us", async (_, step) => {
    stage.script({ steps: [{ say: "ok" }, step], answer: { stopReason: "end_turn", usage: tokens } });
    const { says } = await work(stage.agent(), stage.order());
    expect(usages(says).map(({ usd }) => usd)).toEqual([undefined]);
  });

  test("that never come are our own", async () => {
    stage.script({ steps: [{ say: "x".repeat(400) }] });
    const { says } = await work(stage.agent(), stage.order());
    expect(usages(says)).toMatchObject([{ outputTokens: 100, usd: undefined }]);
  });
});
