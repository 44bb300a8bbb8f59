import { z } from "zod";
import type { Json, Step } from "../engine/node.ts";
import { Trouble } from "../ports.ts";
import type { AgentOutcome, WorkOrder } from "../ports-agents.ts";
import type { RuntimeName } from "../state-machine/ticket.ts";
import { redact } from "../secrets.ts";
import { ask, type Answer } from "./ask.ts";
import { onRecord } from "./on-record.ts";
import { handedOver } from "./prompts.ts";
import type { Down } from "./roles.ts";
import type { Question } from "./talk.ts";
import type { TicketWork, WorkFacts } from "./work.ts";

/** A question to whoever of several runtimes can answer it. */
export interface ChainQuestion extends Omit<Question, "runtime" | "resume" | "equipment"> {
  /** First choice first. */
  readonly chain: readonly RuntimeName[];
  /** Why one may not go on with what others left; asked of everybody but the first choice, and undefined where it may. */
  readonly unfit?: (runtime: RuntimeName) => Promise<string | undefined>;
  /** The session in which a runtime may go on. */
  readonly resume: (runtime: RuntimeName) => string | undefined;
}
export interface ChainAnswer extends Answer {
  readonly runtime: RuntimeName;
}

const memorySchema = z.object({
  runtime: z.string(),
  /** What that runtime's turns remember. */
  inner: z.json(),
});

/**
 * Asks the first runtime of the chain that is not down. When it turns out that it cannot work (no quota, no login, no
 * program, silence whatever was tried, or trouble over and over), the next one takes over in a session of its own, and the
 * reason is kept.
 */
export async function askInChain(
  work: TicketWork,
  facts: WorkFacts,
  { chain, unfit, ...question }: ChainQuestion,
  step: Step,
): Promise<ChainAnswer> {
  const kept = memorySchema.safeParse(step.memory).data;
  const down = await work.health.down();
  const reasons: string[] = [];
  const isExempt = (name: RuntimeName): boolean => name === chain[0] || name === kept?.runtime;
  const fitAmong = (names: readonly RuntimeName[]): Promise<readonly RuntimeName[]> =>
    fitOf(names, async (name) => (isExempt(name) ? undefined : await unfit?.(name)), reasons);
  // Who stands in may not be here; where nobody is, the first choice says so.
  const here = await fitAmong(chain.filter((name) => work.agents.has(name)));
  const candidates = candidatesOf(here.length === 0 ? chain : here, kept?.runtime, down);
  for (const name of here.filter((one) => !candidates.includes(one)))
    reasons.push(`${name} is left out: ${down.get(name)?.why ?? "it is down"}`);
  for (let left = candidates; ;) {
    const [runtime, ...others] = left;
    if (runtime === undefined)
      throw new Trouble("runtime-missing", `no runtime is named for the role ${question.role}`, {
        permanent: true,
      });
    const own = stepFor(step, runtime, chain[0], kept?.runtime === runtime ? kept.inner : undefined);
    await note(work, own, question, { runtime, first: chain[0], reasons });
    const equipment = facts.assign(question.role).equip(runtime, question.access);
    // Somebody else was at it before, in this attempt or in one that a crash cut short.
    const tookOver = left !== candidates || (kept !== undefined && kept.runtime !== runtime);
    const brief = (now: WorkFacts): string =>
      tookOver && question.access === "write" ? handedOver(question.brief(now)) : question.brief(now);
    const resume = question.resume(runtime);
    try {
      const answer = await ask(
        watched(work, runtime, keyOf(own)),
        facts,
        { ...question, runtime, brief, resume, equipment },
        own,
      );
      const { outcome } = answer;
      if (!isSilent(outcome)) {
        await work.health.worked(runtime);
        return { ...answer, runtime };
      }
      left = await fitAmong(others);
      const [next] = left;
      if (next !== undefined) await replaced(work, own, { runtime, next, why: outcome.why });
      await work.health.failed(runtime, {
        code: outcome.code,
        why: redact(outcome.why),
        how: "blocked",
        retryAt: undefined,
      });
      // With nobody to take over, the attempt is over like any other that got nowhere.
      if (next === undefined)
        return { ...answer, runtime, outcome: { ...outcome, why: [outcome.why, ...reasons].join("; ") } };
      await work.sessions.close(keyOf(own), outcome.code, redact(outcome.why));
      reasons.push(`${runtime} cannot work (${outcome.code}): ${redact(outcome.why)}`);
    } catch (error) {
      if (step.signal.aborted || !(error instanceof Trouble) || !isOfRuntime(error)) throw error;
      const { code, retryAt, permanent } = error;
      const why = redact(error.message);
      await work.health.failed(runtime, { code, why, how: permanent ? "blocked" : "retry", retryAt });
      await work.sessions.close(keyOf(own), code, why);
      const isOut = permanent || (await work.health.down()).has(runtime);
      if (!isOut) throw error;
      left = await fitAmong(others);
      if (left.length === 0) throw reasons.length === 0 ? error : afterAll(error, reasons);
      reasons.push(`${runtime} cannot work (${code}): ${why}`);
    }
  }
}

