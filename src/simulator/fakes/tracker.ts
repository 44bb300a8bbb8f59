import type { IssueRef, TicketFacts, Tracker } from "../../ports.ts";
import type { Hub, HubIssue } from "./hub.ts";
import { openOwnIssue } from "./own-issue.ts";

/** The Tracker on the in-memory hub. */
export function fakeTracker(hub: Hub): Tracker {
  const find = ({ number }: IssueRef): HubIssue | undefined => {
    const issue = hub.issues.get(number);
    return issue?.is === "gone" ? undefined : issue;
  };
  const refOf = (issue: HubIssue): string => `${hub.repo.owner}/${hub.repo.name}#${issue.number}`;
  const factsOf = (issue: HubIssue): TicketFacts => ({
    id: `github:${hub.repo.id}#${issue.number}`,
    ref: refOf(issue),
    number: issue.number,
    title: issue.title,
    body: issue.body,
    open: issue.is === "open",
    declined: issue.is === "not_planned",
    labels: [...issue.labels],
    author: issue.author,
    url: `https://github.test/${hub.repo.owner}/${hub.repo.name}/issues/${issue.number}`,
    updatedAt: issue.updatedAt,
  });
  return {
    ticket: async (ref) => {
      const issue = find(ref);
      return issue === undefined ? undefined : factsOf(issue);
    },
    changedSince: async (_repo, since) =>
      [...hub.issues.values()]
        .filter((issue) => issue.is !== "gone")
        .filter((issue) => issue.updatedAt >= since || (issue.is === "open" && issue.labels.some(isOurs)))
        .map(factsOf)
        .sort((one, other) => one.updatedAt - other.updatedAt),
    dependencies: async (ref) =>
      (find(ref)?.dependsOn ?? []).flatMap((number) => {
        const other = find({ ...ref, number });
        if (other === undefined) return [];
        const is = other.is === "not_planned" ? "declined" : other.is === "open" ? "open" : "completed";
        return [{ ref: refOf(other), is } as const];
      }),
    history: async (ref) => {
      const issue = find(ref);
      return issue && { labels: issue.labelled, textChangedAt: issue.textChangedAt };
    },
    openIssue: async (key, _repo, marker, { title, body }) => {
      const text = `<!-- forgehand:${marker} -->\n${body}`;
      const known = [...hub.issues.values()].find((one) => one.author === hub.bot && one.body === text);
      if (known !== undefined) return known.number;
      return openOwnIssue(hub, key, { title, body: text });
    },
    move: async (key, ref, to) => {
      const issue = find(ref);
      const is = to === "Done" ? "completed" : to === "Cancelled" ? "not_planned" : "open";
      if (issue === undefined || issue.is === is) return;
      await hub.write({ key, ref: refOf(issue), operation: "close or open an issue" }, () => {
        issue.is = is;
        issue.updatedAt = hub.now();
      });
    },
    setLabels: async (key, ref, change) => {
      const issue = find(ref);
      if (issue === undefined) return;
      const add = change.add.filter((label) => !issue.labels.includes(label));
      const remove = change.remove.filter(
        (label) => issue.labels.includes(label) && !change.add.includes(label),
      );
      if (add.length + remove.length === 0) return;
      await hub.write({ key, ref: refOf(issue), operation: "set labels" }, () => {
        for (const label of add) {
          hub.labels.add(label);
          issue.labelled.push({ label, is: "set", by: hub.bot, at: hub.now() });
        }
        for (const label of remove) issue.labelled.push({ label, is: "removed", by: hub.bot, at: hub.now() });
        issue.labels = [...issue.labels.filter((label) => !remove.some((each) => each === label)), ...add];
        issue.updatedAt = hub.now();
      });
    },
  };
}

/** Labels that make an issue a ticket of ours. */
function isOurs(label: string): boolean {
  return (
    ["agent-ready", "needs-spec", "harness-blocked", "auto-merge"].includes(label) ||
    /^(runtime\/|forgehand:)/.test(label)
  );
}
