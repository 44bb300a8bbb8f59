/** Sums of short and long spans are those of the sessions, whichever rows they are read from. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { all, run } from "../../src/sql.ts";
import { costKeys, costsBy, rebuildCosts, type CostKey, type CostSpan } from "../../src/store/costs.ts";
import { openHouse, type House } from "./house.ts";

const dayMs = 86_400_000;
const today = 20_500;
const tickets = 700;

let house: House;
beforeAll(async () => {
  house = await openHouse(() => today * dayMs);
  await house.sql.commit(function* () {
    yield* run("delete from agent_session");
    for (let index = 0; index < tickets; index += 1) {
      const id = `github:${80 + (index % 3)}#${index}`;
      yield* run(
        `insert into ticket (id, repo, number, ref, author, version, state, body, since, updated_at)
           values (?, ?, ?, ?, ?, 1, 'Done', '{}', 0, 0)`,
        id,
        80 + (index % 3),
        index,
        `acme/api#${index}`,
        `person-${index % 7}`,
      );
      yield* run("insert into ticket_label (ticket, label) values (?, ?)", id, `area/${index % 5}`);
      // The dearest of all time are not those of any span, and some are worked for again much later.
      for (const [part, day] of [index % 400, (index * 37) % 400].entries())
        yield* run(
          "insert into agent_session (key, run, ticket, role, runtime, model, usd, started_at, outcome) values (?, ?, ?, 'build', ?, ?, ?, ?, 'done')",
          `${id}:${part}`,
          id,
          id,
          index % 2 === 0 ? "codex" : "acp",
          `model-${index % 3}`,
          ((index * 7_919) % 1_009) + part + 1,
          (today - day) * dayMs,
        );
    }
    yield* rebuildCosts();
  });
});
afterAll(() => house.close());

/** The same, from every session by itself. */
const keyIn: Readonly<Record<CostKey, string>> = {
  day: "day",
  tenant: "coalesce((select owner from repo where id = spent.repo), '')",
  repo: "coalesce((select owner || '/' || name from repo where id = spent.repo), '')",
  runtime: "runtime",
  model: "model",
  label: "(select label from ticket_label where ticket = spent.ticket)",
  requester: "requester",
  ticket: "(select ref from ticket where id = spent.ticket)",
};
async function counted(by: CostKey, { from, to, repos }: CostSpan, limit: number): Promise<unknown> {
  const among = repos === undefined ? "" : `and repo in (${repos.join(", ")})`;
  return await house.sql.read(() =>
    all(
      `select ${keyIn[by]} as key, sum(usd) as usd, sum(sessions) as sessions from spent
         where day between ? and ? ${among} group by 1 order by ${by === "day" ? "1 desc" : "2 desc, 1"} limit ?`,
      from,
      to,
      limit,
    ),
  );
}

const spans = [
  [0, 0],
  [29, 0],
  [90, 3],
  [365, 0],
  [399, 350],
] as const;
test.each(costKeys.flatMap((by) => spans.map(([from, to]) => [by, from, to] as const)))(
  "by %s, from %i days ago until %i days ago",
  async (by, from, to) => {
    for (const repos of [undefined, [81]]) {
      const span = { from: today - from, to: today - to, repos };
      for (const limit of [20, tickets]) {
        const sums = await house.sql.read(() => costsBy(by, span, limit));
        const told = sums.map(({ key, usd, sessions }) => ({ key, usd, sessions }));
        expect(told).toEqual(await counted(by, span, limit));
      }
    }
  },
);
