/** Answers people's questions beside everything else: an agent reads the code and writes none, and no ticket waits for it. */
import { Trouble } from "../ports.ts";
import type { AgentOutcome, WorkOrder } from "../ports-agents.ts";
import { redact } from "../secrets.ts";
import * as says from "../says-threads.ts";
import { statusAnswer } from "../says.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Untrusted } from "../untrusted.ts";
import type { Waiting } from "../store/questions.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { agentFilesIn, restoreCold } from "../workflows/agent-files.ts";
import {
  questionJsonSchema,
  questionPrompt,
  readQuestionAnswer,
  type QuestionAnswer,
} from "../workflows/question.ts";
import { recorded } from "../workflows/recorded.ts";
import type { TicketWork } from "../workflows/work.ts";
import { capsOf } from "./day.ts";
import { openLoop, type Loop } from "./loop.ts";
import { isAnswered } from "./orders-told.ts";
import { viewOf } from "./view.ts";
import { tryAgainAt, type Workshop } from "./workshop.ts";

export interface QuestionParts {
  readonly shop: Workshop;
  readonly work: TicketWork;
  /** Ends what a process that died while it asked has left at work. */
  readonly sweep: (run: string) => Promise<unknown>;
}

/** Tries at one question before the person is told that there is no answer. */
const maxTries = 3;
const closedLookMs = 5_000;
const turnMs = 10 * 60_000;
const outputTokens = 8_000;
/** Less than this is no money for a turn. */
const leastUsd = 0.01;

interface Asked {
  readonly waiting: Waiting;
  readonly stored: Stored;
  readonly repo: KnownRepo;
}

/**
 * One question after the other. The answer is an event in the inbox before the question is forgotten, named by it: so a
 * crash in between costs a turn at most, and nobody is answered twice.
 */
export function openQuestions(parts: QuestionParts): Loop {
  const { shop } = parts;
  const { store, clock, log } = shop;
  const ending = new AbortController();
  const tries = new Map<string, { readonly count: number; readonly until: number }>();
  const loop = openLoop({
    name: "questions",
    clock,
    log,
    work: async () => {
      if ((await store.setting("halt-all")) !== undefined) return clock.now() + closedLookMs;
      let next: number | undefined;
      for (const waiting of await store.questionsWaiting()) {
        if (ending.signal.aborted) return undefined;
        const known = tries.get(waiting.key);
        if (known !== undefined && known.until > clock.now()) {
          next = Math.min(next ?? Infinity, known.until);
          continue;
        }
        try {
          await answerOne(parts, waiting, ending.signal);
          tries.delete(waiting.key);
        } catch (error) {
          if (ending.signal.aborted) return undefined;
          const count = (known?.count ?? 0) + 1;
          const why = error instanceof Error ? error.message : String(error);
          log.warn({ question: waiting.key, why }, "a question could not be answered");
          const isOver = count >= maxTries || (error instanceof Trouble && error.permanent);
          if (isOver) await keepAnswer(shop, waiting, noAnswer(redact(why)));
          const until = tryAgainAt(shop, error, count);
          tries.set(waiting.key, { count, until });
          if (!isOver) next = Math.min(next ?? Infinity, until);
        }
      }
      return next;
    },
  });
  return {
    ...loop,
    stop: async () => {
      ending.abort();
      await loop.stop();
    },
  };
}

async function answerOne(parts: QuestionParts, waiting: Waiting, signal: AbortSignal): Promise<void> {
  const { shop, work, sweep } = parts;
  const { store, clock } = shop;
  const lines = await store.linesOf(waiting.ticket);
  if (isAnswered(lines, waiting.comment)) return await store.questionAnswered(waiting.key);
  const stored = await store.load(waiting.ticket);
  const repo = stored && (await store.repoById(stored.repo));
  if (stored === undefined || repo === undefined) return await store.questionAnswered(waiting.key);
  const { config } = shop.rulesOf(repo);
  const refuse = (why: string): Promise<void> => keepAnswer(shop, waiting, noAnswer(why));
  if (stored.ticket.halted || (await store.setting(`halt-repo:${repo.id}`)) !== undefined)
    return await refuse("it is halted; ask again once that is lifted");
  const answered = lines.filter(
    ({ event }) => event.type === "human.asked" && event.ask.about === "answered",
  );
  if (answered.length >= config.limits.questions)
    return await refuse(
      `an agent answers ${config.limits.questions} questions on one ticket (\`limits.questions\`)`,
    );
  const at = clock.now();
  // The caps of the ticket and of the day hold; in place of a run's stands what one answer may cost.
  const caps = { ...capsOf(config, shop.limits, at), runUsd: config.limits.question_usd };
  const run = waiting.key;
  await sweep(run);
  await store.reserve({ run, ticket: waiting.ticket, repo: repo.id, allowedUsd: undefined, caps, at });
  try {
    const left = await work.money.left(run);
    if (left < leastUsd) return await refuse("what this ticket, or the day, may cost is spent");
    const answer = await askAgent(parts, { waiting, stored, repo }, { usd: left, signal });
    await keepAnswer(shop, waiting, spoken(waiting, answer));
  } finally {
    await store.release(run);
  }
}

interface Spoken {
  readonly text: string;
  /** Whether it settles the conversation that the question stands in. */
  readonly settles: "it" | "nothing";
  /** What it came to be for the next build. */
  readonly order: string | undefined;
}

/** Said beside the conversation, which goes on waiting for the next build. */
const noAnswer = (why: string): Spoken => ({
  text: says.noAnswer(why),
  settles: "nothing",
  order: undefined,
});

