import { sets } from "../../src/state-machine/table.ts";
import type { Step } from "./claims.ts";

const isOpen = ({ before }: Step): boolean => sets.open.some((state) => state === before.state);
const has = ({ outcome }: Step, type: string): boolean =>
  outcome.effects.some((effect) => effect.type === type);

/** What has to be true of every step as far as a merge's certificate stands on it. */
export const certificateClaims: Readonly<Record<string, (step: Step) => boolean>> = {
  "what the forge is asked to merge is on record while the ticket is open": (step) =>
    step.event.type !== "merge.asked" ||
    ((step.outcome.row !== undefined) === isOpen(step) && step.outcome.effects.length === 0),
  "every merge is certified, once": (step) =>
    has(step, "merge.certify") === (step.before.state !== "Done" && step.after.state === "Done"),
  "a certificate is on record and shown, whatever became of the ticket": (step) =>
    step.event.type !== "merge.certified" ||
    (step.outcome.row !== undefined &&
      has(step, "workpad") &&
      (has(step, "check") || step.after.head === undefined)),
};
