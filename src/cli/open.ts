import { randomBytes } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { hasScreen, openBrowser } from "../adapters/browser.ts";
import { exitCodes } from "../problems.ts";
import { hashed } from "../web/door.ts";
import { atDesk } from "./database.ts";
import { operator } from "./operator.ts";
import { Failure, type Answer } from "./output.ts";

interface OpenOptions {
  readonly database?: string | undefined;
  readonly browser?: boolean | undefined;
}

/** A link is good once, for so long. */
const tokenMs = 15 * 60_000;
/**
 * The one that a browser is started with stands among its arguments, which every user of this host may read: it is
 * another, good for this user's connections alone where the system tells whose they are, and void after a minute. (A
 * file that leads on, closed to others, is out of reach of browsers in a box of their own, as snap and flatpak start.)
 */
const openedMs = 60_000;

/** A link that lets this person into the dashboard, once; opened where there is a browser. */
export async function open(options: OpenOptions): Promise<Answer> {
  return await atDesk(options, "write", async ({ store, environment }) => {
    const owner = await store.instanceOwner();
    if (owner === undefined || isDead(owner))
      throw new Failure(exitCodes.notFound, "forgehand is not running: start `forgehand up`");
    const served = await store.setting("served-at");
    if (served?.value === "")
      throw new Failure(
        exitCodes.notFound,
        "forgehand serves no dashboard yet; if it is starting, try again",
      );
    const here = reachable(served?.value ?? `http://${environment.host}:${environment.port}`);
    const now = systemClock().now();
    const linkTo = async (root: string, lifeMs: number, uid?: number): Promise<string> => {
      const token = randomBytes(32).toString("base64url");
      await store.giveWebToken(hashed(token), `operator:${operator()}`, now + lifeMs, uid);
      return `${root}/enter?token=${token}`;
    };
    const expiresAt = now + tokenMs;
    const url = await linkTo(environment.access?.publicUrl ?? here, tokenMs);
    const isOpened =
      options.browser !== false &&
      hasScreen(process.env, process.platform) &&
      (await openBrowser(await linkTo(here, openedMs, process.getuid?.()), process.env, process.platform));
    return {
      schema: "open/1",
      data: { url, expiresAt: new Date(expiresAt).toISOString(), opened: isOpened },
      text: url,
      hint: "this link is good once, for a quarter of an hour",
    };
  });
}

/** Whoever listens everywhere is reached here by the loopback. */
export function reachable(served: string): string {
  const url = URL.parse(served.replace(/^(https?:\/\/)([\da-f]*:[\da-f:]+)(?=:\d+$)/iu, "$1[$2]"));
  if (url === null) return served;
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  return url.origin;
}
