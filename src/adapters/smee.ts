/** Listens to a Smee channel: server-sent events, each a webhook that somebody posted there. */
import type { Clock } from "../ports.ts";
import { z } from "zod";

/** A webhook as the channel passes it on; nothing about it is believed. */
export interface Passed {
  readonly id: string;
  readonly name: string;
  readonly signature: string;
  readonly body: string;
}
export interface SmeeOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly hear: (passed: Passed) => Promise<void>;
  /** The channel is open again: whatever was posted meanwhile it has forgotten. */
  readonly opened: () => void;
  readonly warn: (why: string) => void;
}

/** The channel sends a ping every half minute; silent for longer, it is dead without saying so. */
const silenceMs = 90_000;
/** GitHub's payloads end at 25 MB; escaped once more they are larger. */
const maxEventChars = 60_000_000;
const firstWaitMs = 1_000;
const longestWaitMs = 60_000;

const Message = z.object({
  "x-github-delivery": z.string().regex(/^[\w-]{1,100}$/u),
  "x-github-event": z.string().regex(/^[a-z0-9_]{1,64}$/u),
  "x-hub-signature-256": z.string().regex(/^sha256=[0-9a-f]{64}$/u),
  body: z.union([z.string(), z.record(z.string(), z.unknown())]),
});

/** Listens until it is stopped, and connects again whenever the channel breaks off. */
export function openSmee(options: SmeeOptions): { stop(): Promise<void> } {
  const ending = new AbortController();
  const listening = listen(options, ending.signal);
  return {
    stop: async () => {
      ending.abort();
      await listening;
    },
  };
}

async function listen(options: SmeeOptions, ended: AbortSignal): Promise<void> {
  const { clock, random, warn } = options;
  let failures = 0;
  while (!ended.aborted) {
    try {
      await readChannel(options, ended, () => {
        failures = 0;
        options.opened();
      });
    } catch (error) {
      if (ended.aborted) return;
      if (failures === 0) warn(error instanceof Error ? causeOf(error) : String(error));
    }
    failures += 1;
    const waitMs = Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs) * (1 - random() / 5);
    await clock.until(clock.now() + waitMs, ended).catch(() => undefined);
  }
}

const causeOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message : error.message;

async function readChannel(options: SmeeOptions, ended: AbortSignal, opened: () => void): Promise<void> {
  const dead = new AbortController();
  const signal = AbortSignal.any([ended, dead.signal]);
  let pulse = new AbortController();
  const beat = (): void => {
    pulse.abort();
    pulse = new AbortController();
    const { clock } = options;
    clock.until(clock.now() + silenceMs, pulse.signal).then(
      () => dead.abort(new Error("the channel fell silent")),
      () => undefined,
    );
  };
  beat();
  try {
    const answer = await options.fetch(options.url, {
      headers: { accept: "text/event-stream" },
      redirect: "error",
      signal,
    });
    const isStream = answer.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (!answer.ok || answer.body === null || !isStream) {
      await answer.body?.cancel();
      throw new Error(`the channel answers ${answer.status} and no stream of events`);
    }
    opened();
    const texts = answer.body.pipeThrough(new TextDecoderStream());
    for await (const event of eventsIn(texts, beat)) await pass(options, event);
    throw new Error("the channel closed the stream");
  } finally {
    pulse.abort();
  }
}

/** The data of each event that has no name of its own: pings and greetings have one. */
async function* eventsIn(texts: AsyncIterable<string>, beat: () => void): AsyncGenerator<string> {
  let rest = "";
  let data: string[] = [];
  let chars = 0;
  let name = "";
  for await (const text of texts) {
    beat();
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/u);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0 && (name === "" || name === "message")) yield data.join("\n");
        [data, chars, name] = [[], 0, ""];
      } else if (line.startsWith("data:")) {
        chars += line.length;
        data.push(line.slice(5).replace(/^ /u, ""));
      } else if (line.startsWith("event:")) name = line.slice(6).trim();
    }
    if (rest.length + chars > maxEventChars) throw new Error("the channel sent an event that is too long");
  }
}

async function pass({ hear, warn }: SmeeOptions, data: string): Promise<void> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return warn("the channel passed on something that is no JSON");
  }
  const message = Message.safeParse(parsed);
  // Anybody may post to a channel whose name he knows.
  if (!message.success) return warn("the channel passed on something that is no webhook of GitHub");
  const { body } = message.data;
  await hear({
    id: message.data["x-github-delivery"],
    name: message.data["x-github-event"],
    signature: message.data["x-hub-signature-256"],
    // It was parsed on its way; GitHub signs compact JSON, so this is what was signed.
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}
