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
  return [
    { name: "waiting", path: "/", shows: "Waiting for you", onPhone: true },
    { name: "board", path: "/board", shows: "Board" },
    { name: "ticket", path: ticket("inReview"), shows: "Timeline", onPhone: true },
    { name: "ticket-blocked", path: ticket("overBudget"), shows: "Timeline" },
    { name: "find", path: "/find?q=web", shows: "Find" },
    { name: "nothing", path: "/nowhere", shows: "Nothing here" },
  ];
};
