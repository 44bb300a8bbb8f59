const dayMs = 86_400_000;

/** Midnight UTC before this instant: where a day's budget begins. */
export const dayStart = (now: number): number => now - (now % dayMs);

/** What a day may cost, where the operator does not say. */
export const dayDefaultUsd = { warn: 50, stop: 100 } as const;
