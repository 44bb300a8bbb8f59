import { createHash } from "node:crypto";
import type { IssueRef, Key, Markdown } from "../ports.ts";
import * as says from "../says.ts";
import { contestedCardNotice, releaseAgain } from "../says-board.ts";
import { postedReview } from "../says-review.ts";
import { flaggedNotice } from "../says-spec.ts";
import type { Ask, CommentRef, TicketEvent } from "../state-machine/event.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { OutboxEffect, Sending } from "../store/outbox.ts";
import { questionKey } from "../store/questions.ts";
import { openStates } from "../store/tickets.ts";
import { replyMarker } from "../workflows/work-order.ts";
import { issueOf, lastPull, notYetOpenMs, pullOf, type Act, type Answer } from "./act.ts";
import { watchBase } from "./after-merge.ts";
import { keepLinks } from "./card-links.ts";
import { certifyMerge } from "./certify.ts";
import { rerunChecks } from "./follow-checks.ts";
import { groupCheck, writeGate } from "./gate-check.ts";
import { readObstacles } from "./obstacles.ts";
import { lookBeforeMerge, tryMerge } from "./perform-merge.ts";
import { checkPullConfig, tellConfig } from "./tell-config.ts";
import { updateBranch } from "./update-branch.ts";
import { isAnswered } from "./orders-told.ts";
import { baseFor, freeStacked } from "./stack.ts";
import { settleThreads } from "./perform-threads.ts";
import { performOnboarding } from "./onboarding.ts";
import { roundOf, summaryOf, viewOf } from "./view.ts";
import { hookedOf, type Workshop } from "./workshop.ts";

type Performers = {
  readonly [Type in OutboxEffect["type"]]: (
    act: Act<Extract<OutboxEffect, { type: Type }>>,
  ) => Promise<Answer>;
};

/** Carries one effect out: look first, then do, then say what was done. */
export async function perform(shop: Workshop, sending: Sending): Promise<Answer> {
  const { store } = shop;
  const { effect } = sending;
  if (effect.type === "check.foreign") return await answerForeign(shop, effect, sending.key);
  if (effect.type === "config.tell") return await tellConfig(shop, effect, sending.key as Key);
  if (effect.type === "config.check") return await checkPullConfig(shop, effect, sending.key as Key);
  if (effect.type === "repository.ask") return await askRepository(shop, effect, sending.key);
  if (effect.type === "repository.onboard") return await performOnboarding(shop, effect, sending.key);
  if (effect.type === "update.tell") return await tellOfUpdate(shop, effect, sending.key);
  const stored = await store.load(sending.ticket);
  if (stored === undefined) return { is: "dropped", note: "the ticket is unknown" };
  const repo = await store.repoById(stored.repo);
  if (repo === undefined || repo.removedAt !== undefined)
    return { is: "gave-up", note: "the App is no longer installed there" };
  if ("head" in effect && effect.head !== stored.ticket.head && effect.type !== "review.post") {
    return { is: "dropped", note: `${says.short(effect.head)} is no longer the head` };
  }
  // The lookup by type keeps effect and performer of one kind.
  const performer = performers[effect.type] as (act: Act) => Promise<Answer>;
  return await performer({
    shop,
    key: sending.key as Key,
    effect,
    stored,
    repo,
    createdAt: sending.createdAt,
  });
}

const done = (note: string, news: readonly TicketEvent[] = []): Answer => ({ is: "done", note, news });

