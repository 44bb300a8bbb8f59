/** People speak to an agent at work. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTranscripts } from "../../../src/adapters/agents/ai-sdk/transcript.ts";
import type { AgentSays, Steering } from "../../../src/ports-agents.ts";
import { openStand, outcomeIn, sessionIn, tool, work, type Stand } from "./stand.ts";

let stand: Stand;
beforeEach(async () => {
  stand = await openStand();
});
afterEach(() => stand.close());

type Scenario = Exclude<Parameters<Stand["order"]>[0], string>;
/** Lets it work, and does something at the first of these. */
async function meanwhile(
  steps: Scenario,
  at: AgentSays["type"],
  act: (steering: Steering, agent: ReturnType<Stand["agent"]>) => Promise<unknown>,
) {
  const agent = stand.agent("anthropic");
  const order = stand.order(steps);
  const says: AgentSays[] = [];
  for await (const one of agent.work(order, new AbortController().signal)) {
    if (one.type === at && !says.some(({ type }) => type === at)) {
      const steering = agent.steering?.(order.runId);
      if (steering === undefined) throw new Error("nothing is under way");
      await act(steering, agent);
    }
    says.push(one);
  }
  expect(agent.steering?.(order.runId)).toBeUndefined();
  return { says, outcome: outcomeIn(says) };
}
const rolesIn = (body: string): readonly string[] =>
  (JSON.parse(body) as { messages: { role: string }[] }).messages.map(({ role }) => role);

test("words are heard before the model is asked again, and stand behind the answers of its tools", async () => {
  const steps = [[tool("list", {}), tool("list", {})], { say: "Blue, then." }];
  const { outcome } = await meanwhile(steps, "tool", async (steering) => {
    expect(await steering.say("Make it blue.")).toBe("heard");
    expect(await steering.say("And small.")).toBe("heard");
  });
  expect(outcome).toMatchObject({ is: "done", text: "Blue, then." });
  const last = stand.asked().at(-1) ?? "";
  expect(last).toContain(String.raw`Make it blue.\n\nAnd small.`);
  expect(rolesIn(last)).toEqual(["user", "assistant", "user"]);
  expect(last.indexOf("tool_result")).toBeLessThan(last.indexOf("Make it blue."));
});

test("words that come with the last answer are answered too", async () => {
  const { outcome } = await meanwhile([{ say: "Done." }, { say: "Blue, then." }], "model", (steering) =>
    steering.say("Make it blue."),
  );
  expect(outcome).toMatchObject({ is: "done", text: "Blue, then." });
  expect(rolesIn(stand.asked().at(-1) ?? "")).toEqual(["user", "assistant", "user"]);
});

test("whoever is speaking when the last look is taken is heard out", async () => {
  const transcript = await openTranscripts(stand.at("state"), "own").create(randomUUID(), 0);
  const speaking = transcript.hear("Make it blue.");
  expect(await transcript.takeIn()).toBe("something");
  await speaking;
  expect(await transcript.takeIn()).toBe("nothing");
});

test("what people say at work is kept with all that is said", async () => {
  const kept: string[] = [];
  const agent = stand.agent("anthropic");
  const order = stand.order([tool("list", {}), { say: "Blue, then." }], { keep: (line) => kept.push(line) });
  for await (const one of agent.work(order, new AbortController().signal))
    if (one.type === "tool") await agent.steering?.(order.runId)?.say("Make it blue.");
  expect(kept.filter((line) => line.includes("Make it blue."))).toHaveLength(1);
  expect(kept.map((line) => (JSON.parse(line) as { role: string }).role)).toEqual([
    "user",
    "assistant",
    "tool",
    "user",
    "assistant",
  ]);
});

test("an interruption ends the turn, and what was said just before is heard when the session goes on", async () => {
  const steps = [tool("run", { command: "sleep 600" }), { say: "?" }];
  const { says, outcome } = await meanwhile(steps, "tool", async (steering) => {
    expect(await steering.say("Wait for me.")).toBe("heard");
    expect(await steering.interrupt()).toBe("heard");
  });
  expect(outcome).toMatchObject({ how: "unfinished", code: "interrupted" });
  const session = sessionIn(says);
  expect(readFileSync(stand.at("state", "ai-sdk", "own", `${session}.jsonl`), "utf8")).toContain(
    '{"heard":"Wait for me."}',
  );
  const on = await work(stand.agent("anthropic"), stand.order([{ say: "Waiting." }], { resume: session }));
  expect(on.outcome).toMatchObject({ is: "done", text: "Waiting." });
  expect(
    stand
      .asked()
      .at(-1)
      ?.match(/Wait for me\./gu),
  ).toHaveLength(1);
  await work(stand.agent("anthropic"), stand.order([{ say: "Still." }], { resume: session }));
  expect(
    stand
      .asked()
      .at(-1)
      ?.match(/Wait for me\./gu),
  ).toHaveLength(1);
});

test("after the end it is too late", async () => {
  let kept: Steering | undefined;
  await meanwhile([{ say: "Done." }], "session", async (steering) => (kept = steering));
  expect(await kept?.say("Hello?")).toBe("too late");
  expect(await kept?.interrupt()).toBe("too late");
});
