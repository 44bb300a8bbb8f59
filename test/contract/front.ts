import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it arrived at the front. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly token: string | undefined;
  readonly body: unknown;
}
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
export interface Front {
  readonly url: string;
  readonly asked: Asked[];
  /** The next write reaches the forge and its answer is thrown away. */
  loseNextReply(): void;
  close(): Promise<void>;
}
interface FrontOptions {
  /** Where requests go that have no scripted answer. */
  readonly behind?: string;
  /** A scripted answer, `reset` to drop the connection, or undefined to pass the request on. */
  readonly script?: (asked: Asked) => Answer | "reset" | undefined;
  /** Corrects an answer on its way back. */
  readonly correct?: (asked: Asked, body: unknown) => unknown;
}

/** A server in front of a forge: it keeps a log, loses replies, and answers by script what the forge does not know. */
export async function openFront(options: FrontOptions): Promise<Front> {
  const asked: Asked[] = [];
  let losing = 0;
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const one: Asked = {
      method: request.method ?? "GET",
      path: request.url ?? "/",
      token: request.headers.authorization?.replace(/^\w+ /, ""),
      body: text === "" ? undefined : JSON.parse(text),
    };
    asked.push(one);
    const isWrite = one.method !== "GET" && !one.path.endsWith("/access_tokens");
    const isLost = isWrite && losing > 0;
    if (isLost) losing--;
    const answer = options.script?.(one) ?? (await passOn(options, one, request, text));
    if (isLost || answer === "reset") return void request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(answer.body === undefined ? "" : JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    loseNextReply: () => void losing++,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function passOn(
  { behind, correct }: FrontOptions,
  asked: Asked,
  request: IncomingMessage,
  text: string,
): Promise<Answer> {
  if (behind === undefined) return { status: 404, body: { message: "Not Found" } };
  const reply = await fetch(`${behind}${asked.path}`, {
    method: asked.method,
    headers: { authorization: request.headers.authorization ?? "", "content-type": "application/json" },
    ...(text === "" ? {} : { body: text }),
  });
  const said = await reply.text();
  const body: unknown = said === "" ? undefined : JSON.parse(said);
  const link = reply.headers.get("link");
  return {
    status: reply.status,
    ...(body === undefined ? {} : { body: correct === undefined ? body : correct(asked, body) }),
    ...(link === null ? {} : { headers: { link } }),
  };
}
