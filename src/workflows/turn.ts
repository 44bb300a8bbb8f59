/** One turn of an agent: what it is told, what is heard of it, and when it is stopped because it gets nowhere. */
import { watchCalls, type CallWatch, type Sign } from "../engine/headway.ts";
import { Trouble } from "../ports.ts";
import type { AgentOutcome, AgentSays, WorkOrder } from "../ports-agents.ts";
import { redact } from "../secrets.ts";
import { sawModel } from "./models-seen.ts";
import { recorded } from "./recorded.ts";
import { stoppedForMoney } from "./money.ts";
import { goOn, told } from "./prompts.ts";
import { factsNow, listens, remember, type Talk } from "./talk.ts";
import type { WorkFacts } from "./work.ts";

/** What a turn begins with: the whole task, or only what is new to a session that knows it. */
export interface Saying {
  readonly is: "brief" | "go on";
  /** Said first. */
  readonly lead: string | undefined;
}
export interface TurnEnd {
  readonly outcome: AgentOutcome;
  /** Why it was stopped by us. */
  readonly sign: Sign | undefined;
  /** Whether files changed since it began; undefined where that was not asked. */
  readonly files: "changed" | "as before" | undefined;
}

/** Between two looks at what people said while an agent is at work that can be spoken to. */
const lookMs = 2_000;

/** Lets the agent work for one turn. Throws when the run itself was stopped. */
export async function oneTurn(talk: Talk, saying: Saying, usd: number): Promise<TurnEnd> {
  const { agent, step, work, memory } = talk;
  const stop = new AbortController();
  const order = orderOf(talk, await promptOf(talk, saying), usd);
  const guard = guardOf(talk, await printOf(talk));
  let nextLook = work.clock.now() + lookMs;
  let outcome: AgentOutcome | undefined;
  let nothingLeft = false;
  let sign: Sign | undefined;
  let telling: Promise<void> | undefined;
  const signal = AbortSignal.any([step.signal, stop.signal]);
  for await (const says of recorded(work.sessions, talk.key, agent, order, signal)) {
    if (says.type === "result") {
      outcome = says.outcome;
      continue;
    }
    // What ends with its last dollar has ended well; what would go on is stopped.
    if (nothingLeft) stop.abort();
    // What it does while it is being told may come from before.
    if (isDeed(says) && telling === undefined) await noteHeard(talk);
    await hear(talk, says);
    // Others of the run spend from the same purse.
    if (says.type === "usage") nothingLeft = (await work.money.left(step.run)) <= 0;
    if (says.type === "tool" && sign === undefined) {
      sign = await guard.see(says);
      if (sign !== undefined) stop.abort();
    }
    if (agent.steering === undefined || !listens(talk) || telling !== undefined) continue;
    if (work.clock.now() < nextLook) continue;
    nextLook = work.clock.now() + lookMs;
    // Its answer may come among what is heard here, so nobody waits for it before that is heard.
    telling = steer(talk).then(() => void (telling = undefined));
    telling.catch(() => stop.abort());
  }
  await telling;
  // Stopped from outside: what the agent had to say of that is no outcome of the work.
  step.signal.throwIfAborted();
  if (nothingLeft && stop.signal.aborted && outcome?.is !== "done") outcome = stoppedForMoney;
  if (outcome === undefined) throw new Trouble("agent-silent", `${agent.name} ended without a result.`);
  if (outcome.is === "done") await noteHeard(talk);
  const isUnfinished = outcome.is === "failed" && outcome.how === "unfinished";
  const files = isUnfinished && memory.begun ? await guard.files() : undefined;
  return { outcome, sign: outcome.is === "done" ? undefined : sign, files };
}

