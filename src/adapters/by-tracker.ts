/** Tracker and voice for tickets of several trackers: each question goes where the ticket lives. */
import { ghost, loginOfPerson, type LinkedPeople } from "../linear-people.ts";
import type { IssueHistory, IssueRef, Tracker, Voice } from "../ports.ts";
import type { LinearIssues } from "../ports-linear-issues.ts";
import { linearMarkdown } from "./linear/markdown.ts";

export interface TrackersOptions {
  readonly github: { readonly tracker: Tracker; readonly voice: Voice };
  readonly linear: LinearIssues;
  /** Who somebody of Linear is on the forge. */
  readonly people: LinkedPeople;
  /** What the ticket's repository calls our labels. */
  readonly labelName: (issue: IssueRef, label: string) => string;
}

/** The trackers as one. What is said on pull requests, and issues that we open ourselves, are the forge's. */
export function trackerOf({ github, linear, people, labelName }: TrackersOptions): Tracker {
  const { tracker } = github;
  return {
    ...tracker,
    ticket: (issue) => (issue.linear === undefined ? tracker.ticket(issue) : linear.ticket(issue.linear)),
    dependencies: (issue) =>
      issue.linear === undefined ? tracker.dependencies(issue) : linear.dependencies(issue.linear),
    history: async (issue) => {
      if (issue.linear === undefined) return await tracker.history(issue);
      const { workspace } = issue.linear;
      const history = await linear.history(issue.linear);
      if (history === undefined) return undefined;
      // The same few people set most labels, and each is a question to the forge.
      const logins = new Map<string, string>();
      const labels: IssueHistory["labels"][number][] = [];
      for (const { person, ...event } of history.labels) {
        const by =
          person === undefined
            ? ghost
            : (logins.get(person.id) ?? (await loginOfPerson(people, issue.repo, workspace, person)));
        if (person !== undefined) logins.set(person.id, by);
        labels.push({ ...event, by });
      }
      return { labels, textChangedAt: history.textChangedAt };
    },
    move: (key, issue, to) =>
      issue.linear === undefined ? tracker.move(key, issue, to) : linear.move(key, issue.linear, to),
    setLabels: (key, issue, change) =>
      issue.linear === undefined
        ? tracker.setLabels(key, issue, change)
        : linear.setLabels(key, issue.linear, change, (label) => labelName(issue, label)),
  };
}

export function voiceOf({ github, linear }: Pick<TrackersOptions, "github" | "linear">): Voice {
  const { voice } = github;
  return {
    ...voice,
    upsertComment: async (key, on, marker, body, under) =>
      on.linear === undefined
        ? await voice.upsertComment(key, on, marker, body)
        : ((await linear.upsertComment(key, on.linear, marker, linearMarkdown(body), under)) ??
          "nowhere: the issue is gone"),
    react: (key, on, comment, content) =>
      on.linear === undefined
        ? voice.react(key, on, comment, content)
        : linear.react(key, on.linear, comment?.kind === "tracker" ? comment.id : undefined, content),
  };
}