/** Only who may order work orders it by asking. */
function spoken({ ask }: Waiting, { answer, wantsChange }: QuestionAnswer): Spoken {
  const text = says.questionAnswer(redact(answer));
  if (!wantsChange || ask.grants !== "an order") return { text, settles: "it", order: undefined };
  // The one reply in a conversation is then the build's.
  const told = ask.on === undefined ? `${text}\n\n${says.takenAsOrder}` : "";
  return { text: told, settles: "nothing", order: ask.text };
}

/** In the inbox first, under names of their own; then the question is forgotten. */
async function keepAnswer(shop: Workshop, waiting: Waiting, { text, settles, order }: Spoken): Promise<void> {
  const { key, ticket, comment, ask } = waiting;
  const on = ask.on === undefined ? {} : { on: ask.on };
  const tell = (id: string, event: TicketEvent, actor: string): Promise<unknown> =>
    shop.store.receive({
      id: `${id}:${key}`,
      source: "performer",
      name: event.type,
      ticket,
      body: JSON.stringify({ ...event, actor }),
      receivedAt: shop.clock.now(),
    });
  if (order !== undefined) await tell("asked-for", { type: "human.told", by: ask.by, order, ...on }, ask.by);
  await tell(
    "answered",
    { type: "human.asked", comment, ask: { about: "answered", text, ...(settles === "it" ? on : {}) } },
    "run",
  );
  await shop.store.questionAnswered(key);
  shop.poke("intake");
}

async function askAgent(
  { shop, work }: QuestionParts,
  { waiting, stored, repo }: Asked,
  { usd, signal }: { readonly usd: number; readonly signal: AbortSignal },
): Promise<QuestionAnswer> {
  const run = waiting.key;
  const facts = await work.facts(waiting.ticket);
  const head = stored.ticket.head ?? repo.configAt;
  if (head === undefined) throw new Trouble("question-headless", "The default branch was not read yet.", {});
  const tree = await work.workspace.checkoutCold(
    waiting.ticket,
    facts.remote,
    head,
    `question-${waiting.key}`,
  );
  try {
    await restoreCold(work, tree, agentFilesIn(tree.diff), { run, signal });
    const status = statusAnswer(await viewOf(shop, stored, repo, "now"));
    const place = await conversation(shop, waiting, { repo, pull: stored.ticket.pull });
    const { text, by } = waiting.ask;
    const { turnMs: most, stallMs, prices } = facts.limits;
    const runtime = facts.runtimes.plan;
    const { model, effort, mcp, tools } = facts.assign("advise").equip(runtime, "read");
    const order: WorkOrder = {
      role: "advise",
      prompt: questionPrompt(facts, work.nonce(), { text, by, place, status }),
      cwd: tree.path,
      resume: undefined,
      access: "read",
      schema: questionJsonSchema,
      runId: run,
      model,
      effort,
      mcp,
      tools,
      limits: { turnMs: Math.min(most, turnMs), stallMs, outputTokens, usd, prices },
    };
    return await oneTurn(work, { run, runtime }, order, signal);
  } finally {
    await work.workspace.dropCold(tree);
  }
}

async function oneTurn(
  work: TicketWork,
  { run, runtime }: { readonly run: string; readonly runtime: string },
  order: WorkOrder,
  signal: AbortSignal,
): Promise<QuestionAnswer> {
  const agent = work.agents.get(runtime);
  if (agent === undefined)
    throw new Trouble("runtime-missing", `The runtime \`${runtime}\` is not configured on this host.`, {
      permanent: true,
    });
  const key = `${run}#${work.nonce().slice(0, 8)}`;
  let outcome: AgentOutcome | undefined;
  await work.sessions.open({ key, run, role: "advise", runtime });
  try {
    for await (const said of recorded(work.sessions, key, agent, order, signal)) {
      if (said.type === "session") await work.sessions.saw(key, { session: said.id });
      if (said.type === "model") await work.sessions.saw(key, { model: said.id });
      if (said.type === "usage") await work.sessions.usage(key, said.usage);
      if (said.type === "result") outcome = said.outcome;
    }
  } finally {
    const end = outcome === undefined ? "lost" : outcome.is === "done" ? "done" : outcome.code;
    await work.sessions.close(key, end);
  }
  signal.throwIfAborted();
  if (outcome?.is !== "done")
    throw new Trouble(outcome?.code ?? "agent-silent", outcome?.why ?? "It ended without a result.", {
      permanent: outcome?.how === "give-up",
    });
  const answer = readQuestionAnswer(outcome);
  if (answer === undefined) throw new Trouble("question-unanswered", "The agent said nothing.");
  return answer;
}

/** The conversation that the question stands in, with the diff it hangs on. */
async function conversation(
  shop: Workshop,
  { ask, comment }: Waiting,
  { repo, pull }: { readonly repo: KnownRepo; readonly pull: number | undefined },
): Promise<readonly Untrusted[] | undefined> {
  if (ask.on === undefined || pull === undefined) return undefined;
  const threads = await shop.forge.threads({ repo, number: pull });
  const thread = threads.find(({ comments }) => comments.some(({ id }) => id === comment.id));
  if (thread === undefined) return undefined;
  const said = thread.comments.map(({ by, body }) => `@${by}: ${body}`);
  return [
    `On ${thread.path}${thread.lines === undefined ? "" : `:${thread.lines.to}`}`,
    { code: thread.hunk },
    ...said,
  ];
}
