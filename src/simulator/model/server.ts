import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Answer, Asked, Dialect } from "./dialect.ts";
import { chat } from "./chat.ts";
import { messages } from "./messages.ts";
import { responses } from "./responses.ts";
import { markerIn, openScript } from "./scenario.ts";
import type { Breakage, Part, Scenario, Step } from "./scenario.ts";

export interface ModelServerOptions {
  readonly scenarios?: Readonly<Record<string, Scenario>>;
  /** Which scenario a prompt asks for; the last `[[name]]` in it when left out. */
  readonly choose?: (prompt: string) => string | undefined;
  /** A free one when left out. */
  readonly port?: number;
}
/** One request as it arrived. */
export interface ModelCall {
  readonly method: string;
  readonly path: string;
  /** Undefined when no dialect is spoken there. */
  readonly dialect: Dialect["name"] | undefined;
  readonly model: string | undefined;
  readonly scenario: string | undefined;
  readonly step: number | undefined;
  /** The body, byte for byte. */
  readonly raw: string;
}
export interface ModelServer {
  /** What Claude Code takes as `ANTHROPIC_BASE_URL`; Codex takes it with `/v1` as `base_url`. */
  readonly url: string;
  readonly calls: readonly ModelCall[];
  /** Adds a scenario, or replaces it. */
  script(name: string, scenario: Scenario): void;
  close(): Promise<void>;
}

const dialects: readonly Dialect[] = [responses, messages, chat];
const bodyLimitBytes = 64 * 1024 * 1024;

/** Starts a model on the loopback that says what a script tells it, in the dialects of Codex, Claude Code and most others. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const script = openScript(options.choose ?? markerIn);
  for (const [name, scenario] of Object.entries(options.scenarios ?? {})) script.set(name, scenario);
  const calls: ModelCall[] = [];
  let made = 0;
  const id = (prefix: string): string => `${prefix}${String((made += 1)).padStart(24, "0")}`;
  const server = createServer((request, response) => {
    serve({ script, calls, id }, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else json(response, 500, { error: { message: `the model server broke: ${String(error)}` } });
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(options.port ?? 0, "127.0.0.1", listening);
  });
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    script: script.set,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

interface Model {
  readonly script: ReturnType<typeof openScript>;
  readonly calls: ModelCall[];
  readonly id: (prefix: string) => string;
}

async function serve(
  { script, calls, id }: Model,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const raw = await bodyOf(request);
  const method = request.method ?? "GET";
  const { pathname } = new URL(request.url ?? "/", "http://model");
  const dialect = method === "POST" ? dialects.find(({ path }) => path === pathname) : undefined;
  const log = (more: Pick<ModelCall, "model" | "scenario" | "step"> = nothingKnown): void =>
    void calls.push({ method, path: pathname, dialect: dialect?.name, ...more, raw });
  if (dialect === undefined) {
    log();
    return json(response, 404, { error: { message: `the model server has no ${method} ${pathname}` } });
  }
  const asked = understood(dialect, raw, request);
  if (typeof asked === "string") {
    log();
    return json(response, 400, dialect.failure("server-error", asked).body);
  }
  const chosen = script.next(asked.conversation, asked.prompts);
  if (chosen.is === "nothing") {
    log({ ...nothingKnown, model: asked.model });
    return json(response, 400, dialect.failure("server-error", chosen.why).body);
  }
  log({ model: asked.model, scenario: chosen.scenario, step: chosen.step });
  perform(response, { dialect, asked, step: chosen.does, id });
}

const nothingKnown = { model: undefined, scenario: undefined, step: undefined };

/** What was asked, or what is wrong with the request. */
function understood(dialect: Dialect, raw: string, request: IncomingMessage): Asked | string {
  try {
    return dialect.read(JSON.parse(raw), request.headers);
  } catch (error) {
    return `the model server does not understand this request: ${String(error)}`;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > bodyLimitBytes) throw new Error(`a body over ${bodyLimitBytes} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString("utf8");
}

interface Due {
  readonly dialect: Dialect;
  readonly asked: Asked;
  readonly step: Step;
  readonly id: (prefix: string) => string;
}

function perform(response: ServerResponse, { dialect, asked, step, id }: Due): void {
  if ("fails" in step) {
    const { status, body } = dialect.failure(step.fails, undefined);
    return json(response, status, body, step.retryAfterSeconds);
  }
  // A stream that breaks was about to say something.
  const parts = "breaks" in step ? [{ say: "I was about to say something" }] : partsOf(step);
  const answer = dialect.answer(asked, parts, id);
  if ("breaks" in step) return broken(response, step.breaks, answer);
  if (!asked.isStream) return json(response, 200, answer.whole);
  begin(response);
  response.end(written(answer.events));
}

const partsOf = (step: Part | readonly Part[]): readonly Part[] => (isParts(step) ? step : [step]);
// `Array.isArray` does not narrow a readonly array away from the union.
const isParts = (step: Part | readonly Part[]): step is readonly Part[] => Array.isArray(step);

function broken(response: ServerResponse, how: Breakage, { events }: Answer): void {
  begin(response);
  const half = written(events.slice(0, Math.ceil(events.length / 2)));
  switch (how) {
    case "cut":
      // Destroying at once would drop what was written before it left.
      return void response.write(half, () => response.destroy());
    case "hang":
      return void response.write(half);
    case "malformed":
      return void response.end(`${half}${written([{ event: events[0]?.event, data: '{"type": oops' }])}`);
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
}
const written = (events: Answer["events"]): string =>
  events
    .map(({ event, data }) => {
      const line = `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
      return event === undefined ? line : `event: ${event}\n${line}`;
    })
    .join("");

function json(response: ServerResponse, status: number, body: unknown, retryAfterSeconds?: number): void {
  response.writeHead(status, {
    "content-type": "application/json",
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify(body));
}
