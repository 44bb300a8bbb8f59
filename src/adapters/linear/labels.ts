import { Trouble } from "../../ports.ts";
import type { Key, LabelChange } from "../../ports.ts";
import type { LabelWord } from "../github/issues.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import type { LinearApi } from "./api.ts";
import { createLabel, labelsNamedQuery, updateIssue, type NamedLabel, type RawLabel } from "./documents.ts";
import { pages, readIssue } from "./facts.ts";
import { unlessGone } from "./gone.ts";
import { isInvalid } from "./trouble.ts";

interface Labelling {
  readonly api: LinearApi;
  readonly key: Key;
  readonly ref: LinearIssueRef;
  readonly team: { readonly id: string; readonly key: string };
}
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** Adds and removes in one change that leaves every other label alone. */
export async function setLabels(
  api: LinearApi,
  key: Key,
  ref: LinearIssueRef,
  change: LabelChange,
  words: readonly LabelWord[],
): Promise<void> {
  const found = await readIssue(api, ref);
  if (found === undefined) return;
  const present = found.labels;
  const wordOf = (label: string): LabelWord =>
    words.find((word) => word.label === label) ?? {
      label,
      name: label,
      color: "bec2c8",
      description: "",
    };
  const at: Labelling = { api, key, ref, team: found.raw.team };
  const removed = change.remove
    .filter((label) => !change.add.includes(label))
    .flatMap((label) => present.filter(({ name }) => same(name, wordOf(label).name)));
  const missing = change.add.map(wordOf).filter((word) => !present.some(({ name }) => same(name, word.name)));
  const added: RawLabel[] = [];
  const kept = present.filter((label) => !removed.includes(label));
  for (const word of missing) {
    const label = await labelOf(at, word);
    refuseExclusive(at, label, [...kept, ...added]);
    added.push(label);
  }
  if (added.length === 0 && removed.length === 0) return;
  await api.writing(key, "set labels", ref);
  const input = {
    ...(added.length === 0 ? {} : { addedLabelIds: added.map(({ id }) => id) }),
    ...(removed.length === 0 ? {} : { removedLabelIds: removed.map(({ id }) => id) }),
  };
  await unlessGone(() => api.ask(ref.workspace, updateIssue, { id: ref.issue, input }));
}

/** Of one group an issue bears one label; taking a person's choice away to set ours is not ours to do. */
function refuseExclusive({ team }: Labelling, label: RawLabel, others: readonly RawLabel[]): void {
  const { parent } = label;
  if (parent === undefined) return;
  const rival = others.find((other) => other.parent?.id === parent.id && other.id !== label.id);
  if (rival === undefined) return;
  throw new Trouble(
    "linear-label-group",
    `The label "${label.name}" cannot be set beside "${rival.name}": in team ${team.key} both are of the group "${parent.name}", of which an issue bears one. Move "${label.name}" out of that group in Linear's label settings.`,
    { permanent: true },
  );
}

/** The team's own label of that name, else the workspace's, else one that is made in the team. */
async function labelOf(at: Labelling, word: LabelWord): Promise<RawLabel> {
  const known = await findLabel(at, word.name);
  if (known !== undefined) return known;
  const { api, key, ref, team } = at;
  await api.writing(key, "set labels", ref);
  const input = {
    name: word.name,
    color: `#${word.color}`,
    teamId: team.id,
    ...(word.description === "" ? {} : { description: word.description }),
  };
  try {
    await api.ask(ref.workspace, createLabel, { input });
  } catch (error) {
    // Somebody may have created it in the meantime.
    if (!isInvalid(error) || (await findLabel(at, word.name)) === undefined) throw error;
  }
  const made = await findLabel(at, word.name);
  if (made === undefined)
    throw new Trouble(
      "linear-label-missing",
      `Linear created the label "${word.name}" in team ${team.key} and does not list it yet.`,
    );
  return made;
}

async function findLabel({ api, ref, team }: Labelling, name: string): Promise<NamedLabel | undefined> {
  const named = await pages(async (after) => {
    const { issueLabels } = await api.ask(ref.workspace, labelsNamedQuery, { name, after });
    return issueLabels;
  });
  const usable = named.filter((label) => label.team === undefined || label.team.id === team.id);
  const label =
    usable.find((one) => one.team !== undefined && !one.isGroup) ?? usable.find((one) => !one.isGroup);
  const [group] = usable;
  if (label === undefined && group !== undefined)
    throw new Trouble(
      "linear-label-group",
      `"${group.name}" is a group of labels in team ${team.key}, and groups cannot be set on issues. Rename the group in Linear's label settings.`,
      { permanent: true },
    );
  return label;
}
