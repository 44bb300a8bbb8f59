import { z } from "zod";
import type { Step } from "../engine/node.ts";
import { Trouble, type Agent, type AgentOutcome, type Family, type Role, type WorkOrder } from "../ports.ts";
import { redact } from "../secrets.ts";
import type { Equipment } from "./roles.ts";
import { familySeen, modelsSeen, namesSeen, sawModel } from "./models-seen.ts";
import { holdForMoney, isSpent, stoppedForMoney } from "./money.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

const memorySchema = modelsSeen.extend({ session: z.string().optional() });
type Memory = z.infer<typeof memorySchema>;

export interface Answer {
  readonly outcome: AgentOutcome;
  readonly session: string | undefined;
  readonly models: readonly string[];
  readonly family: Family;
}
export interface Question {
  readonly role: Role;
  readonly runtime: string;
  readonly prompt: string;
  /** Said instead when the session goes on. */
  readonly goOn: string;
  readonly cwd: string;
  readonly access: WorkOrder["access"];
  readonly schema: WorkOrder["schema"];
  readonly resume: string | undefined;
  readonly equipment: Equipment;
}

/** Lets an agent work until it is done, goes on where an earlier attempt stopped, and continues what ran out of turns. */
export async function ask(
  work: TicketWork,
  facts: WorkFacts,
  question: Question,
  step: Step,
): Promise<Answer> {
  const agent = work.agents.get(question.runtime);
  if (agent === undefined)
    throw new Trouble(
      "runtime-missing",
      `The runtime \`${question.runtime}\` is not configured on this host.`,
      { permanent: true },
    );
  const kept = memorySchema.safeParse(step.memory);
  const memory: Memory = kept.success ? kept.data : { models: [] };
  const mine = memory.session !== undefined;
  if (!mine && question.resume !== undefined) memory.session = question.resume;
  const key = `${step.key}#${step.attempt}`;
  await work.sessions.open({ key, run: step.run, role: question.role, runtime: agent.name });
  let prompt = mine ? question.goOn : question.prompt;
  for (let turn = 0; ; turn += 1) {
    // Of what every task of the run may spend together, in every round: an attempt remembers only itself.
    const left = await work.money.left(step.run);
    if (left <= 0) return await hold();
    const outcome = await oneTurn(
      work,
      { agent, question, prompt, usd: left, limits: facts.limits, key },
      memory,
      step,
    );
    if (outcome.is === "done") return await over(outcome);
    if (isSpent(outcome)) return await hold();
    if (outcome.code === "session-unknown" && memory.session !== undefined) {
      delete memory.session;
      prompt = question.prompt;
      continue;
    }
    if (
      outcome.how === "unfinished" &&
      turn + 1 < facts.limits.continuations &&
      memory.session !== undefined
    ) {
      prompt = question.goOn;
      continue;
    }
    if (outcome.how === "retry" || outcome.how === "blocked") {
      await work.sessions.close(key, outcome.code);
      throw new Trouble(outcome.code, redact(outcome.why), {
        permanent: outcome.how === "blocked",
        ...(outcome.retryAt === undefined ? {} : { retryAt: outcome.retryAt }),
      });
    }
    return await over(outcome);
  }

  async function hold(): Promise<never> {
    await work.sessions.close(key, "run-budget");
    return await holdForMoney(work, step.run, key, step.signal);
  }

  async function over(outcome: AgentOutcome): Promise<Answer> {
    await work.sessions.close(key, outcome.is === "done" ? "done" : outcome.code);
    return { outcome, session: memory.session, models: namesSeen(memory), family: familySeen(memory) };
  }
}

interface Turn {
  readonly agent: Agent;
  readonly question: Question;
  readonly prompt: string;
  readonly usd: number;
  readonly limits: WorkFacts["limits"];
  readonly key: string;
}

async function oneTurn(work: TicketWork, turn: Turn, memory: Memory, step: Step): Promise<AgentOutcome> {
  const { agent, question, prompt, usd, limits, key } = turn;
  const order: WorkOrder = {
    role: question.role,
    prompt,
    cwd: question.cwd,
    resume: memory.session,
    access: question.access,
    schema: question.schema,
    runId: step.run,
    ...question.equipment,
    limits: { turnMs: limits.turnMs, stallMs: limits.stallMs, outputTokens: limits.outputTokens, usd },
  };
  let outcome: AgentOutcome | undefined;
  let nothingLeft = false;
  const stop = new AbortController();
  for await (const says of agent.work(order, AbortSignal.any([step.signal, stop.signal]))) {
    // What ends with its last dollar has ended well; what would go on is stopped.
    if (nothingLeft && says.type !== "result") stop.abort();
    switch (says.type) {
      case "session":
        memory.session = says.id;
        await step.remember(memory);
        await work.sessions.saw(key, { session: says.id });
        break;
      case "model": {
        const model = sawModel(memory, says);
        if (model === undefined) break;
        await step.remember(memory);
        await work.sessions.saw(key, model);
        break;
      }
      case "usage":
        await work.sessions.usage(key, says.usage);
        // Others of the run spend from the same purse.
        nothingLeft = (await work.money.left(step.run)) <= 0;
        break;
      case "text":
        await work.sessions.log(key, "text", redact(says.text));
        break;
      case "tool":
        await work.sessions.log(key, "tool", redact(`${says.name} ${says.detail}`));
        break;
      case "waiting":
        await work.sessions.log(key, "waiting", says.why);
        break;
      case "result":
        outcome = says.outcome;
        break;
    }
  }
  // Stopped from outside: what the agent had to say of that is no outcome of the work.
  step.signal.throwIfAborted();
  if (stop.signal.aborted && outcome?.is !== "done") return stoppedForMoney;
  if (outcome === undefined) throw new Trouble("agent-silent", `${agent.name} ended without a result.`);
  return outcome;
}
