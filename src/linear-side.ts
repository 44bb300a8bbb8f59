/** Linear put beside the forge: its issues as tickets, its webhooks, and who its people are. */
import type { Logger } from "pino";
import { vocabulary } from "../bootstrap/labels.ts";
import { trackerOf, voiceOf } from "./adapters/by-tracker.ts";
import type { LinearOptions } from "./adapters/linear/api.ts";
import { linearIssues } from "./adapters/linear/linear.ts";
import { linearSessions } from "./adapters/linear/sessions.ts";
import { readLinearFile, type LinearBoardRules } from "./config-linear-file.ts";
import type { Environment } from "./config-environment.ts";
import { keepLinear } from "./linear.ts";
import type { Clock, Forge, IssueRef, Tracker, Voice } from "./ports.ts";
import type { RateBudget } from "./ports-host.ts";
import { redact } from "./secrets.ts";
import { openLinearSessions, type LinearSessionKeeper } from "./shell/linear-sessions.ts";
import type { LinearSide, Workshop } from "./shell/workshop.ts";
import type { Store } from "./store/store.ts";
import type { Delivery } from "./webhooks/github.ts";
import { readLinear } from "./webhooks/read-linear.ts";
import { linearWebhooks, type LinearWebhooks } from "./webhooks/linear.ts";

export interface LinearSideParts {
  readonly environment: Environment;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the operator says of Linear's boards. */
  readonly rules: LinearBoardRules | undefined;
  readonly github: { readonly forge: Forge; readonly tracker: Tracker; readonly voice: Voice };
  /** What the ticket's repository calls our labels. */
  readonly labelName: (issue: IssueRef, label: string) => string;
}
export interface ConnectedTrackers {
  readonly tracker: Tracker;
  readonly voice: Voice;
  readonly side: LinearSide;
  /** The door for its webhooks; undefined without a secret. */
  webhooks(store: (delivery: Delivery) => Promise<"stored" | "repeat">): LinearWebhooks | undefined;
  /** What Linear still answers, as its last answers said. */
  budgets(): readonly RateBudget[];
  /** Ends after the answer of Linear that is on its way; the database must stay open until then. */
  stop(): Promise<void>;
}

/**
 * Opens Linear beside the forge, signed in to or not: a ticket of its own is asked about there and nowhere else, so that
 * one whose workspace nobody is signed in to waits, and the forge's issue of its number is left alone.
 */
export function connectTrackers(parts: LinearSideParts): ConnectedTrackers {
  const { environment, store, clock, log, github, labelName } = parts;
  const kept = keepLinear({ environment, store, clock, log });
  const { linearWebhookSecrets: secrets = [] } = environment;
  const budgets = new Map<string, readonly RateBudget[]>();
  const rules = parts.rules ?? readLinearFile("", undefined);
  const connection = {
    tokens: kept.desk,
    apiUrl: `${kept.settings.apiUrl}/graphql`,
    clock,
    remember: {
      get: (key: string) => store.recall(key),
      set: (key: string, value: string) => store.remember(key, value),
    },
    scrub: redact,
    heard: (workspace, levels) =>
      budgets.set(
        workspace,
        levels.map(({ what, limit, left, fullAt, at }) => {
          const name = `workspace ${workspace}, ${what}`;
          return { of: "Linear", name, limit, left, resetAt: fullAt, at };
        }),
      ),
  } satisfies LinearOptions;
  const issues = linearIssues({
    ...connection,
    vocabulary: vocabulary(),
    boardNames: (team) => rules.namesOf(team),
  });
  const side: LinearSide = {
    issues,
    sessions: linearSessions(connection),
    tokens: kept.desk,
    routes: rules.routes,
    offeredTo: (workspace, installed) => rules.offeredTo(workspace, installed),
    loginGiven: (person) => rules.loginOf(person),
  };
  const people = { forge: github.forge, loginGiven: side.loginGiven };
  return {
    tracker: trackerOf({ github, linear: issues, people, labelName }),
    voice: voiceOf({ github, linear: issues }),
    side,
    webhooks: (keep) =>
      secrets.length === 0 ? undefined : linearWebhooks({ secrets, deliveries: { store: keep }, clock }),
    budgets: () => [...budgets.values()].flat(),
    stop: kept.stop,
  };
}

export interface AgentSessions extends Pick<LinearSessionKeeper, "poke" | "idle" | "stop"> {
  /** A delivery was stored: what begins a session is greeted before anything reads it, for Linear waits ten seconds. */
  heard(delivery: Delivery): void;
}

/** Linear's agent sessions. */
export function openAgentSessions(shop: Workshop): AgentSessions {
  const keeper = openLinearSessions(shop, shop.linear.sessions);
  return {
    ...keeper,
    heard: ({ source, body }) => {
      const hint = source === "linear" ? readLinear(body) : undefined;
      if (hint?.is === "session.created") void keeper.greet(hint);
    },
  };
}
