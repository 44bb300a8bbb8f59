import type { RepoConfig } from "../config.ts";
import { usedOf, type Caps, type Purse } from "../store/reservations.ts";

const dayMs = 86_400_000;

/** Midnight UTC before this instant: where a day's budget begins. */
export const dayStart = (now: number): number => now - (now % dayMs);
export const nextDay = (now: number): number => dayStart(now) + dayMs;

/** What a day may cost, where the operator does not say. */
export const dayDefaultUsd = { warn: 50, stop: 100 } as const;

/** The operator's caps on a day: of this host, and of each tenant: an account with its repositories, a Linear workspace. */
export interface DayCaps {
  readonly dayStopUsd: number;
  readonly tenantDayUsd: number | undefined;
}

/** Where the operator named none, the usual. */
export const dayCapsOf = (named: {
  readonly dayStopUsd?: number | undefined;
  readonly tenantDayUsd?: number | undefined;
}): DayCaps => ({
  dayStopUsd: named.dayStopUsd ?? dayDefaultUsd.stop,
  tenantDayUsd: named.tenantDayUsd,
});

/** What a run may spend that starts now. */
export const capsOf = ({ limits }: RepoConfig, { dayStopUsd, tenantDayUsd }: DayCaps, now: number): Caps => ({
  runUsd: limits.run_usd,
  ticketUsd: limits.ticket_usd,
  repositoryDayUsd: limits.day_usd,
  tenantDayUsd,
  dayUsd: dayStopUsd,
  dayStart: dayStart(now),
});

/** A repository as its day is paid for, for tickets of one place. */
export interface Payer {
  readonly id: number;
  readonly owner: string;
  /** Of Linear; undefined for tickets of the forge itself. */
  readonly workspace: string | undefined;
  /** Its own cap on a day. */
  readonly dayUsd: number | undefined;
}
/** The purses that pay for a day's work in a repository: the host's, its owner's, its own, that of the ticket's workspace. */
export const pursesOf = ({ id, owner, workspace }: Payer): readonly string[] => [
  "day",
  `tenant ${owner}`,
  `repository ${id}`,
  ...(workspace === undefined ? [] : [`workspace ${workspace}`]),
];

/** What is left of today in each purse that has a cap. */
export function leftOf(
  spending: readonly Purse[],
  payers: readonly Payer[],
  { dayStopUsd, tenantDayUsd }: DayCaps,
): ReadonlyMap<string, number> {
  const left = new Map([["day", dayStopUsd - usedOf(...spending)]]);
  for (const { id, owner, workspace, dayUsd } of payers) {
    if (dayUsd !== undefined)
      left.set(`repository ${id}`, dayUsd - usedOf(...spending.filter(({ repo }) => repo === id)));
    if (tenantDayUsd !== undefined)
      left.set(`tenant ${owner}`, tenantDayUsd - usedOf(...spending.filter((one) => one.owner === owner)));
    if (tenantDayUsd !== undefined && workspace !== undefined) {
      const theirs = spending.filter((one) => one.workspace === workspace);
      left.set(`workspace ${workspace}`, tenantDayUsd - usedOf(...theirs));
    }
  }
  return left;
}

/** What a run sets aside: never more than a whole day may cost, or it would wait for ever. */
export const reserveOf = (
  allowedUsd: number | undefined,
  runUsd: number,
  { dayUsd }: Payer,
  { dayStopUsd, tenantDayUsd }: DayCaps,
): number => Math.min(allowedUsd ?? runUsd, dayStopUsd, tenantDayUsd ?? Infinity, dayUsd ?? Infinity);
