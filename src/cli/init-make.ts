/** The App made by three clicks on GitHub. */
import { appManifest, convertCode, registrationUrl } from "../adapters/github/registration.ts";
import { openSetupPage, type SetupPage, type Stored } from "../adapters/github/setup-page.ts";
import type { Feed } from "../config-feed.ts";
import { Trouble } from "../ports.ts";
import { exitCodes, Problem } from "../problems.ts";
import { openApp, type AppAccess, type AppKey } from "./app-access.ts";
import { originOf, shippedManifest } from "./app-manifest.ts";
import { storeApp } from "./app-store.ts";
import type { Init } from "./init-context.ts";
import { chooseFeed, settleFeed } from "./init-feed.ts";
import { Failure } from "./output.ts";
import { readProgress, writeProgress } from "./settings-store.ts";

/** GitHub keeps a manifest's code for an hour. */
const codeMs = 3_600_000;

/** Sends a person to GitHub with the manifest, stores what comes back, and waits until it is installed somewhere. */
export async function makeApp(init: Init, apiUrl: string): Promise<AppAccess> {
  const { options, prompter, clock } = init;
  const chosen = await chooseFeed(init);
  const owner = await ownerOf(init);
  const pending = pendingOf(init, owner, apiUrl);
  const made = Promise.withResolvers<AppAccess>();
  // Whoever waits hears of it below; a page loaded again after a failure may still succeed.
  made.promise.catch(() => undefined);
  const page = await openSetupPage({
    ...pending,
    say: prompter.say,
    form: (back) => ({
      action: registrationUrl(apiUrl, owner, pending.state),
      owner: owner ?? "your account",
      manifest: appManifest(shippedManifest(), {
        name: pending.name,
        hookUrl: chosen.hookUrl,
        back,
        // So that opening the dashboard to people takes one setting and nothing on GitHub.
        publicUrl: init.environment().access?.publicUrl ?? originOf(init.options.url),
      }),
    }),
    store: async (code) => await exchange(init, { code, apiUrl, owner, feed: chosen.feed, made }),
    repositories: async () => await (await soon(init, made.promise)).repositories(),
  });
  try {
    // Before anybody is sent away: it shows that this folder takes what is to be stored.
    writeProgress(init.places, {
      ...readProgress(init.places),
      pending: { ...pending, port: page.port, owner, apiUrl, at: clock.now() },
    });
    await show(init, page);
    const access = await prompter.during(
      `waiting for GitHub (at most ${options.timeout} minutes; Ctrl-C stops, and \`forgehand init\` goes on)`,
      async (signal) => await within(init, signal, () => page.created.then(() => made.promise)),
    );
    if (access === undefined)
      throw new Failure(
        exitCodes.cancelled,
        `nobody made the App within ${options.timeout} minutes: \`forgehand init\` goes on from here; a tab that GitHub sent back to this host may then be loaded again`,
      );
    // A tab of an interrupted set-up may have made it for another choice.
    await settleFeed(init, chosen, access);
    await untilInstalled(init, access, page);
    return access;
  } finally {
    await page.close();
  }
}

async function ownerOf({ options, prompter }: Init): Promise<string | undefined> {
  const fault = (text: string): string | undefined =>
    /^[A-Za-z\d](?:[A-Za-z\d-]{0,37}[A-Za-z\d])?$/u.test(text)
      ? undefined
      : "the name of an organisation is expected, as in github.com/NAME";
  if (options.org !== undefined) {
    const wrong = fault(options.org);
    if (wrong !== undefined) throw new Failure(exitCodes.usage, `--org: ${wrong}`);
    return options.org;
  }
  const whose = await prompter.choose({
    message: "Whose App will it be?",
    flag: "--org LOGIN",
    usual: "mine",
    choices: [
      { value: "mine", label: "Mine" },
      { value: "org", label: "An organisation's", hint: "of which you are an owner or App manager" },
    ],
  });
  return whose === "mine"
    ? undefined
    : await prompter.ask({ message: "Which organisation?", flag: "--org LOGIN", fault });
}

