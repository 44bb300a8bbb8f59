/**
 * The only way out of a sandbox without a network: it takes an agent's calls on a socket, lets those to its model pass,
 * and adds the key. Nothing it carries is kept or logged.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Transform } from "node:stream";

/** The endpoint of a model, and what lends access to it. */
export interface ModelUpstream {
  readonly dialect: "anthropic" | "openai" | "google";
  /** Of Anthropic's and Google's API the root, of OpenAI's the folder: `https://api.openai.com/v1`. */
  readonly url: string;
  /** Headers with the credential; asked for with every call, so that a new key is used at once. */
  credential(): Promise<Readonly<Record<string, string>>>;
  /** Variables that name an outgoing proxy, such as HTTPS_PROXY. */
  readonly proxyEnvironment: Readonly<Record<string, string>>;
}
export interface ModelProxyOptions {
  readonly upstream: ModelUpstream;
  /** Unix socket to listen on. */
  readonly socket: string;
  /** What the agent holds in place of a key; calls without it are refused. */
  readonly token: string;
}
export interface ModelProxy {
  close(): Promise<void>;
}

/** What may be asked, and where that is at the endpoint. */
const routes: Readonly<
  Record<Exclude<ModelUpstream["dialect"], "google">, Readonly<Record<string, string>>>
> = {
  anthropic: {
    "POST /v1/messages": "/v1/messages",
    "POST /v1/messages/count_tokens": "/v1/messages/count_tokens",
  },
  openai: {
    "POST /v1/responses": "/responses",
    "POST /v1/responses/compact": "/responses/compact",
    "POST /v1/chat/completions": "/chat/completions",
    "GET /v1/models": "/models",
  },
};
/** Google names the model in the path. */
const googleRoute =
  /^POST (\/v1(?:alpha|beta)?\/models\/[\w.-]{1,100}:(?:generateContent|streamGenerateContent|countTokens))$/u;

function routeOf(dialect: ModelUpstream["dialect"], asked: string): string | undefined {
  if (dialect === "google") return googleRoute.exec(asked)?.[1];
  return Object.hasOwn(routes[dialect], asked) ? routes[dialect][asked] : undefined;
}

/** Of one connection only, or a credential: neither is passed on in either direction. */
const withheld: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "location",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-api-key",
  "x-goog-api-key",
]);
const bodyLimitBytes = 64 * 1024 * 1024;
/** Without a byte from the model; runtimes have shorter limits of their own. */
const silenceMs = 15 * 60_000;
const maxConnections = 64;

/** Opens it; it takes calls until it is closed. */
export async function openModelProxy(options: ModelProxyOptions): Promise<ModelProxy> {
  const isHttps = options.upstream.url.startsWith("https:");
  const agentOptions = { keepAlive: true, proxyEnv: { ...options.upstream.proxyEnvironment } };
  const agent = isHttps ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const pass = { ...options, agent, request: isHttps ? httpsRequest : httpRequest };
  const server = createServer((incoming, response) => {
    carry(pass, incoming, response).catch(() => {
      refuse(response, 502, "the way to the model is broken");
    });
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(options.socket, listening);
  });
  return {
    close: async () => {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

interface Pass extends ModelProxyOptions {
  readonly agent: HttpAgent;
  readonly request: typeof httpRequest;
}

async function carry(pass: Pass, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { upstream, token, agent, request } = pass;
  if (!holds(incoming.headers, token)) return refuse(response, 401, "this agent has no access to the model");
  const asked = new URL(incoming.url ?? "/", "http://model");
  const route = routeOf(upstream.dialect, `${incoming.method} ${asked.pathname}`);
  if (route === undefined) return refuse(response, 403, "only calls to the model are let through");
  const credential = await upstream.credential();
  const outgoing = request(`${upstream.url}${route}${asked.search}`, {
    method: incoming.method,
    headers: { ...passedOn(incoming.headers), ...credential },
    agent,
    timeout: silenceMs,
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error("silent")));
  outgoing.on("error", () => refuse(response, 502, "the model cannot be reached"));
  outgoing.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
    // Each event of a stream counts: none waits for the next.
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  response.on("error", () => outgoing.destroy());
  response.on("close", () => outgoing.destroy());
  const body = atMost(bodyLimitBytes);
  body.on("error", () => {
    outgoing.destroy();
    refuse(response, 413, "the call is too large");
  });
  incoming.pipe(body).pipe(outgoing);
}

/** The token stands where a runtime puts its key. */
function holds(headers: IncomingHttpHeaders, token: string): boolean {
  const key = headers["x-api-key"] ?? headers["x-goog-api-key"];
  const given = typeof key === "string" ? key : headers.authorization?.replace(/^Bearer /u, "");
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/** What the connection header names belongs to that connection too. */
function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? "").toLowerCase().split(/\s*,\s*/u));
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !withheld.has(name) && !named.has(name)),
  );
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ type: "error", error: { type: "forgehand", message } }));
}

function atMost(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new Error("too large"));
      else done(null, chunk);
    },
  });
}
