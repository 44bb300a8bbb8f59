import { createHmac, randomUUID } from "node:crypto";
import type { Clock } from "../../ports.ts";

export interface Target {
  readonly id: string;
  readonly url: string | undefined;
  readonly secret: string;
}
export interface SimDelivery {
  /** `Linear-Delivery`: the same for every attempt at one delivery. */
  readonly id: string;
  /** `Linear-Event`: `Issue`, `Comment`, `AgentSessionEvent`... */
  readonly event: string;
  readonly action: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly to: Target;
  /** Stamps it with another instant than that of its sending, as an old one played back has. */
  readonly stampedAt?: number;
  /** When it was sent and what was answered; 0 when nothing was. */
  readonly attempts: { readonly at: number; readonly status: number }[];
  /** Set once nobody will try again. */
  outcome: "delivered" | "lost" | "given up" | undefined;
}
/** Sends webhooks, in order, and tries again as Linear does: a minute, an hour and six hours later. */
export interface Courier {
  readonly deliveries: SimDelivery[];
  send(to: Target, event: string, action: string, payload: Readonly<Record<string, unknown>>): void;
  /** Sends the same once more under the same id, now. */
  redeliver(delivery: SimDelivery): void;
  /**
   * What becomes of each delivery: none loses it, two doubles it; hold one back to reorder, copy it with another secret to
   * forge it. Undefined sends it as it is.
   */
  deliver: ((delivery: SimDelivery) => readonly SimDelivery[] | Promise<readonly SimDelivery[]>) | undefined;
  /** Resolves when nothing is on its way; retries that wait for their hour are not. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const retriesAfterMs = [60_000, 3_600_000, 6 * 3_600_000];

export function openCourier({
  clock,
  stamp,
  patienceMs,
}: {
  readonly clock: Clock;
  readonly patienceMs: number;
  stamp(): number;
}): Courier {
  const closing = new AbortController();
  let tail: Promise<void> = Promise.resolve();

  const post = async (delivery: SimDelivery): Promise<number> => {
    const { url, secret, id } = delivery.to;
    if (url === undefined) return 0;
    const webhookTimestamp = delivery.stampedAt ?? stamp();
    const body = JSON.stringify({ ...delivery.payload, webhookTimestamp, webhookId: id });
    try {
      const response = await globalThis.fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "user-agent": "Linear-Webhook",
          "linear-delivery": delivery.id,
          "linear-event": delivery.event,
          "linear-timestamp": String(webhookTimestamp),
          "linear-signature": createHmac("sha256", secret).update(body).digest("hex"),
        },
        body,
        signal: AbortSignal.any([AbortSignal.timeout(patienceMs), closing.signal]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  };
  const attempt = async (delivery: SimDelivery): Promise<void> => {
    if (closing.signal.aborted || delivery.to.url === undefined) return;
    const at = clock.now();
    const status = await post(delivery);
    delivery.attempts.push({ at, status });
    if (status === 200) delivery.outcome = "delivered";
    if (delivery.outcome === "delivered") return;
    const delay = retriesAfterMs[delivery.attempts.length - 1];
    if (delay === undefined) delivery.outcome = "given up";
    else retryAt(delivery, at + delay);
  };
  const queue = (work: () => Promise<void>): void => {
    tail = tail.then(work);
  };
  const retryAt = (delivery: SimDelivery, at: number): void => {
    clock.until(at, closing.signal).then(
      () =>
        queue(async () => {
          // A double of it may have arrived meanwhile.
          if (delivery.outcome === undefined) await attempt(delivery);
        }),
      () => undefined,
    );
  };

  const courier: Courier = {
    deliveries: [],
    deliver: undefined,
    send: (to, event, action, payload) => {
      const delivery: SimDelivery = {
        id: randomUUID(),
        event,
        action,
        payload,
        to,
        attempts: [],
        outcome: undefined,
      };
      courier.deliveries.push(delivery);
      queue(async () => {
        const wanted = courier.deliver === undefined ? [delivery] : await courier.deliver(delivery);
        if (wanted.length === 0) delivery.outcome = "lost";
        for (const one of wanted) await attempt(one);
      });
    },
    redeliver: (delivery) => queue(async () => void (await post(delivery))),
    idle: async () => {
      let seen: Promise<void>;
      do {
        seen = tail;
        await seen;
      } while (seen !== tail);
    },
    close: async () => {
      closing.abort();
      await tail;
    },
  };
  return courier;
}
