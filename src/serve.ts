/** A port of this host on which a server answers. */
import { serve, type ServerType } from "@hono/node-server";
import { problemOf } from "./problems.ts";

/**
 * So long an idle connection is kept, in milliseconds: longer than the proxies that stand before us keep theirs (60 s in nginx
 * and an AWS load balancer, 90 in cloudflared and Traefik, 120 in Caddy). Node's own 5 s end a connection in the very moment
 * in which the proxy sends a delivery into it, and its sender is told 502.
 */
const idleMs = 150_000;

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
    if ("keepAliveTimeout" in server) server.keepAliveTimeout = idleMs;
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
