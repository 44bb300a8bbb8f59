import { Trouble, type Clock, type Repo, type Workspace } from "../ports.ts";
import type { Store } from "../store/store.ts";

/** Nothing leaves this host while everything is halted, or the repository it would go to. */
export function haltable(workspace: Workspace, store: Pick<Store, "setting">, clock: Clock): Workspace {
  const unlessHalted = async ({ id, owner, name }: Repo): Promise<void> => {
    const isAll = (await store.setting("halt-all")) !== undefined;
    if (!isAll && (await store.setting(`halt-repo:${id}`)) === undefined) return;
    throw new Trouble("halted", isAll ? "everything is halted" : `${owner}/${name} is halted`, {
      retryAt: clock.now() + 30_000,
    });
  };
  return {
    ...workspace,
    publish: async (...order) => {
      await unlessHalted(order[1].repo);
      return await workspace.publish(...order);
    },
    // They are pushed as soon as they are committed.
    applySuggestions: async (tree, remote, suggestions) => {
      if (suggestions.length > 0) await unlessHalted(remote.repo);
      return await workspace.applySuggestions(tree, remote, suggestions);
    },
  };
}