/** An interrupted set-up within the hour goes on under its own state: GitHub's answer to it may still be in a tab. */
function pendingOf(init: Init, owner: string | undefined, apiUrl: string) {
  const { options, clock, random, user } = init;
  const { pending } = readProgress(init.places);
  const isSame =
    pending !== undefined &&
    pending.owner === owner &&
    pending.apiUrl === apiUrl &&
    clock.now() - pending.at < codeMs &&
    (options.name === undefined || options.name === pending.name);
  if (isSame) return { state: pending.state, key: pending.key, port: pending.port, name: pending.name };
  const usual = `forgehand-${owner ?? user}`.replaceAll(/[^A-Za-z\d-]+/gu, "-").slice(0, 29);
  return {
    state: random(32),
    key: random(24),
    port: portOf(options.port),
    // Names of Apps are taken once on all of GitHub.
    name: options.name ?? (owner === undefined ? `${usual}-${random(2)}` : usual),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Failure(exitCodes.usage, `--port: a port number is expected, not ${text}`);
}

interface Exchange {
  readonly code: string;
  readonly apiUrl: string;
  readonly owner: string | undefined;
  readonly feed: Feed;
  readonly made: PromiseWithResolvers<AppAccess>;
}

/** The code becomes the App, and what GitHub says once is on disk before anything else happens. */
async function exchange(init: Init, { code, apiUrl, owner, feed, made }: Exchange): Promise<Stored> {
  const { prompter } = init;
  const app = await convertCode(apiUrl, code, init.fetch).catch((error: unknown) => {
    if (error instanceof Trouble) return { failed: error.message };
    throw error;
  });
  if (app === "expired")
    return {
      failed:
        "GitHub does not know this code (any more): it is good once, and for an hour. Start again at the address in the terminal.",
    };
  if ("failed" in app) {
    prompter.say(app.failed);
    return app;
  }
  try {
    storeApp(init, app, { apiUrl, feed });
  } catch (error) {
    // The key is lost with this; a new one can be made on the App's page.
    const why = error instanceof Problem ? error.told.what : "it could not be stored";
    prompter.say(
      `${why} The App ${app.slug} exists: make a new key on ${app.htmlUrl} and run \`forgehand app import\`.`,
    );
    return { failed: why };
  }
  prompter.say(`The App ${app.slug} is made, and its key is stored.`);
  if (owner !== undefined && owner.toLowerCase() !== app.owner.toLowerCase())
    prompter.say(`It belongs to ${app.owner}, not to ${owner}.`);
  // What is stored is stored; that GitHub does not confirm it yet is told where it is waited for.
  confirm(init, { appId: app.id, privateKey: app.privateKey, apiUrl }).then(made.resolve, made.reject);
  return { installAt: `${app.htmlUrl}/installations/new` };
}

async function show(init: Init, { url, port }: SetupPage): Promise<void> {
  const { prompter, options } = init;
  prompter.say(`Make the App on this page:\n\n  ${url}\n`);
  if (!options.browser || !(await init.openBrowser(url)))
    prompter.say(
      `Is the browser on another host? Then forward the way first: ssh -L ${port}:localhost:${port} THIS-HOST`,
    );
}

/** An App that was made a second ago may not be known everywhere yet. */
async function confirm(init: Init, key: AppKey): Promise<AppAccess> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await openApp(key, init);
    } catch (error) {
      const isEarly = error instanceof Problem && error.code === "github-app-refused";
      if (!isEarly || attempt >= confirmations) throw error;
      await init.clock.until(init.clock.now() + lookMs);
    }
  }
}
const confirmations = 3;

/** Undefined when the time is up; then the work is told to end. */
async function within<Result>(
  { clock, options }: Init,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const tooLate = clock.until(clock.now() + Number(options.timeout) * 60_000, ended).then(() => undefined);
  const done = work(ended);
  // Whichever comes second says nothing to anybody.
  for (const late of [tooLate, done]) late.catch(() => undefined);
  try {
    return await Promise.race([done, tooLate]);
  } finally {
    ending.abort();
  }
}

/** A page is not kept waiting for ever. */
async function soon<Result>({ clock }: Init, work: Promise<Result>): Promise<Result> {
  const ending = new AbortController();
  const tooLate = clock.until(clock.now() + soonMs, ending.signal).then((): never => {
    throw new Trouble("github-unavailable", "GitHub has not confirmed the App yet.");
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    ending.abort();
    tooLate.catch(() => undefined);
  }
}
const soonMs = 10_000;

const lookMs = 3_000;
const graceMs = 4_000;

/** The browser may come back from installing, or not: GitHub is asked as well. That nobody installs is no failure. */
async function untilInstalled(init: Init, access: AppAccess, page: SetupPage): Promise<void> {
  const { prompter, options } = init;
  const link = `${access.htmlUrl}/installations/new`;
  prompter.say(`Choose the repositories it works in:\n\n  ${link}\n`);
  const isInstalled = await prompter.during(
    `waiting for the installation (at most ${options.timeout} minutes)`,
    async (signal) => await within(init, signal, (ended) => untilSome(init, access, page, ended)),
  );
  if (isInstalled === undefined) prompter.say(`Not installed yet: ${link} does it at any time.`);
}

async function untilSome(
  { clock }: Init,
  access: AppAccess,
  page: SetupPage,
  ended: AbortSignal,
): Promise<true> {
  let isBack = false;
  const back = page.installed.then(() => (isBack = true));
  for (;;) {
    const count = await access.installations().catch((error: unknown) => {
      if (error instanceof Trouble || error instanceof Problem) return 0;
      throw error;
    });
    if (count > 0) {
      // GitHub sends the browser back at about the same time: somebody should be there.
      const grace = clock.until(clock.now() + graceMs, ended).catch(() => undefined);
      if (!isBack) await Promise.race([grace, back]);
      return true;
    }
    const rest = clock.until(clock.now() + lookMs, ended);
    await (isBack ? rest : Promise.race([rest, back]));
    // A browser that comes back first leaves the rest to itself.
    rest.catch(() => undefined);
  }
}
