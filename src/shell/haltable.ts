import { Trouble, type Clock, type Workspace } from "../ports.ts";
import type { Store } from "../store/store.ts";

/** Nothing leaves this host while everything is halted. */
export function haltable(workspace: Workspace, store: Store, clock: Clock): Workspace {
  return {
    ...workspace,
    publish: async (...order) => {
      if ((await store.setting("halt-all")) !== undefined) {
        throw new Trouble("halted", "everything is halted by forgehand:halt-all", {
          retryAt: clock.now() + 30_000,
        });
      }
      return await workspace.publish(...order);
    },
  };
}
