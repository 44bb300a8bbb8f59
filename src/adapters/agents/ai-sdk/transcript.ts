import { mkdir, open, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { ModelMessage } from "ai";
import { z } from "zod";
import type { Instant } from "../../../ports.ts";
import type { SessionId } from "../../../ports-agents.ts";

/** What a session was asked, said and did, one message a line. Only whole lines count: a crash may tear the last one. */
export interface Transcript {
  readonly id: SessionId;
  messages(): readonly ModelMessage[];
  /** On the disk when it resolves. */
  append(...messages: readonly ModelMessage[]): Promise<void>;
  /** Keeps what a person says meanwhile, on the disk when it resolves. */
  hear(words: string): Promise<void>;
  /** Makes one message of what was heard since; to be called where a message may stand. */
  takeIn(): Promise<"something" | "nothing">;
}
export interface Transcripts {
  create(id: SessionId, now: Instant): Promise<Transcript>;
  /** Undefined when there is none, or one with a line that is no message. */
  open(id: SessionId, isMessage: (line: unknown) => line is ModelMessage): Promise<Transcript | undefined>;
}

/** A session nobody went on with for so long is gone. */
const keptMs = 90 * 24 * 60 * 60_000;

const headSchema = z.object({ session: z.string(), agent: z.string(), version: z.literal(1) });
/** `taken`: how much of what was heard stands in the messages up to this one. */
const lineSchema = z.union([
  z.object({ heard: z.string() }),
  z.object({ message: z.unknown(), taken: z.int().min(0).optional() }),
]);

interface Kept {
  readonly messages: ModelMessage[];
  readonly heard: string[];
  taken: number;
}

/** The sessions of one agent, below a folder only this user can open. */
export function openTranscripts(stateDir: string, agent: string): Transcripts {
  const folder = join(stateDir, "ai-sdk", agent.replaceAll(/[^\w-]/gu, "_"));
  const fileOf = (id: SessionId): string => join(folder, `${id}.jsonl`);
  return {
    create: async (id, now) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await collect(folder, now - keptMs);
      const transcript = transcriptAt(fileOf(id), id, { messages: [], heard: [], taken: 0 });
      await write(fileOf(id), [{ session: id, agent, version: 1 }]);
      return transcript;
    },
    open: async (id, isMessage) => {
      if (!isSessionId(id)) return undefined;
      const text = await readFile(fileOf(id), "utf8").catch(() => undefined);
      if (text === undefined) return undefined;
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      if (whole.length < text.length) await truncate(fileOf(id), Buffer.byteLength(whole));
      const [head, ...lines] = whole.split("\n").slice(0, -1).map(tryJson);
      const said = headSchema.safeParse(head);
      const kept = keptIn(lines, isMessage);
      const isOurs = said.success && said.data.session === id && said.data.agent === agent;
      return isOurs && kept !== undefined ? transcriptAt(fileOf(id), id, kept) : undefined;
    },
  };
}

/** Ids are our own, so one of another shape is somebody else's, and never becomes part of a path. */
export const isSessionId = (id: string): boolean => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/u.test(id);

function keptIn(
  lines: readonly unknown[],
  isMessage: (line: unknown) => line is ModelMessage,
): Kept | undefined {
  const kept: Kept = { messages: [], heard: [], taken: 0 };
  for (const line of lines) {
    const read = lineSchema.safeParse(line).data;
    if (read === undefined) return undefined;
    if ("heard" in read) {
      kept.heard.push(read.heard);
      continue;
    }
    if (!isMessage(read.message)) return undefined;
    kept.messages.push(read.message);
    kept.taken = read.taken ?? kept.taken;
  }
  return kept;
}

function transcriptAt(file: string, id: SessionId, kept: Kept): Transcript {
  const { messages, heard } = kept;
  let before: Promise<unknown> = Promise.resolve();
  // A person may speak while we write: one line after the other.
  const inTurn = (lines: readonly unknown[]): Promise<void> => {
    const written = before.then(() => write(file, lines));
    before = written.catch(() => undefined);
    return written;
  };
  return {
    id,
    messages: () => messages,
    append: async (...more) => {
      await inTurn(more.map((message) => ({ message })));
      messages.push(...more);
    },
    hear: async (words) => {
      await inTurn([{ heard: words }]);
      heard.push(words);
    },
    takeIn: async () => {
      // Whoever is speaking now is heard out.
      await before;
      const words = heard.slice(kept.taken);
      if (words.length === 0) return "nothing";
      const message: ModelMessage = { role: "user", content: words.join("\n\n") };
      const taken = kept.taken + words.length;
      await inTurn([{ message, taken }]);
      messages.push(message);
      kept.taken = taken;
      return "something";
    },
  };
}

async function write(file: string, lines: readonly unknown[]): Promise<void> {
  const handle = await open(file, "a", 0o600);
  try {
    await handle.writeFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function collect(folder: string, before: Instant): Promise<void> {
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found !== undefined && found.mtimeMs < before) await rm(join(folder, name), { force: true });
  }
}

export interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** Calls of tools that no result answers yet. */
export function openCalls(messages: readonly ModelMessage[]): readonly OpenCall[] {
  const open = new Map<string, OpenCall>();
  for (const { role, content } of messages) {
    if (typeof content === "string") continue;
    for (const part of content) {
      if (role === "assistant" && part.type === "tool-call" && part.providerExecuted !== true)
        open.set(part.toolCallId, { id: part.toolCallId, name: part.toolName, input: part.input });
      if (part.type === "tool-result") open.delete(part.toolCallId);
    }
  }
  return [...open.values()];
}

/** The answer to one call of a tool. */
export function answerTo(
  call: OpenCall,
  answer: { readonly is: "ok" | "error"; readonly text: string },
): ModelMessage {
  const type = answer.is === "ok" ? "text" : "error-text";
  return {
    role: "tool",
    content: [
      {
        type: "tool-result",
        toolCallId: call.id,
        toolName: call.name,
        output: { type, value: answer.text },
      },
    ],
  };
}

/** As they are sent: the answers to one message in one message, as some makers demand. */
export function asSent(messages: readonly ModelMessage[]): ModelMessage[] {
  const sent: ModelMessage[] = [];
  for (const message of messages) {
    const last = sent.at(-1);
    if (message.role === "tool" && last?.role === "tool")
      sent[sent.length - 1] = { ...last, content: [...last.content, ...message.content] };
    else sent.push(message);
  }
  return sent;
}

function tryJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
