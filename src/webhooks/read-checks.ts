import { z } from "zod";
import type { Hint, Self } from "./heard.ts";

const Pulls = z.array(z.object({ number: z.number().int().positive() })).nullish();

const CheckRunEvent = z.object({
  action: z.string(),
  check_run: z.object({
    head_sha: z.string(),
    external_id: z.string().nullish(),
    app: z.object({ id: z.number() }).nullish(),
    pull_requests: Pulls,
  }),
  requested_action: z.object({ identifier: z.string() }).nullish(),
});

/** `check_run`: somebody else's check has news, or a person pressed a button of ours. */
export function readCheckRun(payload: unknown, self: Self): readonly Hint[] {
  const event = CheckRunEvent.safeParse(payload);
  if (!event.success) return [];
  const { action, check_run: run, requested_action: pressed } = event.data;
  const target = { head: run.head_sha, pulls: numbers(run.pull_requests) };
  if (run.app?.id !== self.appId) {
    return action === "completed" || action === "created" || action === "rerequested"
      ? [{ target, says: { type: "checks.changed", head: run.head_sha } }]
      : [];
  }
  // "Re-run" on our own check is GitHub's own button for what ours calls retry.
  const identifier =
    action === "requested_action" ? pressed?.identifier : action === "rerequested" ? "retry" : undefined;
  if (identifier === undefined) return [];
  return [
    { target, says: { type: "button", identifier, head: run.head_sha, externalId: run.external_id ?? "" } },
  ];
}

const CheckSuiteEvent = z.object({
  action: z.string(),
  check_suite: z.object({
    head_sha: z.string(),
    app: z.object({ id: z.number() }).nullish(),
    pull_requests: Pulls,
  }),
});

/** `check_suite`: a whole suite of another App completed. */
export function readCheckSuite(payload: unknown, self: Self): readonly Hint[] {
  const event = CheckSuiteEvent.safeParse(payload);
  if (!event.success || event.data.action !== "completed") return [];
  const { check_suite: suite } = event.data;
  if (suite.app?.id === self.appId) return [];
  return [
    {
      target: { head: suite.head_sha, pulls: numbers(suite.pull_requests) },
      says: { type: "checks.changed", head: suite.head_sha },
    },
  ];
}

const StatusEvent = z.object({ sha: z.string() });

/** `status`: the older kind of check, by commit alone. */
export function readStatus(payload: unknown): readonly Hint[] {
  const event = StatusEvent.safeParse(payload);
  if (!event.success) return [];
  const { sha } = event.data;
  return [{ target: { head: sha, pulls: [] }, says: { type: "checks.changed", head: sha } }];
}

const MergeGroupEvent = z.object({
  action: z.string(),
  merge_group: z.object({ head_sha: z.string(), head_ref: z.string() }),
});

/** `merge_group`: a queue built a commit that asks for our gate. */
export function readMergeGroup(payload: unknown): readonly Hint[] {
  const event = MergeGroupEvent.safeParse(payload);
  if (!event.success || event.data.action !== "checks_requested") return [];
  const { head_sha: head, head_ref: group } = event.data.merge_group;
  return [{ target: { head, pulls: [] }, says: { type: "merge.grouped", head, group } }];
}

function numbers(pulls: z.infer<typeof Pulls>): readonly number[] {
  return (pulls ?? []).map((pull) => pull.number);
}
