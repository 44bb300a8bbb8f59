/** What a task of a workflow of one's own is told when it works on a ticket, and what is on record of it. */
import { expect, test } from "vitest";
import type { AgentOrder, AgentWay } from "../../src/engine/host.ts";
import type { Agent, AgentSays } from "../../src/ports-agents.ts";
import type { Assign } from "../../src/workflows/roles.ts";
import { ticketHost } from "../../src/workflows/ticket-host.ts";
import type { TicketWork } from "../../src/workflows/work.ts";

/** A ticket at work with these agents; what they are told, and whose sessions are on record. */
function stage(...names: readonly string[]) {
  const prompts: string[] = [];
  const opened = new Map<string, string>();
  const agentNamed = (name: string): Agent => ({
    name,
    family: "unknown",
    probe: async () => ({ found: true, version: "1", why: undefined }),
    work: async function* ({ prompt }): AsyncGenerator<AgentSays> {
      prompts.push(prompt);
      yield { type: "result", outcome: { is: "done", text: "done", structured: undefined } };
    },
  });
  const assign: Assign = (role, asked) => ({
    fallback: [],
    persona: asked?.persona === undefined ? `As a ${role} of this house.` : `As ${asked.persona}.`,
    equip: () => ({ model: undefined }),
  });
  const nothing = async (): Promise<void> => undefined;
  const work = {
    facts: async () => ({ limits: {}, assign }),
    agents: new Map(names.map((name) => [name, agentNamed(name)])),
    workspace: {},
    health: { worked: nothing, failed: nothing },
    money: { left: async () => 5, spent: nothing },
    sessions: {
      open: async ({ key, runtime }: { readonly key: string; readonly runtime: string }) =>
        void (opened.has(key) || opened.set(key, runtime)),
      saw: nothing,
      acted: nothing,
      usage: nothing,
      log: () => undefined,
      close: nothing,
    },
  } as unknown as TicketWork;
  const host = ticketHost(work);
  const ask = async (name: string, access: "read" | "write", way?: AgentWay): Promise<void> => {
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
    for await (const _ of host.agents.get(name)?.work(order, new AbortController().signal) ?? []);
  };
  return { ask, prompts, opened };
}

/** The prompt that reaches the agent of such a task. */
async function toldTo(access: "read" | "write", way?: AgentWay): Promise<string> {
  const { ask, prompts } = stage("codex");
  await ask("codex", access, way);
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

test("who takes over in a task's chain has a session on record of its own", async () => {
  const { ask, opened } = stage("codex", "claude-code");
  for (const name of ["codex", "codex", "claude-code"]) await ask(name, "write");
  expect([...opened.values()]).toEqual(["codex", "claude-code"]);
});
