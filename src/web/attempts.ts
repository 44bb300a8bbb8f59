/** How often somebody may come with a wrong secret before nobody listens for a while. Not kept: a restart forgets. */
import type { Context } from "hono";

/** Wrong ones from one address within a minute. */
export const maxFailures = 20;
/** Orders of one person within a minute. */
export const maxOrders = 60;
const windowMs = 60_000;
/** Addresses that are remembered; beyond that the oldest is forgotten. */
const maxAddresses = 10_000;

export interface Attempts {
  /** Undefined while this address may try; else how many seconds it has to wait. */
  waitSeconds(address: string): number | undefined;
  failed(address: string): void;
}

export function openAttempts(now: () => number, most: number): Attempts {
  const failures = new Map<string, { readonly until: number; readonly count: number }>();
  const of = (address: string) => {
    const found = failures.get(address);
    return found !== undefined && found.until > now() ? found : undefined;
  };
  return {
    waitSeconds: (address) => {
      const found = of(address);
      return found === undefined || found.count < most ? undefined : Math.ceil((found.until - now()) / 1_000);
    },
    failed: (address) => {
      const { until, count } = of(address) ?? { until: now() + windowMs, count: 0 };
      failures.delete(address);
      failures.set(address, { until, count: count + 1 });
      const [oldest] = failures.keys();
      if (failures.size > maxAddresses && oldest !== undefined) failures.delete(oldest);
    },
  };
}

/** The other end of the connection; undefined where there is none, in tests. */
export function peerOf(context: Context): { readonly address: string; readonly port: number } | undefined {
  const { incoming } = (context.env ?? {}) as {
    readonly incoming?: {
      readonly socket?: { readonly remoteAddress?: string; readonly remotePort?: number };
    };
  };
  const { remoteAddress: address, remotePort: port } = incoming?.socket ?? {};
  return address === undefined || port === undefined ? undefined : { address, port };
}

/** Where a request comes from; behind a proxy of this host or network, what that says of it. */
export function addressOf(context: Context): string {
  const peer = (peerOf(context)?.address ?? "").replace(/^::ffff:/u, "");
  // The last one is what the nearest proxy saw; those before it anybody may have written.
  const told = context.req.header("x-forwarded-for")?.split(",").at(-1)?.trim();
  return told !== undefined && told !== "" && isNear(peer) ? told.slice(0, 64) : peer;
}

const isNear = (address: string): boolean =>
  address === "" ||
  /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd][\da-f]{2}:)/iu.test(address);
