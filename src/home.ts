/** What the world is made of for one forgehand: a forge with its tracker and voice, git, and what tells of news there. */
import type { Logger } from "pino";
import type { openWorkspace } from "./adapters/git/git.ts";
import type { Premises } from "./adapters/sandboxes/premises.ts";
import type { LinearBoardRules } from "./config-linear-file.ts";
import type { Environment } from "./config-environment.ts";
import type { OpenFeed } from "./feed.ts";
import type { ConnectedTrackers } from "./linear-side.ts";
import type { Clock, Forge, Remote, Repo } from "./ports.ts";
import type { ForgeLogin } from "./ports-dashboard-access.ts";
import type { Ci } from "./ports-ci.ts";
import type { Hooks } from "./ports-hooks.ts";
import type { RepoRules, Workshop } from "./shell/workshop.ts";
import type { KnownRepo } from "./store/repos.ts";
import type { Store } from "./store/store.ts";
import type { Web } from "./web/app.ts";
import type { Delivery } from "./webhooks/github.ts";
import type { Health } from "./webhooks/server.ts";

/** What any home is made with. */
export interface HomeParts {
  readonly environment: Environment;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where git and commands are looked for, as in `PATH`. */
  readonly searchPath: string;
  readonly premises: Premises;
  /** The rules of a repository, as its own files say. */
  readonly rulesOf: (repo: KnownRepo) => RepoRules;
  readonly linearRules: LinearBoardRules | undefined;
}

export interface Home {
  /** Who we are there, so that our own voice is told from a person's. */
  readonly app: { readonly id: number; readonly login: string };
  readonly forge: Forge;
  readonly trackers: ConnectedTrackers;
  readonly ci: Ci;
  readonly hooks: Hooks;
  /** Its log of deliveries is read all the time, so that reconciling need not walk it. */
  readonly pullsDeliveries?: boolean;
  readonly git: Awaited<ReturnType<typeof openWorkspace>>;
  /** The rules that hold there. */
  readonly rulesOf: (repo: KnownRepo) => RepoRules;
  remoteOf(repo: Repo): Remote;
  /** How people of the forge log in; undefined where they cannot. */
  readonly login?: ForgeLogin | undefined;
  /** What follows the merge of an onboarding pull request; undefined where there is none. */
  readonly onboard?: Workshop["onboard"];
  /** Begins to take news in, each kept before anybody is told that it arrived; while it is not `ready`, none are taken. */
  listen(
    keep: (delivery: Delivery) => Promise<"stored" | "repeat">,
    web: Web["app"],
    ready: () => Health,
  ): Promise<Listening>;
}
export interface Listening {
  /** Where webhooks are taken; empty where none are. */
  readonly url: string;
  /** What is read besides; none where everything is told. */
  readonly feed?: OpenFeed;
  stop(): Promise<void>;
}

/** Opens the home on a database that is ours. Throws a `Problem` for what an operator can put right. */
export type OpenHome = (parts: HomeParts) => Promise<Home>;
