import { sets } from "../../src/state-machine/table.ts";
import type { Step } from "./claims.ts";

/** The labels of ours on the issue after the step, if they were as they should be before it. */
export function labelsAfter(step: Step): ReadonlySet<string> {
  const { before, event } = step;
  const labels = new Set<string>();
  const isOver = sets.over.some((state) => state === before.state);
  if (before.state === "Backlog" || isOver) labels.add("needs-spec");
  if (before.state === "Blocked") labels.add("harness-blocked");
  if (before.spec !== undefined || isOver) labels.add("agent-ready");
  if (before.autoMerge) labels.add("auto-merge");
  if (event.type === "ready.granted") labels.add("agent-ready");
  if (event.type === "ready.revoked") labels.delete("agent-ready");
  if (event.type === "automerge.set" && event.on) labels.add("auto-merge");
  if (event.type === "automerge.set" && !event.on) labels.delete("auto-merge");
  for (const { add, remove } of step.outcome.effects.filter((effect) => effect.type === "labels")) {
    for (const label of add) labels.add(label);
    for (const label of remove) labels.delete(label);
  }
  return labels;
}
