import { caps } from "../test/caps.ts";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { TicketEvent } from "../src/state-machine/event.ts";
import type { Policy } from "../src/state-machine/ticket.ts";
import type { Store } from "../src/store/store.ts";
import { built, openHouseDatabase } from "./built.ts";
import { figure, median, percentile, type Benchmark } from "./measure.ts";

const policy: Policy = { maxAttempts: 3, maxCycles: 3, maxUnreviewed: 3, mergeAfterApproval: true };
const repo = 1;
const idOf = (number: number): string => `github:${repo}#${number}`;
const head = "a".repeat(40);

/** The events of one ticket's undisturbed life, each with a row: from the label to the merge. */
const lifeOf = (ticket: string, number: number): readonly TicketEvent[] => [
  { type: "ready.granted", spec: "5".repeat(64) },
  { type: "slot.granted" },
  { type: "gate.passed", run: `${ticket}/1` },
  { type: "build.delivered", run: `${ticket}/2`, head, summary: "wrote what the ticket asks" },
  { type: "pr.opened", pull: 100_000 + number, head },
  { type: "review.passed", run: `${ticket}/3`, head, summary: "does what the ticket asks", needsPerson: [] },
  { type: "human.approved", head, by: "ada" },
  { type: "checks.passed", head },
  { type: "pr.merged", head, merge: "b".repeat(40) },
];

const serialTickets = 120;
const parallelTickets = 400;
const rateRounds = 3;

/** A whole transition, one at a time beside a bare write and fdatasync, then many tickets at once. */
export const transition: Benchmark = async ({ dir, say }) => {
  const { sql, store } = await openHouseDatabase(join(dir, "forgehand.db"));
  const { step } = await built("step");
  let next = 1;
  const take = async (ticket: string, event: TicketEvent, index: number): Promise<void> => {
    const stepped = await step(store, {
      ticket,
      event,
      eventId: `${ticket}:${index}`,
      actor: "ada",
      policy,
      caps,
      runLimitMs: 3_600_000,
      now: 1,
    });
    if (stepped.row === undefined) throw new Error(`no row took ${event.type} in ${stepped.from}`);
  };
  // First many at once: a log that has reached its full size is overwritten, as it is in a house that runs for weeks.
  const rates: number[] = [];
  let many = 0;
  for (let round = 0; round < rateRounds; round += 1) {
    const tickets = await Promise.all(
      Array.from({ length: parallelTickets }, (_, index) => newTicket(store, next + index)),
    );
    const start = performance.now();
    const lengths = await Promise.all(
      tickets.map(async (ticket, at) => {
        const life = lifeOf(ticket, next + at);
        for (const [index, event] of life.entries()) await take(ticket, event, index);
        return life.length;
      }),
    );
    const steps = lengths.reduce((sum, length) => sum + length, 0);
    rates.push(steps / ((performance.now() - start) / 1_000));
    many += steps;
    next += parallelTickets;
    await deliver(store);
  }
  const samples: number[] = [];
  const bare: number[] = [];
  const file = openBlock(join(dir, "bare"));
  for (let round = 0; round < serialTickets; round += 1) {
    const ticket = await newTicket(store, next);
    for (const [index, event] of lifeOf(ticket, next).entries()) {
      // Turn and turn about, so that whatever else the disk does falls on both.
      bare.push(file.write());
      const start = performance.now();
      await take(ticket, event, index);
      samples.push(performance.now() - start);
      await deliver(store);
    }
    next += 1;
  }
  file.close();
  sql.close();
  say(`transition: ${(median(samples) - median(bare)).toFixed(3)} ms over a bare write and fdatasync`);
  const serialRate = 1_000 / (samples.reduce((sum, sample) => sum + sample, 0) / samples.length);
  return [
    figure("transition p50", median(samples), "ms", samples.length, median(bare)),
    figure("transition p99", percentile(samples, 0.99), "ms", samples.length, percentile(bare, 0.99)),
    figure("transition rate, one at a time", serialRate, "1/s", samples.length, 1_000 / median(bare)),
    figure("transition rate", median(rates), "1/s", many, 1_000 / median(bare)),
  ];
};

/** Ends what the steps sent out, as the outbox does between them: what is timed meets no pile of effects that nobody delivers. */
async function deliver(store: Store): Promise<void> {
  for (;;) {
    const waiting = await store.sendable(1, 1_000);
    if (waiting.length === 0) return;
    await Promise.all(waiting.map((one) => store.sent(one, { state: "done", note: "", at: 1, news: [] })));
  }
}

async function newTicket(store: Store, number: number): Promise<string> {
  const ticket = idOf(number);
  await store.name(
    ticket,
    {
      repo,
      number,
      ref: `acme/web#${number}`,
      title: `Ticket ${number}`,
      url: `https://github.com/acme/web/issues/${number}`,
      author: "ada",
      branch: `forgehand/${number}-ticket`,
    },
    1,
  );
  return ticket;
}

/** One block written again and again, as a write-ahead log is: the least that durable can cost on this disk. */
function openBlock(path: string): { write(): number; close(): void } {
  const block = Buffer.alloc(4_096, "x");
  const file = openSync(path, "w");
  const write = (): number => {
    const start = performance.now();
    writeSync(file, block, 0, block.length, 0);
    fdatasyncSync(file);
    return performance.now() - start;
  };
  write();
  return { write, close: () => closeSync(file) };
}
