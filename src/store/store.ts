import type { Ticket } from "../state-machine/ticket.ts";
import type { Sql, Verb } from "../sql.ts";
import * as apiTokens from "./api-tokens.ts";
import * as blockers from "./blockers.ts";
import * as deeds from "./deeds.ts";
import * as health from "./health.ts";
import * as ledgerPages from "./ledger-pages.ts";
import * as webhooks from "./webhooks.ts";
import * as costs from "./costs.ts";
import * as database from "./database.ts";
import * as follow from "./follow.ts";
import * as halts from "./halts.ts";
import * as history from "./history.ts";
import * as inbox from "./inbox.ts";
import * as linearSessions from "./linear-sessions.ts";
import * as linear from "./linear-workspaces.ts";
import * as ledger from "./ledger.ts";
import * as notifications from "./notifications.ts";
import * as outbox from "./outbox.ts";
import * as keptAnswers from "./kept-answers.ts";
import * as listing from "./listing.ts";
import * as pageOrders from "./page-orders.ts";
import * as questions from "./questions.ts";
import * as repos from "./repos.ts";
import * as runtimes from "./runtimes.ts";
import * as reservations from "./reservations.ts";
import * as sessions from "./sessions.ts";
import * as search from "./search.ts";
import * as settings from "./settings.ts";
import * as suspensions from "./suspensions.ts";
import * as ticketPages from "./ticket-pages.ts";
import * as named from "./tickets-named.ts";
import * as steps from "./steps.ts";
import * as tally from "./tally.ts";
import * as lists from "./ticket-lists.ts";
import * as tickets from "./tickets.ts";
import * as traces from "./traces.ts";
import * as web from "./web.ts";

type AnyVerb = (...args: never[]) => Verb<unknown>;
type Async<V> = V extends (...args: infer Args) => Verb<infer Result>
  ? (...args: Args) => Promise<Result>
  : never;
type AsyncAll<Verbs> = { readonly [Name in keyof Verbs]: Async<Verbs[Name]> };

function through<Verbs extends Record<string, AnyVerb>>(
  drive: <Result>(verb: () => Verb<Result>) => Promise<Result>,
  verbs: Verbs,
): AsyncAll<Verbs> {
  const entries = Object.entries(verbs).map(([name, verb]) => [
    name,
    (...args: never[]) => drive(() => verb(...args)),
  ]);
  // The mapped type restates what the loop above does to each verb.
  return Object.fromEntries(entries) as AsyncAll<Verbs>;
}

