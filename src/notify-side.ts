/** People told beside the forge; nothing of it is loaded where no channel is set. */
import type { Environment } from "./config-environment.ts";
import type { Notifier } from "./shell/notify.ts";
import type { Workshop } from "./shell/workshop.ts";

/** The notifier of this host; undefined where nobody is told anything. */
export async function openNotifications(
  shop: Workshop,
  { notify = [] }: Environment,
): Promise<Notifier | undefined> {
  if (notify.length === 0) {
    await shop.store.forgetNotifyPosition(shop.clock.now());
    return undefined;
  }
  const [{ openMessenger }, { openNotifier }] = await Promise.all([
    import("./adapters/notify/messenger.ts"),
    import("./shell/notify.ts"),
  ]);
  return openNotifier(shop, notify, openMessenger({ fetch: globalThis.fetch, clock: shop.clock }));
}
