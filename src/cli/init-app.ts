/** The App: kept, imported, or made by three clicks on GitHub. */
import { pulledHookUrl } from "../config-feed.ts";
import { gitHubApiUrl } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { openApp, type AppAccess } from "./app-access.ts";
import { importApp } from "./app-import.ts";
import { storeApp } from "./app-store.ts";
import type { Init } from "./init-context.ts";
import { chooseFeed, pointHook, settleFeed } from "./init-feed.ts";
import { makeApp } from "./init-make.ts";
import { Failure } from "./output.ts";
import { writeSettings } from "./settings-store.ts";

export type AppStep = { readonly did: "kept" | "imported" | "made"; readonly access: AppAccess };

/** Makes sure that there is an App whose key is stored and whose webhook is as wanted. */
export async function settleApp(init: Init): Promise<AppStep> {
  const known = init.environment().github;
  const way = await chooseWay(init, known === undefined ? undefined : String(known.appId));
  if (way === "keep" && known !== undefined) {
    const access = await openApp(known, init);
    await keepFeed(init, access);
    return { did: "kept", access };
  }
  if (way === "import") return { did: "imported", access: await takeOver(init) };
  return { did: "made", access: await makeApp(init, apiUrlOf(init)) };
}

/** How news arrive stays as it is, unless a flag says otherwise or nothing shows how they do. */
async function keepFeed(init: Init, access: AppAccess): Promise<void> {
  const { options, environment, places } = init;
  const isTold = [options.feed, options.url, options.hookUrl].some((one) => one !== undefined);
  if (!isTold && environment().feed !== undefined) return;
  const hook = isTold ? "" : await access.hookUrl();
  // An App that was set up by hand: its webhook says which way was meant.
  if (hook === pulledHookUrl) writeSettings(places, { FORGEHAND_FEED: "pull" });
  else if (/\/webhooks\/github\/?$/u.test(hook)) writeSettings(places, { FORGEHAND_FEED: "webhook" });
  else await settleFeed(init, await chooseFeed(init), access);
}

async function chooseWay(init: Init, known: string | undefined): Promise<"keep" | "create" | "import"> {
  const { options, prompter } = init;
  if (known !== undefined && options.replace !== true) {
    if (options.import === true || options.create === true)
      throw new Failure(
        exitCodes.usage,
        `App ${known} is set up already: say --replace as well to take another in its place`,
      );
    const usual = options.yes === true ? "keep" : undefined;
    const keep = { value: "keep", label: `Keep App ${known}` } as const;
    return await prompter.choose({ ...question, choices: [keep, ...ways], usual });
  }
  if (options.import === true) return "import";
  if (options.create === true) return "create";
  return await prompter.choose({ ...question, choices: ways });
}
const question = {
  message: "forgehand works as a GitHub App of your own",
  flag: "--create, or --import --app-id … --key-file … --webhook-secret-file …",
};
const ways = [
  { value: "create", label: "Make one now", hint: "three clicks on GitHub, nothing to copy" },
  { value: "import", label: "Take one that exists", hint: "its id, its .pem file, its webhook secret" },
] as const;

const apiUrlOf = (init: Init): string => init.environment().apiUrl ?? gitHubApiUrl;

/** `forgehand app import` and the wizard's second way: nothing is written before GitHub confirmed the key. */
export async function takeOver(init: Init): Promise<AppAccess> {
  const chosen = await chooseFeed(init);
  const apiUrl = apiUrlOf(init);
  const { key, webhookSecret, access } = await importApp(init.options, init.prompter, apiUrl, init);
  await pointHook(init, chosen, access);
  // In one write: an `up` that waits for an App takes it up with how its news arrive.
  storeApp(init, { ...access, privateKey: key.privateKey, webhookSecret }, { apiUrl, feed: chosen.feed });
  return access;
}
