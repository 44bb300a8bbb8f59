/** A Smee channel on the loopback: what is posted to it goes to whoever listens, and is forgotten. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Channel {
  readonly url: string;
  readonly posted: number;
  /** Whether to forget the next one. */
  drops: () => boolean;
  post(message: object): void;
  /** Somebody listens. */
  heard(): Promise<void>;
  /** Breaks off every connection. */
  breakOff(): void;
  close(): Promise<void>;
}

export async function openChannel(): Promise<Channel> {
  const listeners = new Set<ServerResponse>();
  let listened = Promise.withResolvers<void>();
  let posted = 0;
  const pass = (message: object): void => {
    for (const one of listeners) one.write(`id: 1\ndata: ${JSON.stringify(message)}\n\n`);
  };
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: ready\ndata: {}\n\n");
      listeners.add(response);
      response.once("close", () => listeners.delete(response));
      listened.resolve();
      return;
    }
    let text = "";
    request.on("data", (bytes: Buffer) => (text += bytes.toString("utf8")));
    request.on("end", () => {
      posted += 1;
      // As the service does: the body is parsed, and the headers stand beside it.
      if (!channel.drops()) pass({ ...request.headers, body: JSON.parse(text) as object, timestamp: 1 });
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // `address` is an object for a server that listens on a port.
  const { port } = server.address() as AddressInfo;
  const channel: Channel = {
    url: `http://127.0.0.1:${port}/channel`,
    get posted() {
      return posted;
    },
    drops: () => false,
    post: pass,
    heard: () => listened.promise,
    breakOff: () => {
      listened = Promise.withResolvers<void>();
      for (const one of listeners) one.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return channel;
}
