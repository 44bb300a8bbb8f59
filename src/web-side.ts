import { randomBytes, randomUUID } from "node:crypto";
import { peerUser } from "./adapters/peer-user.ts";
import type { Home } from "./home.ts";
import type { Environment } from "./config-environment.ts";
import { openDashboard } from "./shell/dashboard.ts";
import { openCommands } from "./shell/commands.ts";
import type { OrdersOptions } from "./shell/orders.ts";
import { releaseOf } from "./shell/pages/release.ts";
import { openRights } from "./shell/rights.ts";
import type { Workshop } from "./shell/workshop.ts";
import { createWeb, type Web, type WebOptions } from "./web/app.ts";

/** Where the page of a ticket is for people elsewhere; nowhere without a public address. */
export const ticketPages =
  (publicUrl: string | undefined) =>
  (ticket: string): string | undefined =>
    publicUrl === undefined ? undefined : `${publicUrl}/tickets/${encodeURIComponent(ticket)}`;

/** The dashboard, for whoever reaches this port by a name of this host or by its public address. */
export function openWeb(
  shop: Workshop,
  { host, access }: Environment,
  { login, writesTickets: writer }: Home,
  { refresh, failed, metrics }: Pick<OrdersOptions, "refresh"> & Pick<WebOptions, "failed" | "metrics">,
): Web {
  const { store, clock } = shop;
  const publicUrl = access?.publicUrl;
  const outside = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  return createWeb({
    dashboard: openDashboard(shop),
    commands: openCommands(shop, {
      store,
      writer,
      policyOf: async ({ repo }) => {
        const known = await store.repoById(repo);
        if (known === undefined) throw new Error(`repository ${repo} is not known`);
        return shop.rulesOf(known).policy;
      },
      now: () => clock.now(),
      newId: () => `web:${randomUUID()}`,
      mostUsd: () => shop.limits.dayStopUsd,
      releaseOf: (stored) => releaseOf(shop, stored),
      left: () => {
        for (const loop of ["intake", "schedule", "outbox"] as const) shop.poke(loop);
      },
      runDesk: shop.runDesk,
      refresh,
    }),
    failed,
    sessions: store,
    metrics,
    hosts: [...new Set(["127.0.0.1", "localhost", "[::1]", host.toLowerCase(), ...outside])],
    publicUrl,
    login,
    userOf: peerUser,
    people: openRights({
      forge: shop.forge,
      repos: store.knownRepos,
      operators: shop.operators ?? [],
      now: () => clock.now(),
    }),
    now: () => clock.now(),
    secret: () => randomBytes(32).toString("base64url"),
  });
}
