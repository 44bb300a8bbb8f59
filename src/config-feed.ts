/** Where GitHub's news come from. */
import { z } from "zod";

export type Feed =
  /** GitHub posts to a URL of ours. */
  | { readonly is: "webhook" }
  /** We ask GitHub what it tried to tell; no public URL. */
  | { readonly is: "pull"; readonly everyMs?: number }
  /** GitHub posts to a channel of somebody else's, which we listen to. */
  | { readonly is: "smee"; readonly url: string; readonly everyMs?: number };

/** `webhook`, `pull` or `smee:<url>`. */
export const feedSchema = () =>
  z
    .string()
    .regex(/^(?:webhook|pull|smee:.+)$/u, "one of webhook, pull, smee:https://… is expected")
    .transform((text, context): Feed => {
      if (text === "webhook" || text === "pull") return { is: text };
      const url = URL.parse(text.slice("smee:".length));
      const isHere = url !== null && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(url.hostname);
      // Payloads must not cross a network in the clear, and a URL with credentials would end in a log.
      if (
        url !== null &&
        (url.protocol === "https:" || (url.protocol === "http:" && isHere)) &&
        url.username === ""
      )
        return { is: "smee", url: url.href };
      context.addIssue(
        "after smee: an https URL without credentials is expected, such as smee:https://smee.io/CHANNEL",
      );
      return z.NEVER;
    });

/** Of an App that is pulled from: GitHub keeps a record of what it could not deliver, and this name leads to nobody (RFC 2606). */
export const pulledHookUrl = "https://forgehand.invalid/webhooks/github";

/** How often GitHub is asked: as the only way, and as the net below a channel that forgets what nobody heard. */
export const pullEveryMs = { pull: 5_000, smee: 60_000 } as const;
