/** What a task of a workflow of one's own is told when it works on a ticket. */
import { expect, test } from "vitest";
import type { AgentOrder, AgentWay } from "../../src/engine/host.ts";
import type { Agent, AgentSays } from "../../src/ports-agents.ts";
import type { Assign } from "../../src/workflows/roles.ts";
import { ticketHost } from "../../src/workflows/ticket-host.ts";
import type { TicketWork } from "../../src/workflows/work.ts";

/** The prompt that reaches the agent of such a task. */
async function toldTo(access: "read" | "write", way?: AgentWay): Promise<string> {
  const prompts: string[] = [];
  const agent: Agent = {
    name: "codex",
    family: "openai",
    probe: async () => ({ found: true, version: "1", why: undefined }),
    work: async function* ({ prompt }): AsyncGenerator<AgentSays> {
      prompts.push(prompt);
      yield { type: "result", outcome: { is: "done", text: "done", structured: undefined } };
    },
  };
  const assign: Assign = (role, asked) => ({
    fallback: [],
    persona: asked?.persona === undefined ? `As a ${role} of this house.` : `As ${asked.persona}.`,
    equip: () => ({ model: undefined }),
  });
  const nothing = async (): Promise<void> => undefined;
  const work = {
    facts: async () => ({ limits: {}, assign }),
    agents: new Map([["codex", agent]]),
    workspace: {},
    health: { worked: nothing, failed: nothing },
    money: { left: async () => 5, spent: nothing },
    sessions: {
      open: nothing,
      saw: nothing,
      acted: nothing,
      usage: nothing,
      log: () => undefined,
      close: nothing,
    },
  } as unknown as TicketWork;
  const order: AgentOrder = {
    key: "t/1/plan@#1",
    prompt: "Do it.",
    folder: "/",
    resume: undefined,
    access,
    schema: undefined,
    run: "t/1",
    model: undefined,
    way,
    usd: undefined,
  };
  for await (const _ of ticketHost(work).agents.get("codex")?.work(order, new AbortController().signal) ??
    []);
  return prompts.join("\n");
}

test("who plans, mediates or advises is told its role's persona, and who builds has it in the brief", async () => {
  expect(await toldTo("read", { role: "plan" })).toBe(
    "Who you are in this work:\nAs a plan of this house.\n\nDo it.",
  );
  expect(await toldTo("read")).toContain("As a advise of this house.");
  expect(await toldTo("write")).toBe("Do it.");
});

test("the persona that a task names takes the place of its role's", async () => {
  for (const access of ["read", "write"] as const)
    expect(await toldTo(access, { persona: "planner" })).toBe(
      "Who you are in this work:\nAs planner.\n\nDo it.",
    );
});
