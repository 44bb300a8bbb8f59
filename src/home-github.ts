/** GitHub as the home: the App, its webhooks, and Linear beside it. */
import { vocabulary } from "../bootstrap/labels.ts";
import { openGitHub } from "./adapters/github/app.ts";
import { githubCi } from "./adapters/github/ci.ts";
import { githubDeliveryLog } from "./adapters/github/delivery-log.ts";
import { githubForge } from "./adapters/github/github.ts";
import { githubHooks } from "./adapters/github/hooks.ts";
import { githubLogin } from "./adapters/github/login.ts";
import { githubTracker } from "./adapters/github/issues.ts";
import { githubVoice } from "./adapters/github/voice.ts";
import { requireGitHub } from "./config-environment.ts";
import { openFeed } from "./feed.ts";
import { onboard } from "./onboarding.ts";
import type { Home, HomeParts } from "./home.ts";
import { openGit } from "./host.ts";
import { connectTrackers } from "./linear-side.ts";
import type { Repo } from "./ports.ts";
import { redact } from "./secrets.ts";
import { serveAt } from "./serve.ts";
import { healthOf } from "./standby.ts";
import type { KnownRepo } from "./store/repos.ts";
import { openGitHubWebhooks } from "./webhooks/github.ts";
import { createServer } from "./webhooks/server.ts";

/** The repositories in which the App of the environment is installed. */
export async function githubHome(parts: HomeParts): Promise<Home> {
  const { environment, store, clock, log, searchPath, premises, rulesOf } = parts;
  const settings = requireGitHub(environment);
  const github = openGitHub({
    appId: settings.appId,
    privateKey: settings.privateKey,
    apiUrl: settings.apiUrl,
    userAgent: "forgehand",
    clock,
    remember: { get: (key) => store.recall(key), set: (key, value) => store.remember(key, value) },
    scrub: redact,
  });
  const identity = await github.identity();
  const git = await openGit({
    environment,
    log,
    clock,
    searchPath,
    premises,
    author: {
      name: `${identity.slug}[bot]`,
      email: `${identity.id}+${identity.slug}[bot]@users.noreply.github.com`,
    },
    credentials: async ({ repo }, access) => ({
      header: `Basic ${Buffer.from(`x-access-token:${await github.pushToken(repo, access)}`).toString("base64")}`,
    }),
  });
  /** Our labels by the names this repository gives them. */
  const vocabularyOf = (repo: Repo) =>
    vocabulary("config" in repo ? rulesOf(repo as KnownRepo).config.labels : undefined);
  const forge = githubForge(github);
  const trackers = connectTrackers({
    environment,
    store,
    clock,
    log,
    rules: parts.linearRules,
    github: { forge, tracker: githubTracker(github, vocabularyOf), voice: githubVoice(github) },
    labelName: ({ repo }, label) => vocabularyOf(repo).find((one) => one.label === label)?.name ?? label,
  });
  const client = environment.access?.client;
  return {
    login: client && githubLogin({ client, apiUrl: settings.apiUrl, fetch: globalThis.fetch }),
    app: { id: identity.id, login: `${identity.slug}[bot]` },
    forge,
    trackers,
    ci: githubCi(github),
    hooks: githubHooks(github),
    pullsDeliveries: (environment.feed?.is ?? "webhook") !== "webhook",
    git,
    rulesOf,
    remoteOf: (repo) => ({ repo, url: github.gitUrl(repo) }),
    onboard: (key, repo) => onboard(github, key, repo, environment.extendsFrom),
    listen: async (keep, web, ready) => {
      const webhooks = await openGitHubWebhooks({
        appId: settings.appId,
        privateKey: settings.privateKey,
        secrets: settings.webhookSecrets,
        baseUrl: settings.apiUrl,
        deliveries: { store: keep },
        clock,
        log,
      });
      const linear = trackers.webhooks(keep);
      const app = createServer({ github: webhooks, linear, web, health: healthOf(store), ready, log });
      const { url, stop } = await serveAt(app.fetch, environment);
      const feed = openFeed({
        feed: environment.feed,
        shop: { store, clock, log, random: Math.random },
        deliveries: githubDeliveryLog(github),
        github: webhooks,
        keep,
        log,
      });
      feed.poke();
      return {
        url,
        feed,
        stop: async () => {
          await feed.stop();
          await stop();
        },
      };
    },
  };
}
