/** Connections that are held open, so many of everybody together and of each: one of many leaves room for others. */
export interface Seats {
  /** Gives one up again, once; undefined where there is none left. */
  take(who: string): (() => void) | undefined;
}

export function openSeats({ all, each }: { readonly all: number; readonly each: number }): Seats {
  const taken = new Map<string, number>();
  let sum = 0;
  return {
    take: (who) => {
      const before = taken.get(who) ?? 0;
      if (sum >= all || before >= each) return undefined;
      sum += 1;
      taken.set(who, before + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        sum -= 1;
        const left = (taken.get(who) ?? 1) - 1;
        if (left === 0) taken.delete(who);
        else taken.set(who, left);
      };
    },
  };
}
