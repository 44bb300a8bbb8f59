import type { LabelEvent } from "../../ports.ts";
import type { LinearDeed, LinearHistory, LinearLabelEvent } from "../../ports-linear-issues.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import type { LinearApi } from "./api.ts";
import { historyQuery, type RawChange } from "./documents.ts";
import { pages, readIssue } from "./facts.ts";

/** Undefined when the issue is gone. */
export async function readHistory(api: LinearApi, ref: LinearIssueRef): Promise<LinearHistory | undefined> {
  const found = await readIssue(api, ref);
  if (found === undefined) return undefined;
  const { raw } = found;
  const newestFirst = await pages(async (after) => {
    const { issue } = await api.ask(ref.workspace, historyQuery, { id: ref.issue, after });
    return issue.history;
  });
  const changes = newestFirst
    .map((change, place) => ({ change, place }))
    // Of one instant, what Linear tells first came last.
    .toSorted((one, other) => one.change.createdAt - other.change.createdAt || other.place - one.place)
    .map(({ change }) => change);
  const told = changes.flatMap(labelEvents);
  const first = {
    person: raw.creator,
    by: raw.creator?.displayName ?? "ghost",
    at: raw.createdAt,
    is: "set" as const,
  };
  const given = labelsAtBirth(
    told,
    found.labels.map(({ name }) => name),
  ).map((label) => ({ ...first, label }));
  const texts = changes
    .filter(
      ({ updatedDescription, fromTitle, toTitle }) => updatedDescription === true || fromTitle !== toTitle,
    )
    // Edits that follow each other closely are kept as one: the last of them counts.
    .map((change) => ({ ...deedOf(change), at: change.updatedAt }));
  return {
    labels: [...given, ...told],
    texts,
    textChangedAt: texts.at(-1)?.at,
    moves: changes.flatMap((change) => {
      const { fromState: from, toState: to } = change;
      if (from === undefined || to === undefined) return [];
      const bot = change.botActor?.name ?? change.botActor?.type;
      return [{ ...deedOf(change), from: stateOf(from), to: stateOf(to), bot }];
    }),
  };
}

const deedOf = ({ actor, createdAt }: RawChange): LinearDeed => ({ person: actor, at: createdAt });
const stateOf = ({
  id,
  name,
  type,
}: {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}) => ({
  id,
  name,
  category: type,
});

function labelEvents(change: RawChange): readonly LinearLabelEvent[] {
  const by = change.actor?.displayName ?? change.botActor?.name ?? "ghost";
  const event = (is: LabelEvent["is"], { name }: { readonly name: string }): LinearLabelEvent => ({
    label: name,
    is,
    by,
    ...deedOf(change),
  });
  return [
    ...(change.removedLabels ?? []).map((label) => event("removed", label)),
    ...(change.addedLabels ?? []).map((label) => event("set", label)),
  ];
}

/** An issue may be born with labels, of which its history says nothing: those it has, or lost, without ever having got them. */
function labelsAtBirth(told: readonly LabelEvent[], now: readonly string[]): readonly string[] {
  const firsts = new Map<string, LabelEvent["is"]>();
  for (const { label, is } of told) if (!firsts.has(label)) firsts.set(label, is);
  const lost = [...firsts].flatMap(([label, is]) => (is === "removed" ? [label] : []));
  return [...new Set([...lost, ...now.filter((label) => !firsts.has(label))])];
}
