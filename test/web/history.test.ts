/** What became of tickets: which are told, in what order, by what they are found, and page by page. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HistoryView } from "../../src/ports-dashboard-history.ts";
import type { Viewer } from "../../src/ports-dashboard.ts";
import { run } from "../../src/sql.ts";
import type { TicketEvent } from "../../src/state-machine/event.ts";
import { newTicket, type State } from "../../src/state-machine/ticket.ts";
import { step } from "../../src/shell/step.ts";
import { caps } from "../caps.ts";
import { issueIn, places, policy } from "../cli/filled.ts";
import { openHouse, type House } from "./house.ts";

const now = Date.UTC(2026, 0, 6, 12);
const idOf = (number: number): string => `github:77#${number}`;
const merged = issueIn("Done");

let house: House;
beforeAll(async () => {
  house = await openHouse(() => now);
  const { store } = house;
  const named = async (number: number, title: string, labels: readonly string[]): Promise<void> => {
    const stored = await store.load(idOf(number));
    await store.name(
      idOf(number),
      {
        repo: 77,
        number,
        ref: `acme/web#${number}`,
        title,
        labels,
        url: `https://github.com/acme/web/issues/${number}`,
        author: "ada",
        branch: stored?.branch ?? "",
      },
      now,
    );
  };
  await named(merged, "Export CSV of Ärger", ["Bug", "area/=1+1"]);
  await named(issueIn("In Review"), "Show <b>the cart</b>\u001b[31m", ["bug"]);
});
afterAll(() => house.close());

const numbers = async (query: string): Promise<readonly number[]> =>
  (await house.json<HistoryView>(`/history?${query}`)).rows.map(({ ref }) => Number(ref.split("#")[1]));

test("everything that began is told, the newest end first, with what it came to", async () => {
  const { rows } = await house.json<HistoryView>("/history");
  expect(rows.map(({ id }) => id).toSorted()).toEqual(places.map((state) => idOf(issueIn(state))).toSorted());
  expect(rows.map(({ since }) => since)).toEqual(rows.map(({ since }) => since).toSorted((a, b) => b - a));
  expect(rows.find(({ id }) => id === idOf(merged))).toMatchObject({
    outcome: "merged",
    repo: "acme/web",
    pull: 40,
    pullUrl: "https://github.com/acme/web/pull/40",
    labels: ["Bug", "area/=1+1"],
  });
  expect(rows.find(({ id }) => id === idOf(issueIn("In Review")))).toMatchObject({
    outcome: "open",
    runtime: "codex",
    usd: 0.42,
    summary: { text: "It wrote \u001b[2Jthe page.", by: "codex (small)" },
  });
  const merge = rows.find(({ id }) => id === idOf(merged));
  // Its first line and its last, as `fillDatabase` wrote them a minute apart.
  expect(merge?.durationMs).toBe(7 * 60_000);
});

test.each<readonly [string, readonly State[]]>([
  ["outcome=merged", ["Done"]],
  ["outcome=cancelled", ["Cancelled"]],
  ["outcome=blocked", ["Blocked"]],
  ["label=BUG", ["Done", "In Review"]],
  ["runtime=codex", ["In Review"]],
  ["runtime=acp", []],
  ["q=export+csv", ["Done"]],
  ["q=%C3%84RGER", ["Done"]],
  ["q=cs", ["Done"]],
  ["q=csv+cart", []],
  ["q=export%00+csv", ["Done"]],
  [`q=web%23${merged}`, ["Done"]],
  ["q=%22+OR+%25", []],
  ["label=bug&outcome=merged&repo=ACME/WEB", ["Done"]],
  ["repo=acme/other", []],
  ["from=2026-01-06", []],
  ["to=2026-01-04", []],
  ["from=2026-01-05&to=2026-01-05&outcome=cancelled", ["Cancelled"]],
])("%s finds %j and nothing else", async (query, states) => {
  const ascending = (a: number, b: number): number => a - b;
  expect((await numbers(query)).toSorted(ascending)).toEqual(states.map(issueIn).toSorted(ascending));
});

test.each([
  ["outcome=lost", "is none"],
  ["from=yesterday", "is no day"],
  ["to=2026-02-31", "is no day"],
])("%s is refused in words", async (query, words) => {
  const answer = await house.get(`/history?${query}`);
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(words)]);
});

test("a place to go on from that nobody gave shows the newest", async () => {
  expect(await numbers("after=nonsense")).toEqual(await numbers(""));
});

test("what others wrote is text, and every row leads to its ticket, its stream and its pull request", async () => {
  const text = await house.page("/history");
  expect(text).toContain("&lt;b&gt;the cart");
  expect(text).not.toContain("<b>the cart");
  expect(text).toContain(`href="/tickets/${encodeURIComponent(idOf(merged))}"`);
  expect(text).toMatch(/href="\/sessions\/\d+\/log"/u);
  expect(text).toContain(`href="https://github.com/acme/web/pull/40"`);
  expect(text).not.toContain(" style=");
});

test("who sees other repositories sees none of it, and no names", async () => {
  const stranger: Viewer = { who: "eve", rights: new Map([[78, "see"]]) };
  const { rows, names } = await house.dashboard.past.history(stranger, {});
  expect([rows, names]).toEqual([[], { repositories: [], runtimes: [], labels: [] }]);
  const friend: Viewer = { who: "bob", rights: new Map([[77, "see"]]) };
  expect((await house.dashboard.past.history(friend, {})).rows.length).toBe(places.length);
});

describe("many", () => {
  const many = 300;
  beforeAll(async () => {
    await house.sql.commit(function* () {
      for (let number = 1_000; number < 1_000 + many; number += 1) {
        const isOver = number % 3 !== 0;
        const state = isOver ? (number % 2 === 0 ? "Done" : "Cancelled") : "Blocked";
        yield* run(
          "insert into ticket (id, repo, number, ref, title, version, state, body, since, updated_at, active) values (?, 77, ?, ?, 'One of many', 1, ?, ?, ?, 0, ?)",
          idOf(number),
          number,
          `acme/web#${number}`,
          state,
          JSON.stringify({ ...newTicket(idOf(number)), state }),
          // Several end at once.
          Date.UTC(2025, 0, 1) + Math.floor(number / 7) * 1_000,
          isOver ? null : 0,
        );
      }
    });
  });

  test.each(["", "outcome=merged", "outcome=blocked", "repo=acme/web"])(
    "page after page of %j tells each ticket once, in order",
    async (query) => {
      const seen: { readonly since: number; readonly id: string }[] = [];
      let path: string | undefined = `/history?${query}`;
      let pages = 0;
      while (path !== undefined && pages < 20) {
        pages += 1;
        const view: HistoryView = await house.json<HistoryView>(path);
        seen.push(...view.rows);
        path =
          view.next === undefined ? undefined : `/history?${query}&after=${encodeURIComponent(view.next)}`;
      }
      const ids = seen.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      const inOrder = seen.toSorted((a, b) => b.since - a.since || (a.id < b.id ? 1 : -1));
      expect(ids).toEqual(inOrder.map(({ id }) => id));
      const all = await house.dashboard.past.history(
        { who: "operator", rights: "operator" },
        {
          ...(query.startsWith("outcome") && { outcome: query.slice(8) as "merged" }),
          ...(query.startsWith("repo") && { repository: "acme/web" }),
          limit: 500,
        },
      );
      expect(all.rows.length).toBe(ids.length);
      expect(ids.length).toBeGreaterThan(50);
    },
  );

  test("a page leads to the next, with the same filters, and back to the newest", async () => {
    const text = await house.page("/history?repo=acme%2Fweb&outcome=blocked");
    const next = /rel="next" href="([^"]+)"/u.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(new URLSearchParams(next.split("?")[1]).get("outcome")).toBe("blocked");
    expect(await house.page(next)).toContain(">Newest</a>");
  });

  test("the board says what it has no room for, and shows it alone", async () => {
    const text = await house.page("/board");
    expect(text).toContain("More in Blocked");
    const rows = (page: string): number => page.split("data-row id=").length - 1;
    expect(rows(text)).toBeLessThan(75);
    expect(rows(await house.page("/board?state=Blocked"))).toBeGreaterThan(100);
    expect(rows(await house.page("/board?state=nothing"))).toBe(rows(text));
  });
});

test("how many are over is kept through ending, coming back and moving", async () => {
  const counted = async (): Promise<unknown> => await house.store.ticketsByState([77]);
  const before = (await counted()) as Record<string, number>;
  expect([before["Done"], before["Cancelled"]]).toEqual([1, 1]);
  expect(await house.store.ticketsByState([78])).toEqual({});
  const take = async (type: "ticket.cancelled" | "ticket.reopened"): Promise<string> => {
    const stepped = await step(house.store, {
      ticket: idOf(issueIn("Ready")),
      event: { type } as TicketEvent,
      eventId: type,
      actor: "ada",
      policy,
      caps,
      runLimitMs: 1,
      now,
    });
    return stepped.to;
  };
  expect(await take("ticket.cancelled")).toBe("Cancelled");
  expect(await counted()).toMatchObject({ Cancelled: 2 });
  expect(await take("ticket.reopened")).not.toBe("Cancelled");
  expect(await counted()).toMatchObject({ Cancelled: 1 });
});
