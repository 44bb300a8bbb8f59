import { Trouble, type Clock, type Workspace } from "../ports.ts";
import type { Store } from "../store/store.ts";

/** Nothing leaves this host while everything is halted. */
export function haltable(workspace: Workspace, store: Pick<Store, "setting">, clock: Clock): Workspace {
  const unlessHalted = async (): Promise<void> => {
    if ((await store.setting("halt-all")) === undefined) return;
    throw new Trouble("halted", "everything is halted by forgehand:halt-all", {
      retryAt: clock.now() + 30_000,
    });
  };
  return {
    ...workspace,
    publish: async (...order) => {
      await unlessHalted();
      return await workspace.publish(...order);
    },
    // They are pushed as soon as they are committed.
    applySuggestions: async (tree, remote, suggestions) => {
      if (suggestions.length > 0) await unlessHalted();
      return await workspace.applySuggestions(tree, remote, suggestions);
    },
  };
}