/** Those that nothing speaks against; what speaks against the others is noted. */
async function fitOf(
  names: readonly RuntimeName[],
  against: (name: RuntimeName) => Promise<string | undefined>,
  reasons: string[],
): Promise<readonly RuntimeName[]> {
  const fit: RuntimeName[] = [];
  for (const name of names) {
    const why = await against(name);
    if (why === undefined) fit.push(name);
    else reasons.push(`${name} may not take over: ${why}`);
  }
  return fit;
}

/** It was told, stopped and begun once more, and said not a byte each time. */
const isSilent = (outcome: AgentOutcome): outcome is Extract<AgentOutcome, { is: "failed" }> =>
  outcome.is === "failed" && outcome.how === "give-up" && outcome.code === "stalled";

/** Puts into the ledger who takes over from one that fell silent; named by its place, so that it is told once. */
const replaced = (
  work: TicketWork,
  { key, run }: Step,
  who: { readonly runtime: RuntimeName; readonly next: RuntimeName; readonly why: string },
): Promise<void> =>
  work.prodded({
    id: `${key}:replaced`,
    run,
    how: "replaced",
    why: `${redact(who.why)}; ${who.next} takes over`,
  });

/** The trouble of the last one, with what kept the others from work. */
const afterAll = ({ code, message, permanent, retryAt }: Trouble, reasons: readonly string[]): Trouble =>
  new Trouble(code, [...reasons, message].join("; "), {
    permanent,
    ...(retryAt === undefined ? {} : { retryAt }),
  });

/** Those that are not down; all of them when every one is, because somebody has to try. Who was at it goes on. */
function candidatesOf(
  chain: readonly RuntimeName[],
  atIt: RuntimeName | undefined,
  down: ReadonlyMap<RuntimeName, Down>,
): readonly RuntimeName[] {
  const known = [...new Set(chain)];
  const up = known.filter((name) => !down.has(name));
  const order = up.length === 0 ? known : up;
  return atIt !== undefined && order.includes(atIt)
    ? [atIt, ...order.filter((name) => name !== atIt)]
    : order;
}

/** Trouble of ours, not of the runtime: no other one would fare better. */
const ours: ReadonlySet<string> = new Set([
  "ticket-unreleased",
  "servers-missing",
  "servers-write",
  "run-without-money",
]);
const isOfRuntime = ({ code }: Trouble): boolean => !ours.has(code);

/** The step as one runtime of the chain sees it: its own memory, and a session on record of its own. */
function stepFor(step: Step, runtime: RuntimeName, first: RuntimeName | undefined, memory: unknown): Step {
  const key = runtime === first ? step.key : `${step.key}@${runtime}`;
  const remember = (inner: Json): Promise<void> => step.remember({ runtime, inner });
  // Not a copy: a step tells of its machine only when it is asked, and may have none.
  return Object.create(step, {
    key: { value: key },
    memory: { value: memory },
    remember: { value: remember },
  }) as Step;
}

/** The same work, and the first tool that the runtime uses is put on record. */
function watched(work: TicketWork, runtime: RuntimeName, key: string): TicketWork {
  const agent = work.agents.get(runtime);
  return agent === undefined ? work : { ...work, agents: new Map([[runtime, onRecord(work, agent, key)]]) };
}

/** As `ask` names the session it opens. */
const keyOf = (step: Step): string => `${step.key}#${step.attempt}`;

/** Writes into the session's log why it is this runtime that works, where it is not the first choice. */
async function note(
  work: TicketWork,
  step: Step,
  { role }: { readonly role: WorkOrder["role"] },
  chosen: {
    readonly runtime: RuntimeName;
    readonly first: RuntimeName | undefined;
    readonly reasons: readonly string[];
  },
): Promise<void> {
  const { runtime, first, reasons } = chosen;
  if (reasons.length === 0 || runtime === first) return;
  const key = keyOf(step);
  await work.sessions.open({ key, run: step.run, role, runtime });
  work.sessions.log(key, "waiting", `${reasons.join("; ")}; ${runtime} takes over`);
}
