/** Fifty runs at once, random usage and random deaths: no cap is passed by more than one report of usage per run. */
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { migrateEngine } from "../../src/engine/index.ts";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { migrate } from "../../src/store/database.ts";
import { release, reserve, spendingSince, type Caps } from "../../src/store/reservations.ts";
import { noRuns } from "../../src/store/steps.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { temporaryFolder } from "../temporary.ts";

const runs = 50;
/** Cents, so that sums are exact. */
const cents = (least: number, most: number) => fc.integer({ min: least, max: most }).map((n) => n / 64);
const report = cents(1, 256);

interface House {
  readonly sql: Sql;
  readonly store: Store;
}
async function open(path: string): Promise<House> {
  const sql = openSqlite(path);
  await migrateEngine(sql);
  await migrate(sql);
  return { sql, store: openStore(sql, noRuns) };
}
const owners = ["acme", "acme", "beta", "beta", "gamma"];
const repoOf = (nth: number): number => (nth % owners.length) + 1;
/** Two runs to a ticket, as after a rework. */
const ticketOf = (nth: number): string =>
  nth % 20 < 10
    ? `github:${repoOf(nth)}#${Math.floor(nth / 10)}`
    : `linear:${workspaceOf(nth)}/${repoOf(nth)}-${Math.floor(nth / 10)}`;
/** Two workspaces, each with tickets in the repositories of several accounts. */
const workspaceOf = (nth: number): string => (nth % 20 < 10 ? "" : `w${repoOf(nth) % 2}`);
const runOf = (nth: number): string => `${ticketOf(nth)}/${nth}`;

async function fill({ store }: House): Promise<void> {
  for (const [index, owner] of owners.entries())
    await store.knowRepo({
      id: index + 1,
      owner,
      name: `r${index}`,
      installation: 1,
      defaultBranch: "main",
      private: false,
    });
  for (let nth = 0; nth < runs; nth += 1) {
    const id = ticketOf(nth);
    const repo = repoOf(nth);
    await store.name(id, { repo, number: nth, ref: id, title: "t", url: "", author: "a", branch: "b" }, 1);
  }
}

const step = fc.record({ nth: fc.nat({ max: runs - 1 }), usd: report, dies: fc.nat({ max: 19 }) });
const caps = fc.record({
  runUsd: cents(64, 640),
  ticketUsd: cents(64, 1280),
  repositoryDayUsd: fc.option(cents(128, 2560), { nil: undefined }),
  tenantDayUsd: fc.option(cents(256, 5120), { nil: undefined }),
  dayUsd: cents(512, 12_800),
  dayStart: fc.constant(0),
});

test("fifty runs with random usage and kills pass no cap by more than one report each, and what is left returns", async () => {
  await fc.assert(
    fc.asyncProperty(caps, fc.array(step, { minLength: 120, maxLength: 250 }), async (given: Caps, steps) => {
      const path = join(temporaryFolder("money-"), "t.db");
      let house = await open(path);
      await fill(house);
      const spent = Array.from({ length: runs }, () => 0);
      const last = Array.from({ length: runs }, () => 0);
      const over = new Set<number>();
      let sessions = 0;
      for (const { nth, usd, dies } of steps) {
        const { sql, store } = house;
        const run = runOf(nth);
        if (over.has(nth)) continue;
        if ((await store.reservationOf(run)) === undefined)
          await sql.commit(() =>
            reserve({
              run,
              ticket: ticketOf(nth),
              repo: repoOf(nth),
              allowedUsd: undefined,
              caps: given,
              at: 1,
            }),
          );
        // As an agent does: it asks what is left, works, and tells what that cost.
        const reservation = await store.reservationOf(run);
        if ((reservation?.usd ?? 0) - (reservation?.spentUsd ?? 0) > 0) {
          sessions += 1;
          const key = `s${sessions}`;
          await store.openSession({
            key,
            run,
            ticket: ticketOf(nth),
            role: "build",
            runtime: "codex",
            logPath: undefined,
            at: 1,
          });
          await store.changeSession(key, { usd });
          spent[nth] = (spent[nth] ?? 0) + usd;
          last[nth] = Math.max(last[nth] ?? 0, usd);
        } else {
          await sql.commit(() => release(run));
          over.add(nth);
        }
        // The process dies: what it had set aside is found again, neither lost nor set aside twice.
        if (dies === 0) {
          const before = await sql.read(() => spendingSince(0));
          sql.close();
          house = await open(path);
          expect(await house.sql.read(() => spendingSince(0))).toEqual(before);
        }
      }
      const sumOf = (list: readonly number[], isMine: (nth: number) => boolean): number =>
        list.reduce((sum, usd, nth) => (isMine(nth) ? sum + usd : sum), 0);
      const holds = (capUsd: number | undefined, isMine: (nth: number) => boolean): void => {
        if (capUsd !== undefined) expect(sumOf(spent, isMine)).toBeLessThan(capUsd + sumOf(last, isMine));
      };
      holds(given.dayUsd, () => true);
      for (let nth = 0; nth < runs; nth += 1) {
        holds(given.runUsd, (one) => one === nth);
        holds(given.ticketUsd, (one) => ticketOf(one) === ticketOf(nth));
        holds(given.repositoryDayUsd, (one) => repoOf(one) === repoOf(nth));
        holds(given.tenantDayUsd, (one) => owners[repoOf(one) - 1] === owners[repoOf(nth) - 1]);
        if (workspaceOf(nth) !== "")
          holds(given.tenantDayUsd, (one) => workspaceOf(one) === workspaceOf(nth));
      }
      // Once all is over, nothing stays set aside: what is left of the day is what was not spent.
      for (let nth = 0; nth < runs; nth += 1) await house.sql.commit(() => release(runOf(nth)));
      const purses = await house.sql.read(() => spendingSince(0));
      expect(purses.reduce((sum, { reservedUsd }) => sum + reservedUsd, 0)).toBe(0);
      expect(purses.reduce((sum, { spentUsd }) => sum + spentUsd, 0)).toBe(sumOf(spent, () => true));
      house.sql.close();
    }),
    { numRuns: 8 },
  );
});
