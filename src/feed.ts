/** Where GitHub's news come from besides `POST /webhooks/github`: its log of deliveries, or a Smee channel. */
import type { Logger } from "pino";
import { openSmee } from "./adapters/smee.ts";
import { pullEveryMs, type Feed } from "./config-feed.ts";
import type { DeliveryLog } from "./ports-hooks.ts";
import type { Loop } from "./shell/loop.ts";
import { openPullFeed } from "./shell/pull-feed.ts";
import type { Workshop } from "./shell/workshop.ts";
import { isRead } from "./webhooks/github-events.ts";
import type { Delivery, GitHubWebhooks } from "./webhooks/github.ts";

export interface FeedOptions {
  readonly feed: Feed | undefined;
  readonly shop: Shop;
  readonly deliveries: DeliveryLog;
  readonly github: Pick<GitHubWebhooks, "accept">;
  readonly keep: (delivery: Delivery) => Promise<"stored" | "repeat">;
  readonly log: Logger;
}
type Shop = Pick<Workshop, "store" | "clock" | "random" | "log">;
export interface OpenFeed {
  /** Looks now. */
  poke(): void;
  isIdle(): boolean;
  stop(): Promise<void>;
}

/** Opens what the operator chose; with webhooks there is nothing to open. */
export function openFeed({ feed, shop, deliveries, github, keep, log }: FeedOptions): OpenFeed {
  if (feed === undefined || feed.is === "webhook") return nothing;
  const pull = openPullFeed({
    shop,
    log: deliveries,
    everyMs: feed.everyMs ?? pullEveryMs[feed.is],
    reads: isRead,
    keep,
  });
  return feed.is === "pull" ? pull : withSmee({ url: feed.url, pull, shop, github, log });
}

const nothing: OpenFeed = { poke: () => undefined, isIdle: () => true, stop: async () => undefined };

/** What the channel forgot while we were away GitHub counts as delivered: its log is read behind the channel. */
function withSmee(parts: {
  readonly url: string;
  readonly pull: Loop;
  readonly shop: Shop;
  readonly github: Pick<GitHubWebhooks, "accept">;
  readonly log: Logger;
}): OpenFeed {
  const { url, pull, shop, github, log } = parts;
  const listen = (): { stop(): Promise<void> } =>
    openSmee({
      url,
      fetch: globalThis.fetch,
      clock: shop.clock,
      random: shop.random,
      opened: pull.poke,
      hear: async (passed) => {
        const accepted = await github.accept(passed);
        if (accepted.is === "forged" || accepted.is === "malformed")
          log.warn(
            { delivery: passed.id, event: passed.name, is: accepted.is },
            "delivery of the channel refused",
          );
      },
      warn: (why) => log.warn({ why }, "the Smee channel has trouble; GitHub's own log is read meanwhile"),
    });
  // Opened with the first look, so that a start that fails leaves nothing open.
  let smee: { stop(): Promise<void> } | undefined;
  return {
    poke: () => {
      smee ??= listen();
      pull.poke();
    },
    isIdle: pull.isIdle,
    stop: async () => {
      await smee?.stop();
      await pull.stop();
    },
  };
}
