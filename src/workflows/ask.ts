/** Lets an agent work on a question, turn after turn in one session, until it is answered or nothing more can be done. */
import { idleSign, measureAfter, nudge, stalledSign, troubleOf, type Sign } from "../engine/headway.ts";
import type { Step } from "../engine/node.ts";
import { Trouble } from "../ports.ts";
import type { Agent, AgentOutcome, Family } from "../ports-agents.ts";
import { redact } from "../secrets.ts";
import { familySeen, namesSeen } from "./models-seen.ts";
import { holdForMoney, isSpent } from "./money.ts";
import { continued, interrupted, moreWasSaid, repair } from "./prompts.ts";
import { factsNow, listens, readMemory, remember, type Question, type Talk } from "./talk.ts";
import { newOrders, oneTurn, type Saying, type TurnEnd } from "./turn.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

export interface Answer {
  readonly outcome: AgentOutcome;
  readonly session: string | undefined;
  readonly models: readonly string[];
  readonly family: Family;
  /** Turns that ended unfinished, one after the other, up to this end. */
  readonly unfinished: number;
}
type Failed = Extract<AgentOutcome, { is: "failed" }>;
/** What follows a turn. */
type Next = { readonly say: Saying } | { readonly over: AgentOutcome };

/** Times an answer that does not fit is sent back. */
const mostRepairs = 2;

/** Lets an agent work until it is done, goes on where an earlier attempt stopped, and continues what ran out of turns. */
export async function ask(
  work: TicketWork,
  facts: WorkFacts,
  question: Question,
  step: Step,
): Promise<Answer> {
  const agent = agentFor(work, question.runtime);
  const memory = readMemory(step.memory);
  // A session that never acted may not even know what it was asked.
  const isKnown = memory.session !== undefined && memory.begun;
  memory.session ??= question.resume;
  const key = `${step.key}#${step.attempt}`;
  const talk: Talk = { work, step, facts, question, agent, key, memory, nonce: work.nonce() };
  await work.sessions.open({ key, run: step.run, role: question.role, runtime: agent.name });
  const left = { repairs: mostRepairs, afresh: 1 };
  let saying: Saying = isKnown ? { is: "go on", lead: interrupted } : { is: "brief", lead: undefined };
  for (;;) {
    // Of what every task of the run may spend together, in every round: an attempt remembers only itself.
    const usd = await work.money.left(step.run);
    if (usd <= 0) return await hold(talk);
    const next = await after(talk, await oneTurn(talk, saying, usd), left);
    if ("over" in next) return await over(talk, next.over);
    saying = next.say;
  }
}

function agentFor({ agents }: TicketWork, runtime: string): Agent {
  const agent = agents.get(runtime);
  if (agent !== undefined) return agent;
  throw new Trouble("runtime-missing", `The runtime \`${runtime}\` is not configured on this host.`, {
    permanent: true,
  });
}

async function over({ work, key, memory }: Talk, outcome: AgentOutcome): Promise<Answer> {
  await work.sessions.close(key, outcome.is === "done" ? "done" : outcome.code);
  const { session, unfinished } = memory;
  return { outcome, session, models: namesSeen(memory), family: familySeen(memory), unfinished };
}

async function hold({ work, step, key }: Talk): Promise<never> {
  await work.sessions.close(key, "run-budget");
  return await holdForMoney(work, step.run, key, step.signal);
}

/** What a turn leads to. Throws trouble that passes by itself, or that a person must see to. */
async function after(
  talk: Talk,
  { outcome, sign, files }: TurnEnd,
  left: { repairs: number; afresh: number },
): Promise<Next> {
  const { memory, facts } = talk;
  if (outcome.is === "done") return await afterAnswer(talk, outcome, left);
  if (isSpent(outcome)) return await hold(talk);
  if (sign !== undefined) return await prod(talk, sign);
  if (outcome.code === "session-unknown" && memory.session !== undefined && left.afresh > 0) {
    left.afresh -= 1;
    delete memory.session;
    memory.begun = false;
    return { say: { is: "brief", lead: undefined } };
  }
  if (outcome.code === "stalled") return await prod(talk, stalledSign(outcome.why));
  if (outcome.how === "unfinished") {
    memory.unfinished += 1;
    await remember(talk);
    if (memory.unfinished >= facts.limits.continuations || memory.session === undefined)
      return { over: unfinished(outcome, memory.unfinished) };
    if (files === "as before") return await prod(talk, idleSign(outcome.why));
    talk.work.sessions.log(talk.key, "waiting", `${outcome.why}; it goes on in the same session`);
    return { say: { is: "brief", lead: continued(outcome.why) } };
  }
  if (outcome.how === "give-up") return { over: outcome };
  await talk.work.sessions.close(talk.key, outcome.code);
  throw new Trouble(outcome.code, redact(outcome.why), {
    permanent: outcome.how === "blocked",
    ...(outcome.retryAt === undefined ? {} : { retryAt: outcome.retryAt }),
  });
}

/** An answer counts when it fits, and when it was given knowing all that people said. */
async function afterAnswer(
  talk: Talk,
  outcome: Extract<AgentOutcome, { is: "done" }>,
  left: { repairs: number },
): Promise<Next> {
  const { memory, question, work, key } = talk;
  memory.unfinished = 0;
  const flaw = question.flaw?.(outcome);
  if (flaw !== undefined && left.repairs > 0) {
    left.repairs -= 1;
    work.sessions.log(key, "waiting", `the answer does not fit: ${redact(flaw)}; it is asked again`);
    return {
      say: { is: memory.session === undefined ? "brief" : "go on", lead: repair(flaw) },
    };
  }
  if (!listens(talk) || newOrders(talk, await factsNow(talk)).length === 0) return { over: outcome };
  return { say: { is: memory.session === undefined ? "brief" : "go on", lead: moreWasSaid } };
}

const unfinished = (outcome: Failed, turns: number): Failed => ({
  ...outcome,
  why:
    turns === 1
      ? outcome.why
      : `${turns} turns ended before the work was done, the last because ${outcome.why}`,
});

/** It gets nowhere: one step up the ladder, with the reason in the ledger and in the session's log. */
async function prod(talk: Talk, sign: Sign): Promise<Next> {
  const { memory, work, key, step, agent } = talk;
  const why = redact(sign.why);
  const number = memory.signs.length + 1;
  const say = async (how: "nudged" | "stopped" | "resumed", reason: string): Promise<void> => {
    work.sessions.log(key, "waiting", `${how}: ${reason}`);
    // Named by its place, so that a crash before it is remembered tells it once.
    await work.prodded({ id: `${step.key}:${number}:${how}`, run: step.run, how, why: reason });
  };
  const measure = measureAfter(memory.signs.length);
  if (measure === "give up") {
    const signs = [...memory.signs, { is: sign.is, why }];
    work.sessions.log(key, "waiting", `given up: ${why}`);
    const all = signs.map((one) => one.why).join("; then ");
    const text = `${agent.name} got nowhere, was told so and begun once more, and got nowhere again: ${all}`;
    const code = troubleOf(signs) === "runtime" ? "stalled" : "no-headway";
    return { over: { is: "failed", how: "give-up", code, why: text } };
  }
  if (measure === "nudge") await say("nudged", why);
  else {
    await say("stopped", why);
    await say("resumed", "with the whole task once more, in the same session");
  }
  memory.signs.push({ is: sign.is, why });
  await remember(talk);
  const isKnown = measure === "nudge" && memory.session !== undefined && memory.begun;
  return { say: { is: isKnown ? "go on" : "brief", lead: nudge(sign) } };
}
