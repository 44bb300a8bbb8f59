import { issueOf, labelOf, pullOf } from "./format.ts";
import type { Hub } from "./context.ts";
import type { SimRepo, SimThread } from "./state.ts";

/** Puts labels on and takes them off, one piece of news for each that changed. */
export function changeLabels(
  hub: Hub,
  repo: SimRepo,
  thread: SimThread,
  change: { readonly add: readonly string[]; readonly remove: readonly string[]; readonly by: string },
): void {
  const tell = (action: "labeled" | "unlabeled", label: string): void => {
    thread.events.push({
      id: hub.id(),
      event: action,
      label,
      rename: undefined,
      by: change.by,
      at: hub.now(),
    });
    thread.updatedAt = hub.now();
    const named = { label: labelOf(repo, label) };
    if (thread.pull === undefined)
      hub.courier.send(repo, "issues", action, change.by, {
        ...named,
        issue: issueOf(hub.state, repo, thread, hub.url),
      });
    else
      hub.courier.send(repo, "pull_request", action, change.by, {
        ...named,
        number: thread.number,
        pull_request: pullOf(hub.state, repo, thread, hub.url, {
          mergeable: null,
          mergeable_state: "unknown",
        }),
      });
  };
  for (const label of change.add) {
    if (thread.labels.has(label)) continue;
    if (!repo.labels.has(label)) repo.labels.set(label, { id: hub.id(), color: "ededed", description: "" });
    thread.labels.add(label);
    tell("labeled", label);
  }
  for (const label of change.remove) if (thread.labels.delete(label)) tell("unlabeled", label);
}

/** Adds a line to the history of a thread. */
export function note(
  hub: Hub,
  thread: SimThread,
  event: string,
  by: string,
  rename?: SimThread["events"][number]["rename"],
): void {
  thread.events.push({ id: hub.id(), event, label: undefined, rename, by, at: hub.now() });
  thread.updatedAt = hub.now();
}

/** Opens an issue or pull request under the next number of the repository. */
export function newThread(
  hub: Hub,
  repo: SimRepo,
  spec: {
    readonly title: string;
    readonly body: string;
    readonly by: string;
    readonly pull?: SimThread["pull"];
  },
): SimThread {
  const number = Math.max(0, ...repo.threads.keys()) + 1;
  const thread: SimThread = {
    id: hub.id(),
    number,
    title: spec.title,
    body: spec.body,
    by: spec.by,
    state: "open",
    reason: null,
    labels: new Set(),
    comments: [],
    events: [],
    editedAt: undefined,
    reactions: [],
    createdAt: hub.now(),
    updatedAt: hub.now(),
    pull: spec.pull,
    gone: false,
  };
  repo.threads.set(number, thread);
  return thread;
}
