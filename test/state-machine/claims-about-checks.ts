import type { Effect, EffectType } from "../../src/state-machine/effect.ts";
import { sets } from "../../src/state-machine/table.ts";
import type { Step } from "./claims.ts";

const of = <Type extends EffectType>(step: Step, type: Type): readonly Extract<Effect, { type: Type }>[] =>
  step.outcome.effects.filter((effect): effect is Extract<Effect, { type: Type }> => effect.type === type);
const isJudged = ({ before }: Step): boolean => sets.judged.some((state) => state === before.state);
const isAtHead = ({ before, event }: Step): boolean => "head" in event && event.head === before.head;

/** What has to be true of every step about red checks that may not be the change's fault, and about a base that moved. */
export const claimsAboutChecks: Readonly<Record<string, (step: Step) => boolean>> = {
  "a doubt about red checks is remembered while the head is judged": (step) => {
    const { before, after } = step;
    const isDoubt = isWatchedDoubt(step);
    return (
      (!isDoubt || (after.checks === "doubted" && after.state === before.state)) &&
      (after.checks !== "doubted" || before.checks === "doubted" || isDoubt)
    );
  },
  "what looks flaky is run again, and nothing else is": (step) => {
    const { before, event } = step;
    const isFlaky = isWatchedDoubt(step) && event.type === "ci.doubted" && event.how === "rerun";
    const again = of(step, "checks.rerun");
    return (
      again.length === (isFlaky ? 1 : 0) &&
      again.every(({ head, runs }) => head === before.head && runs.length > 0)
    );
  },
  "a head that waits for a person or for its merge takes over its base when it must": (step) => {
    const mustUpdate = step.event.type === "base.moved" && isJudged(step) && isAtHead(step);
    const updates = of(step, "branch.update");
    return updates.length === (mustUpdate ? 1 : 0) && updates.every(({ head }) => head === step.after.head);
  },
};

const isWatchedDoubt = (step: Step): boolean =>
  step.event.type === "ci.doubted" &&
  (isJudged(step) || step.before.state === "Adversarial Review") &&
  isAtHead(step);
