/** Where GitHub's news will come from. */
import { feedSchema, pulledHookUrl, type Feed } from "../config-feed.ts";
import { Trouble } from "../ports.ts";
import { exitCodes } from "../problems.ts";
import type { AppAccess } from "./app-access.ts";
import { feedText } from "./app-store.ts";
import type { Init } from "./init-context.ts";
import { Failure } from "./output.ts";
import { writeSettings } from "./settings-store.ts";

export interface ChosenFeed {
  readonly feed: Feed;
  /** Where GitHub posts, or tries to. */
  readonly hookUrl: string;
}

const newChannel = "https://smee.io/new";

/** Asks, unless a flag or the settings say it. Writes nothing. */
export async function chooseFeed(init: Init): Promise<ChosenFeed> {
  const { options, prompter } = init;
  const told = options.feed ?? (options.url === undefined ? undefined : "webhook");
  const kind =
    told ??
    (await prompter.choose({
      message: "How does GitHub's news reach this host?",
      flag: "--feed pull, --feed smee or --url https://HOST",
      usual: init.environment().feed?.is ?? "pull",
      choices: [
        {
          value: "pull",
          label: "forgehand asks GitHub every few seconds",
          hint: "no public URL, survives sleep; some seconds later than a webhook",
        },
        {
          value: "webhook",
          label: "GitHub posts to a URL of yours",
          hint: "https://HOST leads to this host",
        },
        {
          value: "smee",
          label: "GitHub posts to a Smee channel",
          hint: "for trials: whoever runs the channel, or knows its name, reads your payloads",
        },
      ],
    }));
  const hookFor = (usual: string): string => options.hookUrl ?? usual;
  if (kind === "pull") return { feed: { is: "pull" }, hookUrl: hookFor(pulledHookUrl) };
  if (kind === "webhook") return { feed: { is: "webhook" }, hookUrl: hookFor(await ownUrl(init)) };
  const url = kind === "smee" ? await channel(init) : kind.replace(/^smee:/u, "");
  const feed = feedSchema().safeParse(kind === "smee" ? `smee:${url}` : kind);
  if (!feed.success)
    throw new Failure(exitCodes.usage, `--feed: ${feed.error.issues[0]?.message ?? "it is malformed"}`);
  return { feed: feed.data, hookUrl: hookFor(url) };
}

/** Points the App's webhook there, and stores the choice. */
export async function settleFeed(init: Init, chosen: ChosenFeed, app: AppAccess): Promise<void> {
  await pointHook(init, chosen, app);
  writeSettings(init.places, { FORGEHAND_FEED: feedText(chosen.feed) });
}

/** Has the App's webhook lead there, where it does not already. */
export async function pointHook(init: Init, { hookUrl }: ChosenFeed, app: AppAccess): Promise<void> {
  const before = await app.hookUrl();
  if (before !== hookUrl) {
    await setHook(app, hookUrl);
    if (before !== "") init.prompter.say(`The App's webhook led to ${before}; it leads to ${hookUrl} now.`);
  }
  if ((await app.hookUrl()) === "")
    init.prompter.say(
      `The App's webhook is switched off, so GitHub records no deliveries: tick Active under Webhook on ${app.htmlUrl} → App settings.`,
    );
}

async function setHook(app: AppAccess, url: string): Promise<void> {
  try {
    await app.setHook({ url });
  } catch (cause) {
    if (!(cause instanceof Trouble) || cause.code !== "github-rejected") throw cause;
    throw new Failure(
      exitCodes.usage,
      `GitHub does not take ${url} as the URL of a webhook (${cause.message}): name another of yours with --hook-url`,
      { cause },
    );
  }
}

async function ownUrl({ options, prompter }: Init): Promise<string> {
  const fault = (text: string): string | undefined => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/u.test(url.protocol))
      return "an https URL is expected, such as https://forgehand.example.com";
    if (url.username !== "" || url.search !== "" || url.hash !== "") return "only host and path are expected";
    return undefined;
  };
  const text =
    options.url ??
    (await prompter.ask({
      message: "Under which URL does GitHub reach this host?",
      flag: "--url https://HOST",
      fault,
    }));
  const wrong = fault(text);
  if (wrong !== undefined) throw new Failure(exitCodes.usage, `--url: ${wrong}`);
  const bare = text.replace(/\/+$/u, "");
  return bare.endsWith("/webhooks/github") ? bare : `${bare}/webhooks/github`;
}

/** A channel of one's own, or a new one: its name is a long random word, and knowing it is all it takes to listen. */
async function channel({ prompter, fetch }: Init): Promise<string> {
  const own = await prompter.ask({
    message: `URL of your channel; empty makes a new one at ${newChannel}`,
    flag: "--feed smee:https://…",
    usual: "",
    fault: (text) =>
      text === "" || feedSchema().safeParse(`smee:${text}`).success ? undefined : "an https URL is expected",
  });
  if (own !== "") return own;
  try {
    const answer = await fetch(newChannel, { redirect: "manual", signal: AbortSignal.timeout(15_000) });
    await answer.body?.cancel();
    const made = answer.headers.get("location");
    if (made !== null && feedSchema().safeParse(`smee:${made}`).success) return made;
    throw new Error(`it answers ${answer.status}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      exitCodes.remote,
      `${newChannel} gave no channel (${why}): make one there in a browser and say --feed smee:URL, or take --feed pull`,
      { cause },
    );
  }
}
