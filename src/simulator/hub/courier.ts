import { createHmac, randomUUID } from "node:crypto";
import { installationAt, organizationOf, repoOf, userOf } from "./places.ts";
import type { HubState, SimDelivery, SimRepo } from "./state.ts";

/** Sends webhooks, in order, one at a time; like GitHub it never tries twice by itself. */
export interface Courier {
  /** Where deliveries go from now on. */
  target(url: string | undefined): void;
  send(repo: SimRepo, name: string, action: string | undefined, sender: string, payload: object): void;
  /** Sends the same again under the same GUID; another attempt in the list of deliveries. */
  redeliver(delivery: SimDelivery): void;
  /** What becomes of each delivery: none loses it, two doubles it. Undefined delivers as it is. */
  deliver: ((delivery: SimDelivery) => readonly SimDelivery[] | Promise<readonly SimDelivery[]>) | undefined;
  /** Not answered yet, nor given up. */
  isUnderWay(delivery: SimDelivery): boolean;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  close(): Promise<void>;
  readonly url: string | undefined;
}

/** GitHub gives a receiver ten seconds. */
const patienceMs = 10_000;

/** A name that stands for no host (RFC 2606), which nobody need look up to know. */
const leadsNowhere = (url: string): boolean => URL.parse(url)?.hostname.endsWith(".invalid") === true;

export function openCourier(hub: { readonly state: HubState; now(): number; id(): number }): Courier {
  let to: string | undefined;
  let tail: Promise<void> = Promise.resolve();
  let closed = false;
  const underWay = new Set<number>();
  const post = async (delivery: SimDelivery): Promise<void> => {
    if (to === undefined || closed || leadsNowhere(to)) return;
    const signature = createHmac("sha256", hub.state.app.webhookSecret).update(delivery.body).digest("hex");
    try {
      const response = await globalThis.fetch(to, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "GitHub-Hookshot/simulated",
          "x-github-hook-id": String(hub.state.app.id),
          "x-github-hook-installation-target-id": String(hub.state.app.id),
          "x-github-hook-installation-target-type": "integration",
          "x-github-delivery": delivery.guid,
          "x-github-event": delivery.name,
          "x-hub-signature-256": `sha256=${signature}`,
        },
        body: delivery.body,
        signal: AbortSignal.timeout(patienceMs),
      });
      await response.arrayBuffer();
      delivery.status = response.status;
    } catch {
      delivery.status = 0;
    }
  };
  const courier: Courier = {
    get url() {
      return to;
    },
    target: (url) => (to = url),
    deliver: undefined,
    send: (repo, name, action, sender, payload) => {
      const installation = installationAt(hub.state, repo.owner);
      const body = JSON.stringify({
        ...(action === undefined ? {} : { action }),
        ...payload,
        repository: repoOf(hub.state, repo),
        ...(repo.owner === hub.state.app.owner
          ? { organization: organizationOf(hub.state, repo.owner) }
          : {}),
        sender: userOf(hub.state, sender),
        installation: { id: installation, node_id: `IN_${installation}` },
      });
      const delivery: SimDelivery = {
        id: hub.id(),
        guid: randomUUID(),
        name,
        action,
        redelivery: false,
        body,
        at: hub.now(),
        status: 0,
      };
      hub.state.deliveries.push(delivery);
      underWay.add(delivery.id);
      tail = tail.then(async () => {
        const wanted = courier.deliver === undefined ? [delivery] : await courier.deliver(delivery);
        for (const one of wanted) await post(one);
        underWay.delete(delivery.id);
      });
    },
    redeliver: (delivery) => {
      const again = { ...delivery, id: hub.id(), redelivery: true, at: hub.now(), status: 0 };
      hub.state.deliveries.push(again);
      underWay.add(again.id);
      tail = tail.then(async () => {
        await post(again);
        underWay.delete(again.id);
      });
    },
    isUnderWay: ({ id }) => underWay.has(id),
    idle: async () => {
      let seen: Promise<void>;
      do {
        seen = tail;
        await seen;
      } while (seen !== tail);
    },
    close: async () => {
      closed = true;
      await tail;
    },
  };
  return courier;
}
