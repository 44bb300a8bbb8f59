import type { LabelName, LabelNames } from "../../bootstrap/labels.ts";
import { runtimePrefix } from "../../bootstrap/labels.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { RuntimeName, SpecHash } from "../state-machine/ticket.ts";
import type { Facts } from "./facts.ts";

export type Released = { readonly events: readonly TicketEvent[] } | { readonly why: string };

/**
 * A person with permission released the ticket as it read when they spoke; the runtime they picked is told first.
 * Text that was edited before we could read it is not what they released: the edit then voids the release at once.
 */
export function released(facts: Facts, spoken: SpecHash | undefined): Released {
  if (facts.issue === undefined || facts.spec === undefined) return { why: "the issue is gone" };
  if (!facts.issue.open) return { why: "the issue is closed" };
  const runtime = runtimeOf(facts);
  const picked: readonly TicketEvent[] =
    runtime === facts.ticket?.runtime ? [] : [{ type: "runtime.chosen", runtime }];
  const spec = spoken ?? facts.spec;
  const edited: readonly TicketEvent[] =
    spec === facts.spec ? [] : [{ type: "spec.edited", spec: facts.spec }];
  return { events: [...picked, { type: "ready.granted", spec }, ...edited] };
}

/** The runtime the issue's labels pick: none, one, or contested. Labels that name no runtime of ours pick nothing. */
export function runtimeOf(
  facts: Pick<Facts, "issue" | "labels" | "runtimes">,
): RuntimeName | "contested" | undefined {
  const picked = (facts.issue?.labels ?? []).flatMap((label) => runtimeNamed(label, facts) ?? []);
  return picked.length > 1 ? "contested" : picked[0];
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