const writes = {
  takeInstance: database.takeInstance,
  leaveInstance: database.leaveInstance,
  receive: inbox.receive,
  markItem: inbox.markItem,
  parkItem: inbox.parkItem,
  deferItem: inbox.deferItem,
  name: tickets.name,
  setPriority: tickets.setPriority,
  moveToRepo: tickets.moveToRepo,
  keepBlockers: blockers.keepBlockers,
  doubtBlocker: blockers.doubtBlocker,
  keepSpec: tickets.keepSpec,
  sent: outbox.sent,
  sendForeign: outbox.sendForeign,
  backOff: outbox.backOff,
  snooze: outbox.snooze,
  hurryMerge: outbox.hurryMerge,
  countWrite: outbox.countWrite,
  reserve: reservations.reserve,
  release: reservations.release,
  releaseAll: reservations.releaseAll,
  openSession: sessions.openSession,
  changeSession: sessions.changeSession,
  endSessionsOf: sessions.endSessionsOf,
  endLostSessions: sessions.endLostSessions,
  runtimeFailed: runtimes.runtimeFailed,
  runtimeWorked: runtimes.runtimeWorked,
  askLater: questions.askLater,
  questionAnswered: questions.questionAnswered,
  set: settings.set,
  haltRepo: halts.haltRepo,
  liftRepoHalt: halts.liftRepoHalt,
  markHalt: halts.markHalt,
  unmarkHalt: halts.unmarkHalt,
  sayHalt: halts.sayHalt,
  raiseHalt: settings.raiseHalt,
  liftHalt: settings.liftHalt,
  remember: settings.remember,
  suspendAutoMerge: suspensions.suspendAutoMerge,
  resumeAutoMerge: suspensions.resumeAutoMerge,
  setTimer: settings.setTimer,
  fireTimers: settings.fireTimers,
  knowRepo: repos.knowRepo,
  removeRepo: repos.removeRepo,
  keepConfig: repos.keepConfig,
  markSynced: repos.markSynced,
  signInToLinear: linear.signInToLinear,
  takeLinearRefresh: linear.takeLinearRefresh,
  keepLinearTokens: linear.keepLinearTokens,
  signOutOfLinear: linear.signOutOfLinear,
  linearRefreshFailed: linear.linearRefreshFailed,
  forgetLinear: linear.forgetLinear,
  tellLinearTeam: linear.tellLinearTeam,
  keepLinearSession: linearSessions.keepLinearSession,
  putLinearWord: linearSessions.putLinearWord,
  lookedAtLinearSession: linearSessions.lookedAtLinearSession,
  linearSaid: linearSessions.linearSaid,
  linearSessionWrote: linearSessions.linearSessionWrote,
  linearSessionRests: linearSessions.linearSessionRests,
  linearSessionGone: linearSessions.linearSessionGone,
  stopLinearSession: linearSessions.stopLinearSession,
  reopenLinearSession: linearSessions.reopenLinearSession,
  giveWebToken: web.giveWebToken,
  takeWebToken: web.takeWebToken,
  endWebSessions: web.endWebSessions,
  answerOnce: keptAnswers.answerOnce,
  changeAnswer: keptAnswers.changeAnswer,
  dropAnswer: keptAnswers.dropAnswer,
  takeOrderOnce: keptAnswers.takeOrderOnce,
  sayHaltOnce: keptAnswers.sayHaltOnce,
  noteDeed: deeds.noteDeed,
  hurryEffect: health.hurryEffect,
  hurryItem: health.hurryItem,
  resetBreaker: health.resetBreaker,
  setByOperator: health.setByOperator,
  rereadItem: webhooks.rereadItem,
  forgetNotifyPosition: notifications.forgetNotifyPosition,
  putNotifications: notifications.putNotifications,
  beginMessage: notifications.beginMessage,
  endNotifications: notifications.endNotifications,
  retryNotifications: notifications.retryNotifications,
  doubtMessage: notifications.doubtMessage,
  postponeNotifications: notifications.postponeNotifications,
  channelSince: notifications.channelSince,
  tidyNotifications: notifications.tidyNotifications,
  rebuildCosts: costs.rebuildCosts,
  endWebSessionsOf: web.endWebSessionsOf,
  openWebSession: web.openWebSession,
  seenWebSession: web.seenWebSession,
  keepApiToken: apiTokens.keepApiToken,
  usedApiToken: apiTokens.usedApiToken,
  revokeApiToken: apiTokens.revokeApiToken,
  takeOrder: pageOrders.takeOrder,
  keepPosition: follow.keepPosition,
  addTallies: tally.addTallies,
};
const reads = {
  instanceOwner: database.instanceOwner,
  halts: halts.halts,
  haltersOf: halts.haltersOf,
  unread: inbox.unread,
  knownItems: inbox.knownItems,
  grantedSlots: inbox.grantedSlots,
  awaitedLooks: inbox.awaitedLooks,
  recentItems: inbox.recentItems,
  troubledItems: inbox.troubledItems,
  inboxCounts: inbox.inboxCounts,
  load: tickets.load,
  ticketsIn: tickets.ticketsIn,
  ticketsWithLines: tickets.ticketsWithLines,
  isAskew: tickets.isAskew,
  ticketsAtHand: lists.ticketsAtHand,
  stackedTickets: lists.stackedTickets,
  openTicketNames: lists.openTicketNames,
  ticketsByState: lists.ticketsByState,
  ticketsWaiting: lists.ticketsWaiting,
  findTickets: lists.findTickets,
  searchTickets: search.searchTickets,
  ticketOfPull: tickets.ticketOfPull,
  ticketsOfHead: tickets.ticketsOfHead,
  specOf: tickets.specOf,
  linesOf: ledger.linesOf,
  takenUnder: ledger.takenUnder,
  rawLines: ledger.rawLines,
  ledgerHead: ledger.ledgerHead,
  sendable: outbox.sendable,
  nextSending: outbox.nextSending,
  ticketsToClean: outbox.ticketsToClean,
  effectsOf: outbox.effectsOf,
  outboxCounts: outbox.outboxCounts,
  spendingSince: reservations.spendingSince,
  reservationOf: reservations.reservationOf,
  sessionsOf: sessions.sessionsOf,
  sessionById: sessions.sessionById,
  sessionsOfRun: sessions.sessionsOfRun,
  ticketsNamed: named.ticketsNamed,
  runtimeTroubles: runtimes.runtimeTroubles,
  questionsWaiting: questions.questionsWaiting,
  setting: settings.setting,
  settingsLike: settings.settingsLike,
  recall: settings.recall,
  suspensionsOf: suspensions.suspensionsOf,
  nextTimer: settings.nextTimer,
  timersOf: settings.timersOf,
  ticketsWithTimer: settings.ticketsWithTimer,
  repoById: repos.repoById,
  repoNamed: repos.repoNamed,
  blockedTickets: blockers.blockedTickets,
  knownRepos: repos.knownRepos,
  linearWorkspace: linear.linearWorkspace,
  linearWorkspaces: linear.linearWorkspaces,
  lostLinearTeams: linear.lostLinearTeams,
  linearSession: linearSessions.linearSession,
  linearSessionIn: linearSessions.linearSessionIn,
  linearSessionsAtWork: linearSessions.linearSessionsAtWork,
  linearWords: linearSessions.linearWords,
  webSession: web.webSession,
  webSessions: web.webSessions,
  position: web.position,
  keptAnswer: keptAnswers.keptAnswer,
  listTickets: listing.listTickets,
  listLines: listing.listLines,
  sessionTotals: sessions.sessionTotals,
  deeds: deeds.deeds,
  effectsBackingOff: health.effectsBackingOff,
  itemsBackingOff: health.itemsBackingOff,
  runsAtWork: health.runsAtWork,
  lastOfSources: health.lastOfSources,
  lease: health.lease,
  itemsIn: webhooks.itemsIn,
  itemsLeft: webhooks.itemsLeft,
  newestItem: webhooks.newestItem,
  itemWithBody: webhooks.itemWithBody,
  linesIn: ledgerPages.linesIn,
  lineAt: ledgerPages.lineAt,
  wholeLine: ledgerPages.wholeLine,
  notifyPosition: notifications.notifyPosition,
  linesAfter: notifications.linesAfter,
  notificationIsKnown: notifications.notificationIsKnown,
  openNotifications: notifications.openNotifications,
  channelStates: notifications.channelStates,
  mergedSince: notifications.mergedSince,
  boardTickets: lists.boardTickets,
  costsBy: costs.costsBy,
  costParts: costs.costParts,
  mergedIn: costs.mergedIn,
  history: history.history,
  historyOf: history.historyOf,
  historyNames: history.historyNames,
  costsOfTickets: sessions.costsOfTickets,
  apiToken: apiTokens.apiToken,
  apiTokens: apiTokens.apiTokens,
  repoIds: repos.repoIds,
  orderWaiting: pageOrders.orderWaiting,
  linesBefore: ticketPages.linesBefore,
  linesOfTypes: ticketPages.linesOfTypes,
  newestEffects: ticketPages.newestEffects,
  ticketsForPerson: ticketPages.ticketsForPerson,
  ticketsSentBack: ticketPages.ticketsSentBack,
  costsOf: ticketPages.costsOf,
  arrivalsOf: ticketPages.arrivalsOf,
  ordersWaiting: pageOrders.ordersWaiting,
  follow: follow.follow,
  newest: follow.newest,
  positionOf: follow.positionOf,
  sessionsById: follow.sessionsById,
  tallies: tally.tallies,
  standing: tally.standing,
  surroundings: traces.surroundings,
};

/** The store's verbs, each one transaction; `commit` also writes the engine's run rows through these verbs of the engine's. */
export function openStore(sql: Sql, runs: steps.RunVerbs) {
  return {
    ...through((verb) => sql.commit(verb), writes),
    ...through((verb) => sql.read(verb), reads),
    // By itself, because what it decides by names its own type.
    commit: <Decided extends steps.Decision>(
      order: steps.Order,
      decide: (before: Ticket) => Decided | undefined,
    ) => sql.commit(() => steps.commitStep(runs, order, decide)),
  };
}
export type Store = ReturnType<typeof openStore>;
