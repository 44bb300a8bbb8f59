/** Sums and lists that are kept beside rows are what a count of the rows gives, whatever happened in whatever order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { caps } from "../../test/caps.ts";
import { migrateEngine } from "../engine/migrate.ts";
import { all, openSqlite, run, type Sql } from "../sql.ts";
import { states, type State } from "../state-machine/ticket.ts";
import { rebuildCosts } from "./costs.ts";
import { migrate } from "./database.ts";
import type { SessionChange } from "./sessions.ts";
import { openStore, type Store } from "./store.ts";
import { searchable } from "./ticket-facts.ts";

const policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };
const dayMs = 86_400_000;
const idOf = (ticket: number): string => `github:1#${ticket}`;

type Deed =
  | { readonly do: "name"; readonly repo: number; readonly author: string; readonly labels: string[] | null }
  | { readonly do: "move"; readonly repo: number }
  | { readonly do: "step"; readonly to: State; readonly isPushed: boolean }
  | { readonly do: "open"; readonly key: number; readonly day: number; readonly runtime: string }
  | { readonly do: "change"; readonly key: number; readonly change: SessionChange }
  | { readonly do: "end"; readonly key: number }
  | { readonly do: "lost" };
const few = fc.integer({ min: 1, max: 3 });
const tokens = fc.integer({ min: 1, max: 9 });
/** Halves add up exactly. */
const part: fc.Arbitrary<SessionChange> = fc.oneof(
  fc.constantFrom("one", "two").map((model) => ({ model })),
  fc.constantFrom("guess", "table").map((pricedBy) => ({ pricedBy })),
  fc.constantFrom("done", "stalled").map((outcome) => ({ outcome })),
  tokens.map((one) => ({ usd: one / 2 })),
  tokens.map((inputTokens) => ({ inputTokens })),
  tokens.map((cachedInputTokens) => ({ cachedInputTokens })),
  tokens.map((outputTokens) => ({ outputTokens })),
);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({
    do: fc.constant("name" as const),
    repo: few,
    author: fc.constantFrom("ada", "bob"),
    labels: fc.option(fc.uniqueArray(fc.constantFrom("a", "B", "b", "ß"), { maxLength: 3 })),
  }),
  fc.record({ do: fc.constant("move" as const), repo: few }),
  fc.record({
    do: fc.constant("step" as const),
    to: fc.constantFrom(...states),
    isPushed: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  }),
  fc.record({
    do: fc.constant("open" as const),
    key: few,
    day: few,
    runtime: fc.constantFrom("codex", "claude-code"),
  }),
  fc.record({
    do: fc.constant("change" as const),
    key: few,
    change: fc.uniqueArray(part, { maxLength: 2 }).map((parts): SessionChange => Object.assign({}, ...parts)),
  }),
  fc.record({ do: fc.constant("end" as const), key: few }),
  fc.record({ do: fc.constant("lost" as const) }),
);

async function carryOut(store: Store, ticket: number, number: number, one: Deed): Promise<void> {
  const id = idOf(ticket);
  switch (one.do) {
    case "name":
      return await store.name(
        id,
        {
          repo: one.repo,
          number: ticket,
          ref: `O/r#${ticket}`,
          title: `Title ${number}`,
          url: "",
          author: one.author,
          branch: `b${ticket}`,
          labels: one.labels ?? undefined,
        },
        number,
      );
    case "move":
      return await store.moveToRepo(id, one.repo);
    case "step":
      if ((await store.load(id)) === undefined) return;
      await store.commit(
        {
          ticket: id,
          eventId: `e${number}`,
          event: { type: "slot.granted" },
          actor: "schedule",
          policy,
          caps,
          runLimitMs: 1_000,
          now: number,
        },
        (before) => ({
          after: { ...before, state: one.to, ...(one.isPushed ? { head: "a".repeat(40) } : {}) },
          effects: [],
          row: "a row",
        }),
      );
      return;
    case "open":
      return await store.openSession({
        key: `${ticket}/${one.key}`,
        ticket: id,
        run: `${id}/${one.key}`,
        role: "build",
        runtime: one.runtime,
        logPath: undefined,
        at: one.day * dayMs,
      });
    case "change":
      return await store.changeSession(`${ticket}/${one.key}`, one.change);
    case "end":
      return await store.endSessionsOf(`${id}/${one.key}`, number);
    case "lost":
      return await store.endLostSessions();
  }
}

const rowsOf = async (sql: Sql, text: string): Promise<unknown> => await sql.read(() => all(text));
async function sumsOf(sql: Sql): Promise<unknown> {
  return {
    days: await rowsOf(sql, "select * from cost_day where sessions > 0"),
    shares: await rowsOf(sql, "select * from cost_share where sessions > 0"),
    left: await rowsOf(
      sql,
      "select * from cost_day where sessions <= 0 and (sessions < 0 or usd <> 0 or cached_tokens <> 0)",
    ),
  };
}

test("whatever happens to tickets and sessions, what is kept of them is what they come to", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(few, deed), { minLength: 20, maxLength: 60 }), async (deeds) => {
      const sql = openSqlite(":memory:");
      await migrateEngine(sql);
      await migrate(sql);
      const nothing = () => run("select 1 where false");
      const store = openStore(sql, { start: nothing, cancel: nothing, hold: nothing, resume: nothing });
      const labels = new Map<string, readonly string[]>();
      for (const [number, [ticket, one]] of deeds.entries()) {
        await carryOut(store, ticket, number, one);
        if (one.do === "name" && one.labels !== null) labels.set(idOf(ticket), one.labels);
      }
      const kept = await sumsOf(sql);
      await sql.commit(rebuildCosts);
      expect(kept).toEqual(await sumsOf(sql));
      expect(await rowsOf(sql, "select repo, state, n from over_count where n <> 0 order by 1, 2")).toEqual(
        await rowsOf(
          sql,
          "select repo, state, count(*) as n from ticket where active is null group by 1, 2 order by 1, 2",
        ),
      );
      expect(await rowsOf(sql, "select ticket, label from ticket_label order by 1, 2")).toEqual(
        [...labels]
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .flatMap(([ticket, those]) => those.toSorted().map((label) => ({ ticket, label }))),
      );
      const named = await sql.read(() =>
        all<{ id: string; ref: string; title: string }>("select id, ref, title from ticket order by id"),
      );
      expect(await rowsOf(sql, "select ticket, text from ticket_text order by ticket")).toEqual(
        named.map(({ id, ref, title }) => ({ ticket: id, text: searchable(`${ref} ${title}`) })),
      );
      sql.script("insert into ticket_words (ticket_words, rank) values ('integrity-check', 1)");
      sql.close();
    }),
    { numRuns: 60 },
  );
}, 60_000);
