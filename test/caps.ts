import type { Caps } from "../src/store/reservations.ts";

/** Five dollars a run, and otherwise as good as no cap. */
export const caps: Caps = {
  runUsd: 5,
  ticketUsd: 1_000_000,
  repositoryDayUsd: undefined,
  tenantDayUsd: undefined,
  dayUsd: 1_000_000,
  dayStart: 0,
};
