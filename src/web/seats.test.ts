import fc from "fast-check";
import { expect, test } from "vitest";
import { openSeats } from "./seats.ts";

test("nobody ever has more than their own, all together no more than there are, and what is given up is there again", () => {
  const people = ["ada", "bob", "eve"] as const;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...people), fc.boolean()), { maxLength: 60 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      (moves, all, each) => {
        const seats = openSeats({ all, each });
        const held = new Map<string, (() => void)[]>(people.map((who) => [who, []]));
        const count = (): number => [...held.values()].flat().length;
        for (const [who, comes] of moves) {
          const own = held.get(who) ?? [];
          if (!comes) {
            const leave = own.pop();
            leave?.();
            // Whoever leaves twice has left once.
            leave?.();
            continue;
          }
          const isRoom = own.length < each && count() < all;
          const seat = seats.take(who);
          expect(seat !== undefined).toBe(isRoom);
          if (seat !== undefined) own.push(seat);
        }
      },
    ),
  );
});
