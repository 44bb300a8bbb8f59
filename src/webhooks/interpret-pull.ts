import type { PullFacts } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { Standing } from "./authorise.ts";
import { forbids } from "./authorise.ts";
import type { Say } from "./heard.ts";
import type { Facts, Interpretation } from "./facts.ts";
import { interpretCommand } from "./interpret-command.ts";

type PullSay = Extract<
  Say,
  {
    type:
      | "reviewed"
      | "review.dismissed"
      | "pull.closed"
      | "pull.moved"
      | "pull.retargeted"
      | "pull.disarmed"
      | "checks.changed";
  }
>;

/** Hints about the ticket's pull request. The payload says that something changed; the fresh facts say what. */
export function interpretPull(says: PullSay, standing: Standing, facts: Facts): Interpretation {
  const { pull, ticket } = facts;
  if (ticket === undefined) return { ignored: "no ticket" };
  if (pull === undefined) return { ignored: "no such pull request" };
  switch (says.type) {
    case "pull.closed":
      if (pull.merged !== undefined)
        return { events: [{ type: "pr.merged", head: pull.head, merge: pull.merged }] };
      return pull.open ? { ignored: "the pull request is open again" } : { events: [{ type: "pr.closed" }] };
    case "pull.moved":
      return pull.head === ticket.head
        ? { ignored: "the head is known" }
        : { events: [{ type: "head.moved", head: pull.head }] };
    case "pull.retargeted":
      // Pointed back since, or the default branch itself has another name now.
      if (facts.bases.includes(pull.baseBranch)) return { ignored: "it targets a branch it may" };
      return { events: [{ type: "pr.retargeted", base: pull.baseBranch }] };
    case "pull.disarmed":
      return disarmed(pull, standing);
    case "review.dismissed":
      // Only the review that gave the consent takes it away; another's dismissal, or a dismissed objection, does not.
      // What a person asked for, no App takes back.
      if (facts.objection !== undefined)
        return standing.sender.kind === "person"
          ? withdrawn(says, facts.objection)
          : { ignored: "no person dismissed it" };
      return says.by.toLowerCase() === facts.approvedBy?.toLowerCase()
        ? { events: [{ type: "approval.withdrawn", head: says.head, by: says.by }] }
        : { ignored: `the approval that counts is not @${says.by}'s` };
    case "checks.changed": {
      const news = checksNews(pull, facts.checksSettled);
      return news === undefined ? { ignored: `checks are ${pull.checks} so far` } : { events: [news] };
    }
    case "reviewed":
      return reviewed(says, standing, { ...facts, pull });
  }
}

const withdrawn = (
  { by, review }: Extract<Say, { type: "review.dismissed" }>,
  { id, left }: NonNullable<Facts["objection"]>,
): Interpretation => ({
  events: [
    {
      type: "order.withdrawn",
      by,
      objection: id,
      ...(review === undefined ? {} : { review }),
      left,
    },
  ],
});

const maxNamed = 5;

/** What the checks of a pull request's head come to now; undefined while that is nothing to act upon. */
export function checksNews(pull: PullFacts, settled: "yes" | "no"): TicketEvent | undefined {
  const { head, checks } = pull;
  switch (checks) {
    case "green":
      return { type: "checks.passed", head, ...asideOf(pull) };
    case "pending":
      return { type: "checks.started", head };
    case "red":
      return { type: "checks.failed", head, why: whyRed(pull) };
    case "none":
      // Right after a push no check has registered yet, so "none" counts only once it has lasted.
      return settled === "yes" ? { type: "checks.absent", head } : undefined;
    case "unknown":
      return undefined;
  }
}

/** Red checks that need not be green: they block nothing, and people should know. */
function asideOf(pull: PullFacts): { readonly aside?: readonly string[] } {
  const names = pull.checkList
    .filter(({ is, required }) => is === "red" && !required)
    .map(({ name }) => name);
  return names.length === 0 ? {} : { aside: names.slice(0, maxNamed) };
}

function whyRed(pull: PullFacts): string {
  const red = pull.checkList.filter((check) => check.is === "red");
  const someAreRequired = pull.checkList.some((check) => check.required);
  const named = ({ name, url, required }: PullFacts["checkList"][number]): string =>
    `${name}${someAreRequired && !required ? ", which is not required" : ""}${url === undefined ? "" : ` (${url})`}`;
  const names = [...red.filter((check) => check.required), ...red.filter((check) => !check.required)]
    .slice(0, maxNamed)
    .map(named);
  const more = red.length - names.length;
  return names.length === 0
    ? "a check failed"
    : `failed: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** A person who switches GitHub's auto-merge off takes the consent back, whoever gave it. */
function disarmed(pull: PullFacts, standing: Standing): Interpretation {
  if (pull.merged !== undefined || pull.armed) return { ignored: "it is merged or armed again" };
  if (standing.sender.kind !== "person") return { ignored: "no person disarmed it" };
  const forbidden = forbids(standing, "write");
  if (forbidden !== undefined) return { refused: `auto-merge off: ${forbidden}`, events: [] };
  return {
    events: [
      { type: "automerge.set", on: false },
      { type: "approval.withdrawn", head: pull.head, by: standing.sender.login },
    ],
  };
}

type Reviewed = Extract<Say, { type: "reviewed" }>;

function reviewed(
  says: Reviewed,
  standing: Standing,
  facts: Facts & { readonly pull: PullFacts },
): Interpretation {
  const stance = stanceOf(says, standing, facts);
  const { command } = says;
  if (command === undefined || (command.name === "approve" && says.state === "approved")) return stance;
  const spoken = interpretCommand({ command, comment: says.comment, wroteOn: says.head, standing }, facts);
  if (says.state === "commented") return spoken;
  const events = [...eventsOf(stance), ...eventsOf(spoken)];
  if (events.length === 0) return stance;
  return "refused" in stance ? { refused: stance.refused, events } : { events };
}

function eventsOf(interpretation: Interpretation): readonly TicketEvent[] {
  return "events" in interpretation ? interpretation.events : [];
}

function stanceOf(
  says: Reviewed,
  standing: Standing,
  { pull }: { readonly pull: PullFacts },
): Interpretation {
  const { state, head, body, comment } = says;
  if (state === "commented") return { ignored: "a review without a stance" };
  // Reviews by anybody are welcome on a public repository; only those of people who may merge decide.
  const forbidden = standing.sender.kind === "bot" ? "a bot's review" : forbids(standing, "write");
  if (forbidden !== undefined) return { refused: `review: ${forbidden}`, events: [] };
  const by = standing.sender.login;
  const now = pull.approvals.find((approval) => approval.by.toLowerCase() === by.toLowerCase());
  if (now !== undefined && now.is !== state) return { ignored: `@${by} has said otherwise since` };
  if (state === "objected") {
    // As they are now; of an older one only the delivery's own words are left.
    const isNow = now !== undefined && (says.at === undefined || says.at === now.at);
    const words = isNow && now.body.trim() !== "" ? now.body : body;
    const order =
      words.trim() === ""
        ? `@${by} asked for changes on lines of the diff; each stands with its conversation.`
        : words;
    return { events: [{ type: "human.objected", by, order }] };
  }
  if (head !== pull.head) {
    const why = `your approval was for ${head.slice(0, 7)}, and the head is ${pull.head.slice(0, 7)} now; please look again`;
    return {
      refused: `review: ${why}`,
      events: [{ type: "human.asked", comment, ask: { about: "refused", command: "approve", why } }],
    };
  }
  return { events: [{ type: "human.approved", head, by }] };
}
