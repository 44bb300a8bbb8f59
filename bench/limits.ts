import { mostMs, pages } from "./dashboard.ts";
import type { Figure } from "./measure.ts";

/** One promise: which benchmark measures it, which figures it reads, and whether they keep it. */
interface Limit {
  readonly of: string;
  readonly says: string;
  readonly reads: readonly string[];
  holds(...figures: readonly Figure[]): boolean;
}

const under =
  (limit: number) =>
  (one?: Figure): boolean =>
    one !== undefined && one.value < limit;
const ratioUpTo =
  (limit: number) =>
  (one?: Figure): boolean =>
    one?.ratio !== null && one !== undefined && one.ratio <= limit;

const atLeast =
  (limit: number) =>
  (one?: Figure): boolean =>
    one !== undefined && one.value >= limit;

const limits: readonly Limit[] = [
  {
    of: "webhook-ack",
    says: "a delivery is acknowledged within 25 ms (p99) at 200 a second",
    reads: ["webhook-ack p99"],
    holds: under(25),
  },
  {
    of: "webhook-ack",
    says: "a durable acknowledgement takes no longer than twice a bare Probot one (p50)",
    reads: ["webhook-ack p50"],
    holds: ratioUpTo(2),
  },
  {
    of: "transition",
    says: "a transition takes at most 0.15 ms more than a bare write and fdatasync (p50)",
    reads: ["transition p50"],
    holds: (one) => one !== undefined && one.baseline !== null && one.value - one.baseline <= 0.15,
  },
  {
    of: "transition",
    says: "more than 3,000 transitions a second",
    reads: ["transition rate"],
    holds: (one) => one !== undefined && one.value > 3_000,
  },
  ...[100, 500, 2_000].map((size) => ({
    of: "engine-step",
    says: `a task costs less than 1 ms in a run of ${size}`,
    reads: [`engine-step ${size}`],
    holds: under(1),
  })),
  {
    of: "engine-step",
    says: "a task in a run of 2,000 costs at most 1.5 times one in a run of 100",
    reads: ["engine-step 2000", "engine-step 100"],
    holds: (long, short) => long !== undefined && short !== undefined && long.value <= 1.5 * short.value,
  },
  ...["plain", "each"].flatMap((kind) =>
    [500, 1_000, 2_000, 5_000].map((size) => ({
      of: "engine-growth",
      says: `a step in a run of ${size} (${kind}) takes at most 1.5 times the CPU of one in a run of 100`,
      reads: [`engine-growth ${kind} ${size} cpu`, `engine-growth ${kind} 100 cpu`],
      holds: (long?: Figure, short?: Figure) =>
        long !== undefined && short !== undefined && long.value <= 1.5 * short.value,
    })),
  ),
  ...[500, 1_000, 2_000, 5_000].map((size) => ({
    of: "engine-growth",
    says: `a step in a run of ${size} writes at most 1.2 times the bytes of one in a run of 100`,
    reads: [`engine-growth bytes ${size}`, "engine-growth bytes 100"],
    holds: (long?: Figure, short?: Figure) =>
      long !== undefined && short !== undefined && long.value <= 1.2 * short.value,
  })),
  {
    of: "engine-growth",
    says: "1,000 tasks that do nothing take less than 1 s, or twice as long as 1,000 bare commits where these are slower",
    reads: ["engine-growth thousand"],
    holds: (one) => under(1_000)(one) || ratioUpTo(2)(one),
  },
  {
    of: "engine-growth",
    says: "1,000 tasks take less than 2 MB of database",
    reads: ["engine-growth thousand database"],
    holds: under(2),
  },
  {
    of: "engine-growth",
    says: "a process that did 1,000 tasks takes less than 150 MB of memory",
    reads: ["engine-growth thousand memory"],
    holds: under(150),
  },
  {
    of: "engine-parallel",
    says: "200 tasks side by side wait at most 20 times for the disk",
    reads: ["engine-parallel commits"],
    holds: (one) => one !== undefined && one.value <= 20,
  },
  {
    of: "engine-parallel",
    says: "200 tasks side by side take no longer than 200 bare commits",
    reads: ["engine-parallel"],
    holds: ratioUpTo(1),
  },
  {
    of: "engine-loop",
    says: "an iteration of a loop of 500 costs at most 1.5 times one of 50",
    reads: ["engine-loop 500", "engine-loop 50"],
    holds: (long, short) => long !== undefined && short !== undefined && long.value <= 1.5 * short.value,
  },
  {
    of: "takeover",
    says: "after a kill the next process is at work within 200 ms of having started",
    reads: ["takeover"],
    holds: under(200),
  },
  {
    of: "waiting",
    says: "10,000 waiting runs take less than 20 ms of CPU a minute",
    reads: ["waiting"],
    holds: under(20),
  },
  {
    of: "hop",
    says: "less than 150 ms from a label to its agent's process",
    reads: ["hop label to agent start"],
    holds: under(150),
  },
  { of: "hop", says: "less than 50 ms of our own for a hop", reads: ["hop"], holds: under(50) },
  {
    of: "workspace",
    says: "a worktree is ready within 1.3 times raw git",
    reads: ["workspace"],
    holds: ratioUpTo(1.3),
  },
  {
    of: "cli-start",
    says: "`--help` answers within 150 ms",
    reads: ["cli-start --help"],
    holds: under(150),
  },
  { of: "cli-start", says: "`ps` answers within 150 ms", reads: ["cli-start ps"], holds: under(150) },
  {
    of: "recovery",
    says: "500 open runs go on within 2 s of a restart",
    reads: ["recovery"],
    holds: under(2_000),
  },
  { of: "idle", says: "10,000 parked tickets take less than 20 MB", reads: ["idle"], holds: under(20) },
  ...["known", "held-out"].flatMap((corpus) => [
    {
      of: "tamper",
      says: `at least 0.95 of the tampering is seen (${corpus} cases)`,
      reads: [`tamper ${corpus} recall`],
      holds: atLeast(0.95),
    },
    {
      of: "tamper",
      says: `at least 0.9 of what is told is tampering (${corpus} cases)`,
      reads: [`tamper ${corpus} precision`],
      holds: atLeast(0.9),
    },
  ]),
  ...[...Object.keys(pages), "history, deep"].map((name) => ({
    of: "dashboard",
    says: `${name} answers within 50 ms (p95), with 100,000 tickets and 1,000,000 lines`,
    reads: [`dashboard ${name} p95`],
    holds: under(mostMs),
  })),
  {
    of: "dashboard",
    says: "a page that is open shows what happened within 250 ms (p95)",
    reads: ["dashboard change shown p95"],
    holds: under(250),
  },
  { of: "soak", says: "no acknowledged delivery is lost", reads: ["soak"], holds: under(1) },
];

/** The promises of these benchmarks that the figures do not keep, each with the numbers that break it. */
export function failures(figures: readonly Figure[], benchmarks: readonly string[]): readonly string[] {
  const byName = new Map(figures.map((one) => [one.name, one]));
  return limits
    .filter(({ of }) => benchmarks.includes(of))
    .flatMap(({ says, reads, holds }) => {
      const found = reads.flatMap((name) => byName.get(name) ?? []);
      if (found.length < reads.length) return [`not measured: ${says}`];
      if (holds(...found)) return [];
      const numbers = found.map(
        ({ name, value, unit, baseline }) =>
          `${name} ${value} ${unit}${baseline === null ? "" : ` beside ${baseline}`}`,
      );
      return [`missed: ${says} (${numbers.join(", ")})`];
    });
}
