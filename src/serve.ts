/** A port of this host on which a server answers. */
import { serve, type ServerType } from "@hono/node-server";
import { problemOf } from "./problems.ts";

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** Takes the port; any free one for port 0. Throws a `Problem` where it is not to be had. */
export async function serveAt(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Served> {
  return await new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address) =>
      resolve({ url: `http://${host}:${address.port}`, stop: () => close(server) }),
    );
    server.once("error", (error: unknown) => reject(problemOf(error, { host, port }) ?? error));
  });
}

/** Until now it said how it is; whoever still listens is hung up on. */
async function close(server: ServerType): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
}
