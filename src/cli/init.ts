/** `forgehand init`: the App, its news, Linear and the runtimes, one step after the other. */
import { randomBytes } from "node:crypto";
import { homedir, userInfo } from "node:os";
import { hasScreen, openBrowser } from "../adapters/browser.ts";
import { systemClock } from "../adapters/clock.ts";
import { openKeychain } from "../adapters/keychain.ts";
import { placesOf, settingsFile } from "../places.ts";
import { exitCodes } from "../problems.ts";
import { ownSettings } from "./own-settings.ts";
import { takeOver, settleApp } from "./init-app.ts";
import type { Init, InitOptions } from "./init-context.ts";
import { settleLinear } from "./init-linear.ts";
import { lookAtRuntimes, runtimesInWords } from "./init-runtimes.ts";
import { Failure, plain, terminal, type Answer } from "./output.ts";
import { scriptPrompter, type Prompter } from "./prompter.ts";

const mostMinutes = 60;

/** Walks through what is missing, keeps what is there, and ends with what `doctor` finds. */
export async function initCommand(options: InitOptions): Promise<Answer> {
  const init = await openInit(options);
  const { prompter } = init;
  const app = await settleApp(init);
  const { access } = app;
  const installed = await access.repositories();
  const linear = await settleLinear(init);
  if (linear === "stored" || (linear === "kept" && options.linear === true)) await signIn(options);
  const runtimes = await runtimesOf(init);
  prompter.note("Runtimes", runtimesInWords(runtimes));
  const { doctor } = await import("./doctor.ts");
  const findings = await doctor({});
  const { feed = { is: "webhook" } } = init.environment();
  return {
    schema: "init/1",
    data: {
      app: { did: app.did, id: access.id, slug: access.slug, owner: access.owner, url: access.htmlUrl },
      settings: settingsFile(init.places),
      feed,
      repositories: installed,
      linear,
      runtimes: runtimes.map(({ name, family, version, is, fix }) => ({
        name,
        family,
        version: version ?? null,
        is,
        fix: fix ?? null,
      })),
      doctor: findings.data,
    },
    text: findings.text,
    hint: nextSteps(access.htmlUrl, installed),
  };
}

function nextSteps(htmlUrl: string, repositories: readonly string[]): string {
  const [first] = repositories;
  const prepare =
    first === undefined
      ? [`choose repositories: ${htmlUrl}/installations/new`]
      : [`forgehand bootstrap ${plain(first)}     opens one pull request that prepares the repository`];
  return [
    "",
    "Next:",
    ...prepare.map((line) => `  ${line}`),
    "  forgehand up                  serves; one that runs without an App takes this up by itself, any other is to be started anew",
    "  then label an issue `agent-ready`",
  ].join("\n");
}

/** `forgehand app import`: the same as the wizard's second way, and nothing more. */
export async function importCommand(options: InitOptions): Promise<Answer> {
  const init = await openInit({ ...options, import: true });
  refuseKnown(init);
  const { id, slug, owner, htmlUrl } = await takeOver(init);
  return {
    schema: "app-import/1",
    data: { id, slug, owner, url: htmlUrl, settings: settingsFile(init.places) },
    text: `App ${slug} (${id}) of ${plain(owner)} is confirmed by GitHub and stored in ${settingsFile(init.places)}.`,
    hint: "forgehand doctor",
  };
}

function refuseKnown({ options, environment }: Init): void {
  const known = environment().github;
  if (known === undefined || options.replace === true || String(known.appId) === options.appId) return;
  throw new Failure(exitCodes.usage, `App ${known.appId} is set up already: say --replace to take another`);
}

async function openInit(options: InitOptions): Promise<Init> {
  const env = process.env;
  const minutes = Number(options.timeout);
  if (!(minutes > 0 && minutes <= mostMinutes))
    throw new Failure(
      exitCodes.usage,
      `--timeout: minutes up to ${mostMinutes} are expected, not ${options.timeout}`,
    );
  refuseHidden(options, env);
  return {
    options,
    prompter: await prompterFor(options),
    places: placesOf(env, env["HOME"] ?? homedir()),
    environment: () => ownSettings(env),
    keychain: options.keychain === true ? openKeychain() : undefined,
    clock: systemClock(),
    fetch: globalThis.fetch,
    openBrowser: async (url) =>
      hasScreen(env, process.platform) && (await openBrowser(url, env, process.platform)),
    random: (bytes) => randomBytes(bytes).toString("hex"),
    user: userInfo().username,
  };
}

/** What is set for this process wins over what would be written, so it would look as if nothing had come of it. */
function refuseHidden(
  { replace, create, import: taken, feed, url }: InitOptions,
  env: NodeJS.ProcessEnv,
): void {
  const isOtherApp = replace === true || create === true || taken === true;
  const app = ["APP_ID", "PRIVATE_KEY", "WEBHOOK_SECRET"].flatMap((name) =>
    ["", "_FILE", "_KEYCHAIN"].map((way) => `FORGEHAND_${name}${way}`),
  );
  const news = feed ?? (url === undefined ? undefined : "webhook");
  const isOtherFeed = news !== undefined && news !== env["FORGEHAND_FEED"];
  const set = [...(isOtherApp ? app : []), ...(isOtherFeed ? ["FORGEHAND_FEED"] : [])].filter(
    (name) => env[name] !== undefined,
  );
  if (set.length === 0) return;
  throw new Failure(
    exitCodes.usage,
    `${set.join(", ")} in your environment would win over what is stored: run \`unset ${set.join(" ")}\` first`,
  );
}

async function prompterFor(options: InitOptions): Promise<Prompter> {
  const say = (line: string): void => terminal.err(`${plain(line)}\n`);
  if (options.yes === true || options.json === true) return scriptPrompter(say);
  if (!process.stdin.isTTY || !process.stderr.isTTY) return scriptPrompter(say);
  const { clackPrompter } = await import("./prompter-clack.ts");
  return clackPrompter();
}

async function signIn({ browser, timeout }: InitOptions): Promise<void> {
  const { authLinear } = await import("./auth-linear.ts");
  const { text, hint } = await authLinear({ browser, timeout });
  terminal.err(`${text}\n${hint === undefined ? "" : `${hint}\n`}`);
}

async function runtimesOf({ environment }: Init) {
  const { runtimeAgents } = await import("./agents.ts");
  return await lookAtRuntimes(runtimeAgents(environment()));
}
