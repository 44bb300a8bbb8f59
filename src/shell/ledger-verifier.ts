/** Verifies the ledger while everything else goes on: in small pieces, with a breath after each. */
import { setImmediate } from "node:timers/promises";
import type { Verification } from "../ports-dashboard-ledger.ts";
import { verifyLedger } from "./verify-ledger.ts";
import type { Workshop } from "./workshop.ts";

/** Under which is kept how the last one ended. */
const verifiedMark = "ledger-verified";

export interface Verifier {
  begin(by: string): "begun" | "under way";
  /** The one under way, else how the last one ended. */
  standing(): Promise<Verification | undefined>;
  /** Once none is under way. */
  settled(): Promise<void>;
}

const verifiers = new WeakMap<Workshop, Verifier>();
/** The one of this process: whoever asks while it works sees how far it is. */
export function verifierOf(shop: Workshop): Verifier {
  const verifier = verifiers.get(shop) ?? openVerifier(shop);
  verifiers.set(shop, verifier);
  return verifier;
}

function openVerifier({ store, clock }: Pick<Workshop, "store" | "clock">): Verifier {
  let underWay: { told: Verification; readonly over: Promise<void> } | undefined;
  const run = async (by: string, startedAt: number): Promise<Verification> => {
    const { seq: of } = await store.ledgerHead();
    const told = { by, startedAt, of };
    const breathe = async (lines: number): Promise<void> => {
      if (underWay !== undefined)
        underWay.told = { ...told, is: "under way", lines, endedAt: undefined, faults: [] };
      await setImmediate();
    };
    try {
      const { lines, faults } = await verifyLedger(store, [], breathe);
      const is = faults.length === 0 ? "holds" : "broken";
      return { ...told, is, lines, endedAt: clock.now(), faults };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { ...told, is: "failed", lines: 0, endedAt: clock.now(), faults: [{ seq: 0, why }] };
    }
  };
  const settle = async (by: string, startedAt: number): Promise<void> => {
    const ended = await run(by, startedAt);
    // A process that stops forgets it; who asked asks again.
    await store.set(verifiedMark, JSON.stringify(ended), by, clock.now()).catch(() => undefined);
    underWay = undefined;
  };
  return {
    begin: (by) => {
      if (underWay !== undefined) return "under way";
      const startedAt = clock.now();
      const told: Verification = {
        is: "under way",
        lines: 0,
        of: 0,
        by,
        startedAt,
        endedAt: undefined,
        faults: [],
      };
      // The first piece of work waits until this is kept.
      underWay = { told, over: setImmediate().then(() => settle(by, startedAt)) };
      return "begun";
    },
    standing: async () => {
      if (underWay !== undefined) return underWay.told;
      const kept = await store.setting(verifiedMark);
      // As written above.
      return kept === undefined ? undefined : (JSON.parse(kept.value) as Verification);
    },
    settled: async () => await underWay?.over,
  };
}