const performers: Performers = {
  labels: async (act) => {
    await act.shop.tracker.setLabels(act.key, issueOf(act), act.effect);
    return done(`+${act.effect.add.join(" ")} −${act.effect.remove.join(" ")}`);
  },
  react: async (act) => {
    await act.shop.voice.react(act.key, issueOf(act), undefined, act.effect.content);
    return done(act.effect.content);
  },
  answer: async (act) => {
    const { comment, ask } = act.effect;
    if (comment.kind === "tracker" && comment.session !== undefined) return await answerInSession(act, ask);
    const thread = threadOf(act, comment);
    if (ask.about === "answered") return await tellAnswer(act, ask);
    await act.shop.voice.react(act.key, thread, comment, ask.about === "refused" ? "confused" : "eyes");
    const text = await answerText(act, ask);
    if (text === undefined) return done("reacted");
    await reply(act, comment, text);
    return done(`answered ${ask.about}`);
  },
  say: async (act) => {
    const { about } = act.effect;
    // A merge is told once, by whatever event we hear of it: a database that was put back hears of it anew.
    const cause = about.about === "merged" ? `merged ${act.stored.ticket.id} ${about.head}` : act.key;
    const name = createHash("sha256").update(cause).digest("hex").slice(0, 16);
    // Whoever moves a card again and again is told in one comment.
    const marker = about.about === "contested" ? "notice contested" : `notice ${name}`;
    await act.shop.voice.upsertComment(act.key, issueOf(act), marker, await noticeText(act));
    return done(about.about);
  },
  workpad: async (act) => {
    const view = await viewOf(act.shop, act.stored, act.repo);
    const id = await act.shop.voice.upsertComment(act.key, issueOf(act), "workpad", says.workpad(view));
    await keepLinks(act, view);
    return done(`comment ${id}`);
  },
  mirror: async (act) => {
    await act.shop.tracker.move(act.key, issueOf(act), act.stored.ticket.state);
    return done(says.boardName(act.stored.ticket.state));
  },
  "pull.open": openPull,
  "pull.ask": askReview,
  "pull.close": async (act) => {
    const pull = pullOf(act) ?? (await lastPull(act));
    if (pull === undefined) return { is: "dropped", note: "there is no pull request" };
    await act.shop.forge.closePull(act.key, pull);
    return done(`#${pull.number}`);
  },
  check: async (act) => {
    await readObstacles(act);
    return done(await writeGate(act, act.effect.head));
  },
  "review.post": postReview,
  "checks.rerun": rerunChecks,
  "branch.update": updateBranch,
  "threads.settle": settleThreads,
  "merge.arm": lookBeforeMerge,
  "merge.disarm": async (act) => {
    const pull = pullOf(act) ?? (await lastPull(act));
    if (pull === undefined) return { is: "dropped", note: "there is no pull request" };
    await act.shop.forge.disarm(act.key, pull);
    return done("disarmed");
  },
  "merge.try": tryMerge,
  "base.watch": watchBase,
  "merge.certify": certifyMerge,
  clean,
  "check.foreign": async () => ({ is: "dropped", note: "performed without a ticket" }),
  "repository.ask": async () => ({ is: "dropped", note: "performed without a ticket" }),
  "config.tell": async () => ({ is: "dropped", note: "performed without a ticket" }),
  "config.check": async () => ({ is: "dropped", note: "performed without a ticket" }),
  "repository.onboard": async () => ({ is: "dropped", note: "performed without a ticket" }),
  "update.tell": async () => ({ is: "dropped", note: "performed without a ticket" }),
};

/** Answers a comment once: in its conversation, where the tracker has such. */
async function reply({ shop, key, ...act }: Act, comment: CommentRef, text: Markdown): Promise<void> {
  const under = comment.kind === "tracker" ? comment.root : undefined;
  const on = threadOf({ shop, key, ...act }, comment);
  await shop.voice.upsertComment(key, on, `answer ${comment.kind}-${comment.id}`, text, under);
}

/** Where an answer to this comment belongs. */
const threadOf = (act: Act, comment: CommentRef): IssueRef =>
  comment.kind === "tracker" ? issueOf(act) : { repo: act.repo, number: comment.thread };

async function answerForeign(
  shop: Workshop,
  effect: Extract<OutboxEffect, { type: "check.foreign" }>,
  key: string,
): Promise<Answer> {
  const repo = await shop.store.repoById(effect.repo);
  if (repo === undefined || repo.removedAt !== undefined)
    return { is: "dropped", note: "the App is no longer installed there" };
  // Anybody can open a pull request from our very commit, and there is one check of this name on each commit.
  if (effect.group === undefined && (await isOwnHead(shop, effect)))
    return { is: "dropped", note: "a ticket of ours answers for this commit" };
  return done(await groupCheck(shop, key as Key, repo, effect));
}

