/** The port that forgehand listens on. */
import { serve, type ServerType } from "@hono/node-server";
import { problemOf } from "./problems.ts";

export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}
export interface OpenPort {
  readonly url: string;
  /** Until now it said how it is; whoever still listens is hung up on. */
  close(): Promise<void>;
}

/** Throws a `Problem` when somebody else has the port. */
export async function listenOn(
  { host, port }: Address,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<OpenPort> {
  return await new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address) =>
      resolve({ url: `http://${nameIn(host)}:${address.port}`, close: () => close(server) }),
    );
    server.once("error", (error: unknown) => reject(problemOf(error, { host, port }) ?? error));
  });
}

/** As an address has it: IPv6 stands in brackets there. */
export const nameIn = (host: string): string => (host.includes(":") ? `[${host}]` : host);

async function close(server: ServerType): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
