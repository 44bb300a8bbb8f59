import type { Hooks } from "../../ports-hooks.ts";
import type { Hub } from "./hub.ts";

/** Hooks on the in-memory hub. */
export function fakeHooks(hub: Hub, appId = 7001): Hooks {
  return {
    missed: async (since, known) => {
      const within = hub.deliveries
        .filter((each) => each.at >= since)
        .toSorted((one, other) => one.at - other.at);
      const arrived = new Set(within.filter((each) => each.arrived).map((each) => each.guid));
      const lost = new Map(
        within
          .toReversed()
          .flatMap((each) =>
            arrived.has(each.guid) || known(each.guid) ? [] : [[each.guid, each] as const],
          ),
      );
      return within
        .filter((each) => lost.get(each.guid) === each)
        .map(({ guid, name, payload }) => ({ guid, name, payload }));
    },
    repos: async () => [hub.repo],
    file: async (_repo, path, at) => ({
      text: hub.files.get(path),
      at: at ?? hub.branches.get(hub.repo.defaultBranch)?.sha ?? "",
    }),
    folder: async (_repo, path) =>
      new Map(
        [...hub.files].flatMap(([file, text]) =>
          file.startsWith(`${path}/`) && file.endsWith(".md") && !file.slice(path.length + 1).includes("/")
            ? [[file.slice(path.length + 1, -".md".length), text] as const]
            : [],
        ),
      ),
    standing: async () => ({ app: "forgehand", appId, events: [], permissions: {} }),
  };
}
