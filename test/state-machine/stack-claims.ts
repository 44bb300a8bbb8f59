import { sets } from "../../src/state-machine/table.ts";
import type { Step } from "./claims.ts";

const has = (step: Step, type: string): boolean =>
  step.outcome.effects.some((effect) => effect.type === type);
const isOpen = ({ before }: Step): boolean => sets.open.some((state) => state === before.state);

/** What has to be true of tickets that are stacked on others. */
export const stackClaims: Readonly<Record<string, (step: Step) => boolean>> = {
  "a person is asked before anything waits for one, and a draft is never merged": (step) => {
    const { before, after } = step;
    const isNew = before.state !== after.state;
    const wasJudged = sets.judged.some((state) => state === before.state);
    const mustAsk = after.state === "In Review" ? isNew : after.state === "Merging" && isNew && !wasJudged;
    return after.upon !== undefined || !mustAsk || has(step, "pull.ask");
  },
  "nobody is asked about a stacked ticket, and it is neither armed nor merged": (step) =>
    step.after.upon === undefined ||
    (!has(step, "pull.ask") && !has(step, "merge.arm") && !has(step, "merge.try")),
  "only its slot and what the host makes of its head say what a ticket is stacked on": (step) => {
    const { before, after, event, outcome } = step;
    const isFresh = before.state === "Ready" && before.head === undefined;
    if (event.type === "slot.granted" && after.state === "Gate" && isFresh) return after.upon === event.upon;
    if (event.type === "head.moved" && event.update !== undefined && outcome.row !== undefined)
      return after.upon === event.update.upon;
    if (after.upon === before.upon) return true;
    // Before anything is built on it, or when all that was is gone.
    return after.upon === undefined && after.head === undefined;
  },
  "whoever leaves a stack is reviewed anew before anything is asked or merged": (step) =>
    step.before.upon === undefined ||
    step.after.upon !== undefined ||
    !isOpen(step) ||
    (step.after.reviewed === undefined && step.after.approved === undefined),
};
