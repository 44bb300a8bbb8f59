import type { LabelName, LabelNames } from "../../bootstrap/labels.ts";
import { runtimePrefix, workflowPrefix } from "../../bootstrap/labels.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { RuntimeName, SpecHash } from "../state-machine/ticket.ts";
import type { Facts } from "./facts.ts";

export type Released = { readonly events: readonly TicketEvent[] } | { readonly why: string };

/**
 * A person with permission released the ticket as it read when they spoke; the runtime they picked is told first.
 * Text that was edited before we could read it is not what they released: the edit then voids the release at once.
 */
export function released(
  facts: Pick<Facts, "issue" | "spec" | "ticket" | "labels" | "runtimes" | "workflows">,
  spoken: SpecHash | undefined,
): Released {
  if (facts.issue === undefined || facts.spec === undefined) return { why: "the issue is gone" };
  if (!facts.issue.open) return { why: "the issue is closed" };
  const choice = choiceOf(facts);
  const isNews = choice.runtime !== facts.ticket?.runtime || choice.workflow !== facts.ticket?.workflow;
  const picked: readonly TicketEvent[] = isNews ? [choice] : [];
  const spec = spoken ?? facts.spec;
  const edited: readonly TicketEvent[] =
    spec === facts.spec ? [] : [{ type: "spec.edited", spec: facts.spec }];
  return { events: [...picked, { type: "ready.granted", spec }, ...edited] };
}

/** Whether a label picks who builds, or by which workflow. */
export const isChoice = (label: string): boolean =>
  label.startsWith(runtimePrefix) || label.startsWith(workflowPrefix);

/**
 * What the issue's labels pick: no runtime or one, no workflow or one; two of a kind contest the choice. Labels that
 * name nothing of ours pick nothing.
 */
export function choiceOf(
  facts: Pick<Facts, "issue" | "labels" | "runtimes" | "workflows">,
): Extract<TicketEvent, { type: "runtime.chosen" }> {
  const set = facts.issue?.labels ?? [];
  const runtimes = set.flatMap((label) => runtimeNamed(label, facts) ?? []);
  const workflows = set.flatMap((label) => workflowNamed(label, facts) ?? []);
  if (runtimes.length > 1 || workflows.length > 1) return { type: "runtime.chosen", runtime: "contested" };
  const [workflow] = workflows;
  return { type: "runtime.chosen", runtime: runtimes[0], ...(workflow === undefined ? {} : { workflow }) };
}

/** The workflow this label picks. */
export function workflowNamed(label: string, { workflows }: Pick<Facts, "workflows">): string | undefined {
  const name = label.startsWith(workflowPrefix) ? label.slice(workflowPrefix.length) : undefined;
  return name !== undefined && workflows.includes(name) ? name : undefined;
}

/** The runtime of ours this label picks. */
export function runtimeNamed(
  label: string,
  facts: Pick<Facts, "labels" | "runtimes">,
): RuntimeName | undefined {
  const canonical = canonicalName(label, facts.labels) ?? label;
  if (!canonical.startsWith(runtimePrefix)) return undefined;
  const name = canonical.slice(runtimePrefix.length);
  return facts.runtimes.includes(name) ? name : undefined;
}

/** What this label is called in our vocabulary; undefined when it is none of ours. */
export function canonicalName(label: string, names: LabelNames): LabelName | undefined {
  return (Object.keys(names) as LabelName[]).find((name) => names[name] === label);
}
