import { expect, test } from "vitest";
import { cardLinks, type LinkedPull } from "./says-links.ts";
import type { TicketView } from "./says.ts";
import { newTicket, type Ticket } from "./state-machine/ticket.ts";

const head = "a".repeat(40);
const pull: LinkedPull = {
  repository: "acme/web",
  number: 7,
  url: "https://git.example/acme/web/pull/7",
  draft: true,
  open: true,
  isMerged: false,
};
const view = (ticket: Partial<Ticket>, more: Partial<TicketView> = {}): TicketView =>
  ({
    ticket: { ...newTicket("linear:a/b"), pull: 7, head, ...ticket },
    rounds: [],
    needsPerson: [],
    maxCycles: 3,
    usd: 1.005,
    usdIsGuess: true,
    usdCap: 25,
    spentMs: 61_000,
    ledgerHead: { seq: 1, hash: "b" },
    ...more,
  }) as TicketView;
const titles = (ticket: Partial<Ticket>, more: Partial<LinkedPull> = {}): readonly (string | undefined)[] =>
  cardLinks(view(ticket), { ...pull, ...more }).map(({ title }) => title);

test.each<[Partial<Ticket>, Partial<LinkedPull>, string]>([
  [{ state: "Adversarial Review" }, {}, "draft"],
  [{ state: "In Progress" }, {}, "draft"],
  [{ state: "Rework" }, { draft: false }, "in rework"],
  [{ state: "Blocked" }, { draft: false }, "in review"],
  // The pull request leaves its draft by an effect that may come later.
  [{ state: "In Review" }, {}, "in review"],
  [{ state: "In Review", approved: head }, { draft: false }, "approved"],
  [{ state: "In Review", approved: "c".repeat(40) }, { draft: false }, "in review"],
  [{ state: "Merging", approved: head }, { draft: false }, "approved"],
  [{ state: "Merging", autoMerge: true }, { draft: false }, "being merged"],
  [{ state: "Done" }, { draft: false }, "merged"],
  [{ state: "Blocked" }, { isMerged: true, open: false }, "merged"],
  [{ state: "Blocked" }, { open: false }, "closed"],
  [{ state: "Cancelled", pull: undefined }, {}, "closed"],
])("a ticket that is %j with a pull request that is %j links it as %s", (ticket, is, stands) => {
  expect(titles(ticket, is)[0]).toBe(`Pull request #7: ${stands}`);
});

test("both links tell the cost, and a guess is called one", () => {
  const links = cardLinks(view({ state: "Done", reviewed: head }), pull);
  expect(links).toEqual([
    {
      url: pull.url,
      title: "Pull request #7: merged",
      subtitle: "acme/web · 0 of 3 review rounds · ~$1.00 of $25.00",
      metadata: { state: "merged", costUsd: 1, head: "aaaaaaa" },
    },
    {
      url: `${pull.url}/checks`,
      title: "forgehand / gate: Merged",
      subtitle: "~$1.00 of $25.00 · 1m 1s of agent time",
      metadata: { state: "merged", costUsd: 1, head: "aaaaaaa" },
    },
  ]);
});