async function askRepository(
  { linear }: Workshop,
  { workspace, issue, text }: Extract<OutboxEffect, { type: "repository.ask" }>,
  key: string,
): Promise<Answer> {
  await linear.issues.upsertComment(key as Key, { workspace, issue }, "which repository", text);
  return done("asked which repository");
}

/** One comment for each word on an update; the issue is closed when it is done, and marked when it failed. */
async function tellOfUpdate(
  shop: Workshop,
  { repo: id, number, is, text }: Extract<OutboxEffect, { type: "update.tell" }>,
  key: string,
): Promise<Answer> {
  const repo = await shop.store.repoById(id);
  if (repo === undefined || repo.removedAt !== undefined)
    return { is: "dropped", note: "the App is no longer installed there" };
  const issue: IssueRef = { repo, number };
  const name = createHash("sha256").update(key).digest("hex").slice(0, 16);
  await shop.voice.upsertComment(key as Key, issue, `notice ${name}`, text);
  if (is === "failed")
    await shop.tracker.setLabels(key as Key, issue, { add: ["harness-blocked"], remove: [] });
  if (is === "done") {
    await shop.tracker.setLabels(key as Key, issue, { add: [], remove: ["harness-blocked"] });
    await shop.tracker.move(key as Key, issue, "Done");
  }
  return done(`self-update ${is}`);
}

async function isOwnHead(
  { store }: Workshop,
  { repo, head }: Extract<OutboxEffect, { type: "check.foreign" }>,
): Promise<boolean> {
  const found = await Promise.all((await store.ticketsOfHead(repo, head)).map((id) => store.load(id)));
  return found.some((stored) => stored !== undefined && openStates.includes(stored.ticket.state));
}

async function openPull(act: Act<Extract<OutboxEffect, { type: "pull.open" }>>): Promise<Answer> {
  const { shop, key, stored, repo, effect } = act;
  const view = await viewOf(shop, stored, repo);
  const pull = await shop.forge.openPull(key, {
    repo,
    branch: stored.branch,
    base: await baseFor(shop.store, repo, stored.ticket),
    title: says.pullTitle(view),
    region: says.pullRegion(view, await summaryOf(shop, stored)),
    draft: true,
  });
  return done(`#${pull.number}`, [{ type: "pr.opened", pull: pull.number, head: effect.head }]);
}

async function askReview(act: Act<Extract<OutboxEffect, { type: "pull.ask" }>>): Promise<Answer> {
  const { shop, key, stored, repo } = act;
  const pull = pullOf(act);
  if (pull === undefined)
    return { is: "snooze", until: shop.clock.now() + notYetOpenMs, note: "the pull request is not open yet" };
  const view = await viewOf(shop, stored, repo);
  const configured = shop.rulesOf(repo).config.approval.reviewers;
  const reviewers =
    configured.length > 0 ? configured : view.releasedBy === undefined ? [] : [view.releasedBy];
  await shop.forge.askReview(key, pull, {
    region: says.pullRegion(view, await summaryOf(shop, stored)),
    reviewers,
  });
  return done(`asked ${reviewers.join(", ") || "nobody in particular"}`);
}

async function postReview(act: Act<Extract<OutboxEffect, { type: "review.post" }>>): Promise<Answer> {
  const { shop, key, stored, effect } = act;
  const pull = pullOf(act);
  if (pull === undefined)
    return { is: "snooze", until: shop.clock.now() + notYetOpenMs, note: "the pull request is not open yet" };
  const found = await roundOf(shop, stored, effect.run);
  if (found === undefined) return { is: "dropped", note: "that run left no verdict" };
  const { max_findings: maxFindings } = act.shop.rulesOf(act.repo).config.review;
  const { round, before } = found;
  const { body, inline, changed } = postedReview(round, before, maxFindings);
  await shop.voice.postReview(key, pull, effect.head, body, inline);
  // What is over is said after what is new: should we die between, both are looked for again.
  await shop.voice.updateFindings(key, pull, changed);
  return done(`${round.verdict}, ${round.findings.length} findings`);
}

