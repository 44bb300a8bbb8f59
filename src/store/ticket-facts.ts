/** What a tracker says of a ticket besides its name: kept where its facts are read, for whoever searches. */
import { all, one, run, type Verb } from "../sql.ts";
import { recountedTicket } from "./costs.ts";

/** More labels than any tracker gives an issue. */
const mostLabels = 100;
const longestLabel = 100;
/** Of a title; nobody searches further. */
const longestText = 500;

interface Facts {
  readonly ref: string;
  readonly title: string;
  readonly author: string;
  readonly labels?: readonly string[] | undefined;
}

/** Writes the name, and the labels and the words that the ticket is found by; what it cost is counted by them from now on. */
export function* keepFacts(id: string, facts: Facts, writeName: () => Verb<void>): Verb<void> {
  const before = yield* one<{ readonly author: string }>("select author from ticket where id = ?", id);
  const labels = facts.labels && shortened(facts.labels);
  const isRelabelled = labels !== undefined && JSON.stringify(labels) !== (yield* labelsNow(id));
  const write = function* (): Verb<void> {
    yield* writeName();
    if (isRelabelled) yield* writeLabels(id, labels);
  };
  // One that nobody knew may have cost something: an agent can be at work before anybody read its issue.
  const isOther = isRelabelled || before?.author !== facts.author;
  yield* isOther ? recountedTicket(id, write) : write();
  yield* run(
    "insert into ticket_text (ticket, text) values (?, ?) on conflict (ticket) do update set text = excluded.text where text <> excluded.text",
    id,
    searchable(`${facts.ref} ${facts.title}`).slice(0, longestText),
  );
}

/** Words are looked for in this form. */
export const searchable = (text: string): string => text.toLowerCase();

const shortened = (labels: readonly string[]): readonly string[] =>
  [...new Set(labels.map((label) => label.slice(0, longestLabel)))].toSorted().slice(0, mostLabels);

function* labelsNow(id: string): Verb<string> {
  const rows = yield* all<{ readonly label: string }>(
    "select label from ticket_label where ticket = ? order by label",
    id,
  );
  return JSON.stringify(rows.map(({ label }) => label).toSorted());
}

function* writeLabels(id: string, labels: readonly string[]): Verb<void> {
  yield* run("delete from ticket_label where ticket = ?", id);
  yield* run(
    "insert into ticket_label (ticket, label) select ?, value from json_each(?)",
    id,
    JSON.stringify(labels),
  );
}