/** Says what is new, and remembers first how far that goes: should we die now, it is said again and marked so. */
async function promptOf(talk: Talk, { is, lead }: Saying): Promise<string> {
  const { question, memory, nonce } = talk;
  const facts = listens(talk) ? await factsNow(talk) : talk.facts;
  const leads = lead === undefined ? [] : [lead];
  const orders = is === "brief" ? [] : newOrders(talk, facts);
  const wasSaid = memory.saying > memory.heard ? "perhaps again" : "anew";
  memory.saying = Math.max(memory.heard, facts.orders.length);
  await remember(talk);
  if (is === "brief") return [...leads, question.brief(facts)].join("\n\n");
  if (orders.length === 0) return [...leads, goOn].join("\n\n");
  talk.work.sessions.log(talk.key, "waiting", `told what people said since: ${redact(orders.join("; "))}`);
  return [...leads, told(orders, nonce, wasSaid), goOn].join("\n\n");
}

/** What people said that this agent has not heard. */
export const newOrders = ({ memory }: Talk, { orders }: WorkFacts): readonly string[] =>
  orders.slice(memory.heard);

/** Tells an agent at work, where it can be told. */
async function steer(talk: Talk): Promise<void> {
  const { agent, memory, nonce, work, key, step } = talk;
  const facts = await factsNow(talk);
  const orders = newOrders(talk, facts);
  const steering = agent.steering?.(step.run);
  if (orders.length === 0 || steering === undefined || !memory.begun) return;
  memory.saying = facts.orders.length;
  await remember(talk);
  if ((await steering.say(told(orders, nonce, "anew"))) !== "heard") {
    // Not heard, and not in doubt: it stays for the next turn.
    memory.saying = memory.heard;
    return await remember(talk);
  }
  await noteHeard(talk);
  work.sessions.log(key, "waiting", `told at work what people said: ${redact(orders.join("; "))}`);
}

/** It acts, so it has read what it was told. */
async function noteHeard(talk: Talk): Promise<void> {
  const { memory } = talk;
  if (memory.begun && memory.heard === memory.saying) return;
  memory.begun = true;
  memory.heard = memory.saying;
  await remember(talk);
}

function orderOf({ question, facts, step, memory }: Talk, prompt: string, usd: number): WorkOrder {
  const { turnMs, stallMs, outputTokens, prices } = facts.limits;
  return {
    role: question.role,
    prompt,
    cwd: question.cwd,
    resume: memory.session,
    access: question.access,
    schema: question.schema,
    runId: step.run,
    ...question.equipment,
    limits: { turnMs, stallMs, outputTokens, usd, prices },
  };
}

const isDeed = ({ type }: AgentSays): boolean => type === "text" || type === "tool" || type === "usage";

async function hear(talk: Talk, says: Exclude<AgentSays, { type: "result" }>): Promise<void> {
  const { work, key, memory } = talk;
  switch (says.type) {
    case "session":
      if (memory.session !== says.id) memory.begun = false;
      memory.session = says.id;
      await remember(talk);
      return await work.sessions.saw(key, { session: says.id });
    case "model": {
      const model = sawModel(memory, says);
      if (model === undefined) return;
      await remember(talk);
      return await work.sessions.saw(key, model);
    }
    case "usage":
      return await work.sessions.usage(key, says.usage);
    case "text":
    case "tool":
    case "waiting":
      return;
  }
}

/** What the files are now; undefined where that cannot be told, which is no sign of anything. */
async function printOf({ question }: Talk): Promise<string | undefined> {
  return await question.fingerprint?.().catch(() => undefined);
}

/** A sign counts only while no file changes. */
function guardOf(talk: Talk, atFirst: string | undefined) {
  const watch: CallWatch = watchCalls({ repeats: talk.facts.limits.repeats });
  const writes = talk.question.fingerprint !== undefined;
  let before = atFirst;
  return {
    see: async (call: { readonly name: string; readonly detail: string }): Promise<Sign | undefined> => {
      const sign = watch.see(call);
      if (sign === undefined || !writes) return sign;
      const now = await printOf(talk);
      if (now !== undefined && now === before) return sign;
      before = now;
      watch.forget();
      return undefined;
    },
    files: async (): Promise<TurnEnd["files"]> => {
      const now = writes ? await printOf(talk) : undefined;
      if (now === undefined || atFirst === undefined) return undefined;
      return now === atFirst ? "as before" : "changed";
    },
  };
}
