/** Lets an agent work on a task until its answer fits, whatever interrupts it. */
import type { ZodType } from "zod";
import { answerIn, isText } from "./agent-answer.ts";
import {
  addUsage,
  nameOf,
  newMemory,
  noUsage,
  readMemory,
  usageInWords,
  writeMemory,
  type AgentMemory,
} from "./agent-memory.ts";
import {
  measureAfter,
  nudge,
  stalledSign,
  troubleOf,
  watchCalls,
  type Sign,
  type ToolCall,
} from "./headway.ts";
import type { AgentEnd, AgentOrder, AgentSaid, AgentWay, HostAgent, Said } from "./host.ts";
import type { Step } from "./node.ts";
import { isTimeout } from "./shell-task.ts";

export interface AgentTask {
  readonly id: string;
  /** First choice first. */
  readonly chain: readonly string[];
  readonly prompt: string;
  readonly access: "read" | "write";
  /** Of the first choice; the others work on their own. */
  readonly model: string | undefined;
  readonly way: AgentWay | undefined;
  readonly usd: number | undefined;
  readonly repairs: number;
  /** The leaf whose session it goes on in. */
  readonly continues: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly output: ZodType;
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Times a session that ran out of turns or time is continued. */
const mostContinued = 3;
/** The same tool call this often in a row, with no file changed, is no headway. */
const mostRepeats = 10;
/** Kept of one line of a transcript. */
const longestLine = 64 * 1024;

/** One attempt: what its turns share. */
interface Talk {
  readonly task: AgentTask;
  readonly step: Step;
  readonly folder: string;
  memory: AgentMemory;
}
type Ended =
  | { readonly is: "answer"; readonly answer: unknown }
  | { readonly is: "blocked" | "silent"; readonly why: string };
/** What follows a sign: what is said next, or the end of this agent's turn at it. */
type Prodded = { readonly say: string } | { readonly over: Ended };

/** Works through the chain until one agent answers. What none of them can do is for a person. */
export async function performAgent(task: AgentTask, step: Step): Promise<unknown> {
  const { agents } = step.host;
  const before = readMemory(step.memory);
  const other = before === undefined ? continued(task, step) : undefined;
  const order = chainOf(task, before ?? other);
  const talk: Talk = { task, step, folder: step.folder, memory: before ?? newMemory(order[0] ?? "") };
  if (other?.session !== undefined && other.agent === order[0]) talk.memory.session = other.session;
  const troubles: string[] = [];
  let lastWas: Ended["is"] = "blocked";
  for (const [index, name] of order.entries()) {
    const agent = agents.get(name);
    if (talk.memory.agent !== name) talk.memory = newMemory(name, talk.memory.usage);
    const ended: Ended = agent === undefined ? absent([...agents.keys()]) : await converse(talk, agent);
    if (ended.is === "answer") {
      const answer = redacted(ended.answer, step.host);
      say(talk, "output", typeof answer === "string" ? answer : JSON.stringify(answer));
      return answer;
    }
    const next = order[index + 1];
    lastWas = ended.is;
    const trouble = `${name} cannot work on "${step.leaf}": ${ended.why}`;
    troubles.push(trouble);
    say(talk, "waiting", next === undefined ? trouble : `${trouble}\n${next} is tried in its place`);
  }
  throw failure(talk, troubles.join("\n"), lastWas === "silent" ? {} : { permanent: true });
}

/** An answer is kept for ever: every text in it without what must not be kept. */
function redacted(answer: unknown, host: Step["host"]): unknown {
  if (typeof answer === "string") return host.redact(answer);
  if (Array.isArray(answer)) return answer.map((one) => redacted(one, host));
  if (typeof answer !== "object" || answer === null) return answer;
  return Object.fromEntries(Object.entries(answer).map(([name, one]) => [name, redacted(one, host)]));
}

const absent = (there: readonly string[]): Ended => ({
  is: "blocked",
  why: `no agent of this name is configured here; configured: ${there.length === 0 ? "none" : there.join(", ")}`,
});

/** What the other task remembers; its id stands beside ours, under the same calls. */
function continued({ id, continues }: AgentTask, step: Step): AgentMemory | undefined {
  if (continues === undefined) return undefined;
  return readMemory(step.memoryOf(`${step.leaf.slice(0, step.leaf.length - id.length)}${continues}`));
}

/** Who has the session to go on in begins. */
function chainOf({ chain }: AgentTask, memory: AgentMemory | undefined): readonly string[] {
  const first = memory?.agent;
  return first !== undefined && chain.includes(first)
    ? [first, ...chain.filter((name) => name !== first)]
    : chain;
}

/** Turn after turn with one agent in one session. */
async function converse(talk: Talk, agent: HostAgent): Promise<Ended> {
  const { task, step, memory } = talk;
  const left = { repairs: task.repairs, continued: mostContinued, afresh: 1 };
  let prompt = firstPrompt(talk);
  await step.remember(writeMemory(memory));
  for (;;) {
    const { end, sign } = await oneTurn(talk, agent, prompt);
    const prodded = sign === undefined || end.is === "done" ? undefined : await prod(talk, agent, sign);
    if (prodded !== undefined) {
      if ("over" in prodded) return prodded.over;
      prompt = prodded.say;
    } else if (end.is === "done") {
      const found = answerIn(end, task.output, task.schema);
      if (found.is === "fit") return { is: "answer", answer: found.answer };
      memory.problem = step.host.redact(found.why);
      await step.remember(writeMemory(memory));
      if (left.repairs === 0) {
        const times = task.repairs === 0 ? "" : ` after ${task.repairs} rounds of repair`;
        const text = `the answer of ${agent.name} to "${step.leaf}" does not fit${times}: ${found.why}`;
        throw failure(talk, text, { permanent: true });
      }
      left.repairs -= 1;
      prompt = repairPrompt(talk, found.why, end.text);
    } else if (end.code === "session-unknown" && memory.session !== undefined && left.afresh > 0) {
      left.afresh -= 1;
      delete memory.session;
      say(talk, "waiting", `${agent.name} no longer knows the session; it starts afresh`);
      prompt = orderFor(task);
    } else if (end.how === "unfinished" && memory.session !== undefined && left.continued > 0) {
      left.continued -= 1;
      say(talk, "waiting", `${end.why}; it goes on`);
      prompt = goOn;
    } else if (end.how === "blocked") {
      return { is: "blocked", why: end.why };
    } else {
      throw await endOf(talk, agent, end);
    }
  }
}

/** What is left of a turn that is tried no more in this attempt. */
async function endOf(
  talk: Talk,
  agent: HostAgent,
  { how, why, retryAt }: Extract<AgentEnd, { is: "failed" }>,
): Promise<Error> {
  const { memory, step, task } = talk;
  if (how === "retry")
    return failure(talk, why, { infrastructure: true, ...(retryAt === undefined ? {} : { retryAt }) });
  if (how === "unfinished" && memory.session !== undefined)
    return failure(
      talk,
      `${agent.name} is not done with "${task.id}" after ${mostContinued + 1} turns: ${why}`,
    );
  // What cannot be done in this session may be done in a new one.
  delete memory.session;
  await step.remember(writeMemory(memory));
  return failure(talk, why);
}

/** One turn, told to the transcript as it goes; what can be resumed is remembered at once. */
async function oneTurn(
  talk: Talk,
  agent: HostAgent,
  prompt: string,
): Promise<{ readonly end: AgentEnd; readonly sign: Sign | undefined }> {
  const { step, task } = talk;
  say(talk, "prompt", prompt);
  let end: AgentEnd | undefined;
  let sign: Sign | undefined;
  const stop = new AbortController();
  const signOf = await guardOf(talk);
  try {
    for await (const said of agent.work(
      turnOrder(talk, prompt),
      AbortSignal.any([step.signal, stop.signal]),
    )) {
      if (said.type === "result") end = said.outcome;
      else await hear(talk, said);
      if (said.type !== "tool" || sign !== undefined) continue;
      sign = await signOf(said);
      if (sign !== undefined) stop.abort();
    }
  } catch (error) {
    if (!step.signal.aborted) throw error;
  }
  // Stopped from outside: what the agent had to say of that is no outcome of the work.
  if (isTimeout(step.signal))
    throw failure(talk, `"${step.leaf}" took longer than the ${task.timeoutMs ?? "few"} ms it may`);
  step.signal.throwIfAborted();
  end ??= { is: "failed", how: "retry", code: "no-result", why: `${agent.name} ended without a result` };
  if (end.is === "failed" && end.code === "stalled") sign ??= stalledSign(end.why);
  return { end, sign };
}

/** Tells of each tool call what it is a sign of, while no file changes. Where that cannot be told, nothing is a sign. */
async function guardOf({ step, task, folder }: Talk): Promise<(call: ToolCall) => Promise<Sign | undefined>> {
  const watch = watchCalls({ repeats: mostRepeats });
  const print = async () => await step.host.fingerprint?.(folder).catch(() => undefined);
  const writes = task.access === "write";
  let before = writes ? await print() : undefined;
  return async (call) => {
    const sign = watch.see(call);
    if (sign === undefined || !writes) return sign;
    const now = await print();
    if (now !== undefined && now === before) return sign;
    before = now;
    watch.forget();
    return undefined;
  };
}

/** What an agent that gets nowhere is told next. Whoever stays silent is over; of any other the task itself is what failed. */
async function prod(talk: Talk, agent: HostAgent, sign: Sign): Promise<Prodded> {
  const { memory, step, task } = talk;
  const measure = measureAfter(memory.signs.length);
  const why = step.host.redact(sign.why);
  if (measure === "give up") {
    const signs = [...memory.signs, { is: sign.is, why }];
    const all = signs.map((one) => one.why).join("; then ");
    // What cannot be done in this session may be done in a new one.
    delete memory.session;
    memory.signs = [];
    await step.remember(writeMemory(memory));
    const text = `${agent.name} got nowhere with "${task.id}", was told so and begun once more: ${all}`;
    if (troubleOf(signs) === "runtime") return { over: { is: "silent", why: text } };
    throw failure(talk, text);
  }
  memory.signs.push({ is: sign.is, why });
  await step.remember(writeMemory(memory));
  say(talk, "waiting", `${why}; it is ${measure === "nudge" ? "told so" : "begun once more in its session"}`);
  const isKnown = measure === "nudge" && memory.session !== undefined;
  return { say: `${nudge(sign)}\n\n${isKnown ? goOn : orderFor(task)}` };
}

function turnOrder({ task, step, memory, folder }: Talk, prompt: string): AgentOrder {
  const spent = memory.usage.usd ?? 0;
  const usd = task.usd === undefined ? undefined : task.usd - spent;
  if (usd !== undefined && usd <= 0)
    throw permanent(
      `"${step.leaf}" has spent $${spent.toFixed(2)} of the $${task.usd} it may; raise \`usd\``,
    );
  return {
    key: `${step.key}#${step.attempt}`,
    prompt,
    folder,
    resume: memory.session,
    access: task.access,
    schema: isText(task.schema) ? undefined : task.schema,
    run: step.run,
    model: memory.agent === task.chain[0] ? task.model : undefined,
    way: task.way,
    usd,
  };
}

async function hear(talk: Talk, said: Exclude<AgentSaid, { type: "result" }>): Promise<void> {
  const { step, memory } = talk;
  switch (said.type) {
    case "session":
      memory.session = said.id;
      break;
    case "model":
      if (memory.models.includes(said.id)) return;
      memory.models.push(said.id);
      break;
    case "usage":
      await noteHeard(talk);
      memory.usage = addUsage(memory.usage, said.usage);
      say(
        talk,
        "usage",
        `${usageInWords(addUsage(noUsage, said.usage))} (${usageInWords(memory.usage)} so far)`,
      );
      break;
    case "text":
      await noteHeard(talk);
      return say(talk, "text", said.text);
    case "tool":
      await noteHeard(talk);
      return say(talk, "tool", `${said.name} ${said.detail}`.trim());
    case "waiting":
      return say(talk, "waiting", `${said.why} (${Math.ceil(said.ms / 1000)} s)`);
  }
  await step.remember(writeMemory(memory));
}

/** It acts, so it has heard what it was told. */
async function noteHeard({ memory, task, step }: Talk): Promise<void> {
  const prompt = nameOf(task.prompt);
  if (memory.prompt === prompt && memory.problem === undefined) return;
  memory.prompt = prompt;
  delete memory.problem;
  await step.remember(writeMemory(memory));
}

const goOn =
  "Go on where you stopped: look at what is there already, finish the task you were given, and answer as you were asked to.";

/** The task itself for a new session; little for one that knows it. */
function firstPrompt({ task, memory, step }: Talk): string {
  const before = readMemory(step.memory);
  const isKnown = memory.session !== undefined && before?.session === memory.session;
  // A session that never acted may not even know what it was asked.
  if (!isKnown || before.prompt === "") return orderFor(task);
  const problem = before.problem === undefined ? "" : `\n\nYour last answer did not fit:\n${before.problem}`;
  const changed =
    before.prompt === nameOf(task.prompt) ? "" : `\n\nThe task has changed. It is now:\n\n${orderFor(task)}`;
  return `You were interrupted. ${goOn}${problem}${changed}`;
}

function orderFor({ prompt, schema }: AgentTask): string {
  return isText(schema)
    ? prompt
    : `${prompt}\n\nWhen all is done, answer with nothing but JSON that fits this JSON schema:\n${JSON.stringify(schema)}`;
}

/** In a session that can be resumed the agent knows the rest; else it is told all again. */
function repairPrompt({ task, memory }: Talk, why: string, text: string): string {
  const what = `Your answer does not fit what was asked for:\n${why}\n\nAnswer again, in full, with nothing but what was asked for.`;
  if (memory.session !== undefined) return what;
  return `${orderFor(task)}\n\nYou have worked on this before. You answered:\n${text}\n\n${what}`;
}

const say = ({ step }: Talk, kind: Said["kind"], text: string): void =>
  step.say({ kind, text: text.length > longestLine ? `${text.slice(0, longestLine)}…` : text });

const permanent = (text: string): Error => Object.assign(new Error(text), { permanent: true });

/** Words of an agent or its maker may hold what must not be kept. */
const failure = (
  { step }: Talk,
  text: string,
  how: { readonly permanent?: true; readonly infrastructure?: true; readonly retryAt?: number } = {},
): Error => Object.assign(new Error(step.host.redact(text)), how);