async function clean(act: Act<Extract<OutboxEffect, { type: "clean" }>>): Promise<Answer> {
  const { shop, key, stored, repo } = act;
  // The schedule waits for us. Should a run have started all the same, its work is worth more than our order.
  if (stored.ticket.run !== undefined) return { is: "dropped", note: `${stored.ticket.run} works there` };
  const rules = shop.rulesOf(repo);
  const dropped = await shop.workspace.drop(stored.ticket.id, shop.remoteOf(repo), hookedOf(rules.config));
  // Only who cancels keeps the branch; after a reset the ticket may be released anew already.
  const branchIsOver = stored.ticket.state !== "Cancelled";
  const head = stored.ticket.head ?? (await lastHead(act));
  if (branchIsOver && rules.config.merge.delete_branch && head !== undefined) {
    await freeStacked(shop, key, { repo, below: stored });
    await shop.forge.deleteBranch(key, repo, stored.branch, head);
  }
  return done(dropped === "dropped" ? "worktree dropped" : `worktree kept: ${dropped.why}`);
}

async function lastHead({ shop, stored }: Act): Promise<Sha | undefined> {
  const lines = await shop.store.linesOf(stored.ticket.id);
  return lines.flatMap(({ event }) => ("head" in event ? [event.head] : [])).at(-1);
}

async function noticeText(act: Act<Extract<OutboxEffect, { type: "say" }>>): Promise<Markdown> {
  const { about } = act.effect;
  switch (about.about) {
    case "flagged":
      return flaggedNotice(
        about.gaps,
        about.comment,
        releaseAgain[issueOf(act).linear === undefined ? "issue" : "card"],
      );
    case "contested-runtime":
      return says.contestedChoiceNotice(
        act.shop.runtimes.map((runtime) => `runtime/${runtime}`),
        act.shop.workflows().map((workflow) => `workflow/${workflow}`),
      );
    case "blocked":
      return says.blockedNotice(await viewOf(act.shop, act.stored, act.repo), about.why);
    case "merged":
      return says.mergedNotice(await viewOf(act.shop, act.stored, act.repo), about.head);
    case "contested":
      return contestedCardNotice(about.why);
  }
}

/** One answer for each question: in its conversation where it was asked in one, which then waits for nobody else. */
async function tellAnswer(act: Act, ask: Extract<Ask, { about: "answered" }>): Promise<Answer> {
  const { shop, key, effect } = act;
  if (effect.type !== "answer") throw new Error(`${effect.type} answers nobody`);
  if (ask.text === "") return done("it is in the next build's order");
  const { comment } = effect;
  const on = threadOf(act, comment);
  const { root, comment: upTo } = ask.on ?? {};
  if (root !== undefined && upTo !== undefined)
    await shop.voice.replyInThread(key, on, root, replyMarker(root, upTo), ask.text);
  else await reply(act, comment, ask.text);
  return done("answered a question");
}

/** What was said in an agent session is answered there, by who keeps it; an agent's answer is asked for here. */
async function answerInSession(act: Act, ask: Ask): Promise<Answer> {
  if (ask.about === "question") await keepQuestion(act, ask);
  act.shop.poke("sessions");
  return done("its agent session answers");
}

/** Kept for whoever answers it beside everything else; one that is answered is not kept again. */
async function keepQuestion(act: Act, ask: Extract<Ask, { about: "question" }>): Promise<undefined> {
  const { shop, stored, effect } = act;
  if (effect.type !== "answer") return undefined;
  const { comment } = effect;
  const ticket = stored.ticket.id;
  if (isAnswered(await shop.store.linesOf(ticket), comment)) return undefined;
  await shop.store.askLater({ key: questionKey(ticket, comment), ticket, comment, ask }, shop.clock.now());
  shop.poke("questions");
  return undefined;
}

async function answerText(act: Act, ask: Ask): Promise<Markdown | undefined> {
  switch (ask.about) {
    case "question":
      return await keepQuestion(act, ask);
    case "answered":
      return ask.text;
    case "accepted":
      return ask.command === "tell" ? says.toldAnswer(act.stored.ticket.state) : undefined;
    case "refused":
      return says.refusedAnswer(ask.command, ask.why);
    case "help":
      return says.helpAnswer;
    case "explain":
      return says.explained(await viewOf(act.shop, act.stored, act.repo, "now"));
    case "status":
      return says.statusAnswer(await viewOf(act.shop, act.stored, act.repo, "now"));
  }
}
