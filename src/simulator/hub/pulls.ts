import { measure } from "./changed-files.ts";
import type { Hub } from "./context.ts";
import { pullOf } from "./format.ts";
import { mergeability } from "./mergeability.ts";
import type { PullThread, SimPull, SimRepo } from "./state.ts";
import { newThread, note } from "./threads.ts";

export interface PullChange {
  readonly state?: "open" | "closed" | undefined;
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  readonly base?: string | undefined;
}

/** Changes a pull request; everybody hears of what changed, and of nothing else. */
export async function changePull(
  hub: Hub,
  repo: SimRepo,
  thread: PullThread,
  change: PullChange,
  by: string,
): Promise<void> {
  const { pull } = thread;
  const tell = async (action: string, more: object): Promise<void> => {
    const shown = pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread));
    hub.courier.send(repo, "pull_request", action, by, {
      number: thread.number,
      pull_request: shown,
      ...more,
    });
  };
  const { title = thread.title, body = thread.body, base = pull.baseRef, state = thread.state } = change;
  const changes = {
    ...(title === thread.title ? {} : { title: { from: thread.title } }),
    ...(body === thread.body ? {} : { body: { from: thread.body } }),
    ...(base === pull.baseRef
      ? {}
      : { base: { ref: { from: pull.baseRef }, sha: { from: repo.branches.get(pull.baseRef) } } }),
  };
  const wasArmed = pull.auto !== undefined && base !== pull.baseRef;
  Object.assign(thread, { title, body });
  if (base !== pull.baseRef) {
    pull.baseRef = base;
    await measure(repo, pull);
  }
  // A new base disarms; a new head does not.
  if (wasArmed) pull.auto = undefined;
  if (Object.keys(changes).length > 0) {
    thread.updatedAt = hub.now();
    await tell("edited", { changes });
  }
  if (wasArmed) await tell("auto_merge_disabled", { reason: "The base branch was changed" });
  if (state === thread.state) return;
  thread.state = state;
  if (state === "closed") pull.auto = undefined;
  note(hub, thread, state === "closed" ? "closed" : "reopened", by);
  // A branch that moved while the pull request was closed is seen when it opens again.
  if (state === "open") {
    pull.head = repo.branches.get(pull.headRef) ?? pull.head;
    await measure(repo, pull);
  }
  await tell(state === "closed" ? "closed" : "reopened", {});
}

/** A new pull request, and everybody hears of it. */
export async function newPull(
  hub: Hub,
  repo: SimRepo,
  spec: {
    readonly title: string;
    readonly body: string;
    readonly by: string;
    readonly draft: boolean;
    readonly branch: string;
    readonly base: string;
    readonly tip: string;
  },
): Promise<PullThread> {
  const { title, body, by, draft, branch, base, tip } = spec;
  const pull: SimPull = {
    headRef: branch,
    baseRef: base,
    head: tip,
    draft,
    merged: undefined,
    reviews: [],
    inline: [],
    requested: [],
    auto: undefined,
    queueing: [],
  };
  await measure(repo, pull);
  const thread = { ...newThread(hub, repo, { title, body, by, pull }), pull };
  repo.threads.set(thread.number, thread);
  const shown = pullOf(hub.state, repo, thread, hub.url, await mergeability(repo, thread));
  hub.courier.send(repo, "pull_request", "opened", by, { number: thread.number, pull_request: shown });
  return thread;
}
