/** Follows the red checks of a head: what they left to read, whether they are run again, and when they count. */
import { redact } from "../secrets.ts";
import { Trouble, type PullFacts, type Refused } from "../ports.ts";
import type { RedRun } from "../ports-ci.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { OutboxEffect } from "../store/outbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Line } from "../store/ledger.ts";
import type { Stored } from "../store/tickets.ts";
import { pullFacts, type Act, type Answer } from "./act.ts";
import { judgeRed, type Doubt, type DoubtedRun } from "./judge-red.ts";
import { readableLog } from "./readable-log.ts";
import type { Workshop } from "./workshop.ts";

type Failed = Extract<TicketEvent, { type: "checks.failed" }>;
/** What red checks come to, with a name where the same may be found out twice; undefined while there is nothing new. */
export interface Followed {
  readonly event: TicketEvent;
  readonly id?: string;
}

/** Checks of which the failure's log is read. */
const maxLogs = 3;
/** How long a rerun may be refused because the first run is not over. */
const rerunPendingMs = 60 * 60_000;
const rerunLookMs = 30_000;

const watched: ReadonlySet<string> = new Set(["Adversarial Review", "In Review", "Merging"]);

/** Whether red checks are looked into before they count: where they would cost a cycle. */
export const isFollowed = ({ ticket }: Stored, pull: PullFacts): boolean =>
  watched.has(ticket.state) && ticket.head === pull.head && ticket.checks !== "red";

/** Red checks that count block; where none is required, all do. */
export function redOf({ checkList }: Pick<PullFacts, "checkList">): readonly string[] {
  const required = checkList.filter((check) => check.required);
  return [
    ...new Set(
      (required.length === 0 ? checkList : required).filter(({ is }) => is === "red").map(({ name }) => name),
    ),
  ];
}

/** Looks into the red checks of a followed head before anything is made of them. */
export async function followRed(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
  pull: PullFacts,
  failed: Failed,
): Promise<Followed | undefined> {
  const { ci, store, clock } = shop;
  const { head } = pull;
  const baseTip = await ci.tip(repo, pull.baseBranch);
  const [here, onBase, lines] = await Promise.all([
    ci.tries(repo, head),
    baseTip === undefined ? [] : ci.tries(repo, baseTip),
    store.linesOf(stored.ticket.id),
  ]);
  const judged = judgeRed({
    red: redOf(pull),
    here,
    onBase,
    baseTip,
    doubts: doubtsOf(lines, head),
    now: clock.now(),
    baseWaitMs: shop.rulesOf(repo).config.merge.base_wait_minutes * 60_000,
  });
  switch (judged.is) {
    case "ours":
      return {
        event: { ...failed, why: `${failed.why}; ${judged.why}`, ...(await logOf(shop, repo, pull)) },
      };
    case "rerun": {
      return {
        id: `doubt:rerun:${head}:${namesOf(judged.runs)}`,
        event: { type: "ci.doubted", head, how: "rerun", checks: judged.runs, why: judged.why },
      };
    }
    case "base": {
      return {
        id: `doubt:base:${head}:${namesOf(judged.checks)}`,
        event: { type: "ci.doubted", head, how: "base", checks: judged.checks, why: judged.why },
      };
    }
    case "behind":
      return {
        id: `base-moved:${head}:${baseTip ?? ""}`,
        event: { type: "base.moved", head, why: judged.why },
      };
    case "stuck":
      return { event: { type: "effect.failed", effect: "checks", why: judged.why } };
    case "waits":
      return undefined;
  }
}

/** The very tries that are doubted: another try of the same check may be doubted anew. */
const namesOf = (runs: readonly DoubtedRun[]): string =>
  runs.map(({ name, id, endedAt }) => `${name}#${id ?? ""}@${endedAt ?? ""}`).join();

/** What was doubted at this head, as the ledger tells it; whoever retries lets the base be waited for anew. */
export function doubtsOf(lines: readonly Line[], head: string): readonly Doubt[] {
  const retriedAt = lines.findLast(({ event }) => event.type === "operator.retried")?.at ?? 0;
  return lines.flatMap(({ event, at }) =>
    event.type === "ci.doubted" && event.head === head
      ? [{ how: event.how, at: event.how === "base" ? Math.max(at, retriedAt) : at, checks: event.checks }]
      : [],
  );
}

/** What the red checks left to read, without what must not be kept; nothing where nothing can be read. */
async function logOf(shop: Workshop, repo: KnownRepo, pull: PullFacts): Promise<{ readonly log?: string }> {
  const red = new Set(redOf(pull));
  const newest = new Map((await shop.ci.tries(repo, pull.head)).map((one) => [one.name, one]));
  const parts: string[] = [];
  for (const one of newest.values()) {
    if (parts.length >= maxLogs || !red.has(one.name) || one.is !== "red" || one.id === undefined) continue;
    const text = await shop.ci.log(repo, one.id).catch(unlessPermanent);
    if (text !== undefined) parts.push(`${one.name} (${one.conclusion ?? "red"}):\n${readableLog(text)}`);
  }
  return parts.length === 0 ? {} : { log: redact(parts.join("\n\n")) };
}

/** A permission that an installation has not granted must not stop the work: then there is nothing to read. */
function unlessPermanent(error: unknown): undefined {
  if (error instanceof Trouble && error.permanent) return undefined;
  throw error;
}

/** Has the checks run again that look flaky; where the forge will not, they count as they are. */
export async function rerunChecks(
  act: Act<Extract<OutboxEffect, { type: "checks.rerun" }>>,
): Promise<Answer> {
  const { shop, effect, repo, createdAt } = act;
  const answer = await askAgain(act, effect.head, effect.runs);
  const names = effect.runs.map(({ name }) => name).join(", ");
  if (answer === "asked") return { is: "done", note: `asked to run again: ${names}` };
  const now = shop.clock.now();
  if (answer.how === "pending" && now - createdAt < rerunPendingMs)
    return { is: "snooze", until: now + rerunLookMs, note: answer.why };
  if (answer.how === "moved") return { is: "dropped", note: answer.why };
  const pull = await pullFacts(act);
  const log = pull === undefined || pull.head !== effect.head ? {} : await logOf(shop, repo, pull);
  const why = `failed: ${names}; it looked flaky, but cannot be run again: ${answer.why}`;
  return {
    is: "done",
    note: answer.why,
    news: [{ type: "checks.failed", head: effect.head, why, ...log }],
  };
}

/** Asks for checks of a commit to be run again; that we may not is a refusal like any other. */
export async function askAgain(
  { shop, key, repo }: Act,
  commit: Sha,
  runs: readonly RedRun[],
): Promise<"asked" | Refused> {
  try {
    return await shop.ci.rerun(key, repo, commit, runs);
  } catch (error) {
    if (error instanceof Trouble && error.permanent)
      return { is: "refused", how: "unavailable", why: error.message };
    throw error;
  }
}
