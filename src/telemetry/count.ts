/** What is fresh, as additions to totals: pure. */
import type { EndedSession, Fresh } from "../store/follow.ts";
import type { Tally } from "../store/tally.ts";
import { bounded, metrics, type Metric, type MetricName } from "./metrics.ts";

/** Labels whose values come from outside, and so are kept few. */
const openLabels = ["runtime", "model", "workflow", "role", "outcome", "type", "source"] as const;

/** What each label was said to be so far. */
export function valuesIn(tallies: readonly Tally[]): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>();
  for (const { labels } of tallies)
    for (const label of openLabels) {
      const value = labels[label];
      if (value === undefined || value === "other") continue;
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  return known;
}

/** Adds up what is added under one name and the same labels. */
export function summed(all: readonly Tally[]): readonly Tally[] {
  const sums = new Map<string, Tally>();
  for (const one of all) {
    const key = `${one.metric} ${JSON.stringify(one.labels)}`;
    sums.set(key, { ...one, value: one.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

/** What these rows add to the totals. */
export function countOf(fresh: Fresh, known: Map<string, Set<string>>): readonly Tally[] {
  const added: Tally[] = [];
  const add = (metric: MetricName, labels: Tally["labels"], value: number): void => {
    if (value !== 0) added.push({ metric, labels, value });
  };
  const named = (label: (typeof openLabels)[number], value: string | null): string =>
    bounded(known, label, value);
  const observe = (metric: MetricName, labels: Tally["labels"], seconds: number): void => {
    const { bounds = [] }: Metric = metrics[metric];
    const bound = bounds.find((one) => seconds <= one);
    added.push({ metric: `${metric}_bucket`, labels: { ...labels, le: String(bound ?? "+Inf") }, value: 1 });
    added.push({ metric: `${metric}_sum`, labels, value: seconds });
  };
  // The table is ours: its rows need no bound.
  for (const { row, from, to } of fresh.lines) add("forgehand_transitions_total", { row, from, to }, 1);
  for (const { source, state } of fresh.items)
    add(
      "forgehand_deliveries_total",
      { source: named("source", source), outcome: named("outcome", state) },
      1,
    );
  for (const { type, state, attempts } of fresh.effects) {
    const kind = named("type", type);
    add("forgehand_effects_total", { type: kind, outcome: named("outcome", state) }, 1);
    add("forgehand_effect_retries_total", { type: kind }, attempts);
  }
  for (const { workflow: name, status, createdAt, settledAt, beganAt } of fresh.runs) {
    const workflow = named("workflow", name);
    add("forgehand_runs_total", { workflow, status }, 1);
    observe("forgehand_run_seconds", { workflow }, secondsBetween(createdAt, settledAt));
    if (beganAt !== null)
      observe("forgehand_run_queue_seconds", { workflow }, secondsBetween(createdAt, beganAt));
  }
  for (const session of fresh.sessions) {
    const runtime = named("runtime", session.runtime);
    const model = named("model", session.model);
    add(
      "forgehand_agent_sessions_total",
      { runtime, role: named("role", session.role), outcome: named("outcome", session.outcome) },
      1,
    );
    add(
      "forgehand_agent_seconds_total",
      { runtime, model },
      secondsBetween(session.startedAt, session.endedAt ?? session.startedAt),
    );
    added.push(...spentIn(session, known));
  }
  return summed(added);
}

/** Tokens and dollars of one session. */
export function spentIn(session: EndedSession, known: Map<string, Set<string>>): readonly Tally[] {
  const labels = {
    runtime: bounded(known, "runtime", session.runtime),
    model: bounded(known, "model", session.model),
  };
  const tokens = {
    input: session.inputTokens,
    cached_input: session.cachedInputTokens,
    output: session.outputTokens,
    reasoning: session.reasoningTokens,
  };
  return [
    ...Object.entries(tokens).map(([kind, value]) => ({
      metric: "forgehand_tokens_total",
      labels: { ...labels, kind },
      value,
    })),
    { metric: "forgehand_usd_total", labels, value: session.usd },
  ].filter(({ value }) => value !== 0);
}

const secondsBetween = (from: number, to: number): number => Math.max(0, to - from) / 1_000;
