/** Whether GitHub's news arrive where they are not posted to us. */
import { pulledHookUrl, type Feed } from "../config-feed.ts";
import { bad, ok, warn, type Finding } from "./doctor-finding.ts";

export interface HookFacts {
  /** Of the App's webhook; empty where it is off. */
  readonly url: string;
  /** When GitHub last had something to tell, in words; undefined where it has told nothing yet. */
  readonly newest: string | undefined;
}

/** Undefined with webhooks that lead somewhere: then whether they arrive is the question. */
export function checkFeed(
  feed: Feed | undefined,
  { url, newest }: HookFacts,
): readonly Finding[] | undefined {
  if (feed === undefined || feed.is === "webhook")
    return url === pulledHookUrl
      ? [
          bad(
            "usage",
            `the App's webhook leads to nobody (${url}), as pull mode wants it, and webhooks are awaited here`,
            "set FORGEHAND_FEED=pull, or give it a URL of this host: forgehand init --url https://HOST",
          ),
        ]
      : undefined;
  if (url === "")
    return [
      warn(
        "news are read from GitHub's log of deliveries, and the App's webhook is off, so GitHub keeps none",
        `App settings → Webhook: tick Active, with the URL ${pulledHookUrl}`,
      ),
    ];
  const last =
    newest === undefined
      ? warn("GitHub's log of deliveries is empty", "label an issue `agent-ready`, then look again")
      : ok(`GitHub's log of deliveries is kept, the newest ${newest} ago`);
  if (feed.is === "smee")
    return [
      feed.url === url
        ? ok(`news come through ${feed.url}, whose operator can read them`)
        : warn(
            `news are awaited at ${feed.url}, and the App's webhook leads to ${url}: they come a minute later, from GitHub's log`,
            `forgehand init --feed smee:${feed.url}`,
          ),
      last,
    ];
  return [
    ok(`pull mode: GitHub's log of deliveries is read every few seconds; its webhook leads to ${url}`),
    ...(url.startsWith("https://smee.io/")
      ? [warn(`GitHub posts everything to ${url} as well`, "forgehand init --feed pull")]
      : []),
    last,
  ];
}
