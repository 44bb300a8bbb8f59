/** People told beside the forge; nothing of it is loaded where no channel is set. */
import type { Environment } from "./config-environment.ts";
import { openAsks } from "./engine/index.ts";
import type { Sql } from "./sql.ts";
import type { Notifier } from "./shell/notify.ts";
import type { Workshop } from "./shell/workshop.ts";

/** Questions of runs looked at together; more than that nobody answers in a day. */
const mostAsks = 100;

/** The notifier of this host; undefined where nobody is told anything. */
export async function openNotifications(
  shop: Workshop,
  { notify = [] }: Environment,
  sql: Sql,
): Promise<Notifier | undefined> {
  if (notify.length === 0) {
    await shop.store.forgetNotifyPosition(shop.clock.now());
    return undefined;
  }
  const [{ openMessenger }, { openNotifier }] = await Promise.all([
    import("./adapters/notify/messenger.ts"),
    import("./shell/notify.ts"),
  ]);
  return openNotifier({
    shop,
    channels: notify,
    messenger: openMessenger({ fetch: globalThis.fetch, clock: shop.clock }),
    // What waits for something else besides may yet go on without anybody.
    asks: () => sql.read(() => openAsks(0, mostAsks, ["waiting"])),
  });
}
