import type { Logger } from "pino";
import type { Context } from "probot";
import { Probot, ProbotOctokit } from "probot";
import { isRead } from "./github-events.ts";

/** One verified webhook as received. */
export interface Delivery {
  /** `X-GitHub-Delivery` or `Linear-Delivery`; the sender keeps it when it sends the same news again. */
  readonly id: string;
  readonly source: "github" | "linear" | "local";
  /** `X-GitHub-Event`, or the type in the body of Linear's */
  readonly name: string;
  readonly action: string | undefined;
  /** The raw JSON. */
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/** Where verified deliveries are put before anybody is told that they arrived. */
export interface Deliveries {
  /** Resolves once it is on disk; one with a known id is a repeat and changes nothing. */
  store(delivery: Delivery): Promise<"stored" | "repeat">;
}

export interface GitHubWebhooksOptions {
  readonly appId: number;
  /** PEM. */
  readonly privateKey: string;
  /** The current webhook secret first, then those still honoured during a rotation. */
  readonly secrets: readonly [current: string, ...previous: string[]];
  /** API root; undefined means GitHub.com. */
  readonly baseUrl: string | undefined;
  readonly deliveries: Deliveries;
  readonly clock: { now(): number };
  readonly log: Logger;
}

/** A request as the door hands it over; nothing about it has been believed. */
export interface Posted {
  readonly id: string;
  readonly name: string;
  readonly signature: string;
  readonly body: string;
}

/** What became of it. */
export type Accepted =
  | { readonly is: "stored" | "repeat" | "unread" }
  | { readonly is: "forged" }
  | { readonly is: "malformed"; readonly why: string };

export interface GitHubWebhooks {
  accept(posted: Posted): Promise<Accepted>;
  /** Hands a stored delivery to the Probot app, whose handlers get a context with the installation's Octokit. */
  receive(delivery: Delivery): Promise<void>;
  /** Registers a handler for what `receive` is given. */
  onAny(handler: (context: Context) => Promise<void>): void;
  /** An Octokit that speaks for one installation. */
  auth(installation: number): Promise<ProbotOctokit>;
}

/**
 * The Probot app: it verifies what arrives, stores it, and is given the stored delivery when there is time for work.
 * Throws `RangeError` when a secret is empty, for which Probot would silently take a well-known one.
 */
export async function openGitHubWebhooks(options: GitHubWebhooksOptions): Promise<GitHubWebhooks> {
  const [app, ...previous] = await Promise.all(options.secrets.map((secret) => openProbot(options, secret)));
  if (app === undefined) throw new RangeError("a webhook secret is needed");
  const apps = [app, ...previous];
  return {
    accept: async (posted) => {
      if (posted.body === "") return { is: "malformed", why: "the body is empty" };
      if (!(await isGenuine(apps, posted))) return { is: "forged" };
      const payload = parse(posted.body);
      if (payload === undefined) return { is: "malformed", why: "the body is not a JSON object" };
      if (!isRead(posted.name)) return { is: "unread" };
      const { action } = payload;
      const stored = await options.deliveries.store({
        id: posted.id,
        source: "github",
        name: posted.name,
        action: typeof action === "string" ? action : undefined,
        body: posted.body,
        receivedAt: options.clock.now(),
      });
      return { is: stored };
    },
    receive: async (delivery) => {
      const payload = parse(delivery.body);
      if (payload === undefined) return;
      // The name was checked against the events we read, and the body was signed by GitHub.
      const event = { id: delivery.id, name: delivery.name, payload };
      await app.receive(event as unknown as Parameters<Probot["receive"]>[0]);
    },
    onAny: (handler) => {
      app.onAny((context) => handler(context as Context));
    },
    auth: (installation) => app.auth(installation),
  };
}

async function openProbot(options: GitHubWebhooksOptions, secret: string): Promise<Probot> {
  if (secret === "") throw new RangeError("a webhook secret must not be empty");
  const { appId, privateKey, baseUrl, log } = options;
  const probot = new Probot({
    appId,
    privateKey,
    secret,
    log,
    Octokit: UnpacedOctokit,
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  return probot.ready();
}

/** Our writes are paced by the GitHub adapter; a second queue here would only delay. Only the function form switches it off. */
const UnpacedOctokit = ProbotOctokit.defaults((defaults: object) => ({
  ...defaults,
  throttle: { enabled: false },
  retry: { enabled: false },
}));

/** Compares in constant time, with the current secret first. */
async function isGenuine(apps: readonly Probot[], { body, signature }: Posted): Promise<boolean> {
  for (const app of apps) {
    if (await app.webhooks.verify(body, signature)) return true;
  }
  return false;
}

function parse(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
