/** A moment as GitHub spells it. */
export const iso = (at: number): string => new Date(at).toISOString();
