/** Every page there is, as tests look at it and as `npm run screenshots` draws it. */
import type { Town } from "./town.ts";

export interface PageSpec {
  /** Of its pictures. */
  readonly name: string;
  readonly path: string;
  /** A heading or word that only stands there when the page is whole. */
  readonly shows: string;
  /** Used on phones too, and so drawn as one shows it. */
  readonly onPhone?: true;
}

export const pagesOf = (town: Town): readonly PageSpec[] => {
  const ticket = (which: Parameters<Town["idOf"]>[0]): string =>
    `/tickets/${encodeURIComponent(town.idOf(which))}`;
  const run = (which: Parameters<Town["idOf"]>[0], query = ""): string =>
    `/runs/${encodeURIComponent(`${town.idOf(which)}/2`)}${query}`;
  return [
    { name: "waiting", path: "/", shows: "Waiting for you", onPhone: true },
    { name: "board", path: "/board", shows: "Board" },
    { name: "ticket", path: ticket("inReview"), shows: "Timeline", onPhone: true },
    { name: "ticket-blocked", path: ticket("overBudget"), shows: "Timeline" },
    { name: "runs", path: "/runs", shows: "Outcome" },
    { name: "run", path: run("inReview"), shows: "Queued", onPhone: true },
    { name: "run-compared", path: run("inReview", "?frame=1&with=0"), shows: "As it was at frame 1" },
    { name: "log", path: "/sessions/1/log", shows: "Download" },
    { name: "history", path: "/history", shows: "History" },
    { name: "costs", path: "/costs", shows: "Costs" },
    { name: "change", path: `${ticket("inReview")}/diff`, shows: "src/cart.ts" },
    { name: "sessions", path: "/sessions", shows: "Sessions" },
    { name: "find", path: "/find?q=web", shows: "Find" },
    { name: "health", path: "/health", shows: "Retry queue" },
    { name: "webhooks", path: "/webhooks", shows: "Handled as" },
    { name: "repositories", path: "/repositories", shows: "Onboarded" },
    { name: "ledger", path: "/ledger", shows: "Verify now" },
    { name: "nothing", path: "/nowhere", shows: "Nothing here" },
  ];
};
