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
    const root = served?.value ?? `http://${environment.host}:${environment.port}`;
    const token = randomBytes(32).toString("base64url");
    const expiresAt = systemClock().now() + tokenMs;
    await store.giveWebToken(hashed(token), `operator:${operator()}`, expiresAt);
    const url = `${root}/enter?token=${token}`;
    const isOpened =
      options.browser !== false &&
      hasScreen(process.env, process.platform) &&
      (await openBrowser(url, process.env, process.platform));
    return {
      schema: "open/1",
      data: { url, expiresAt: new Date(expiresAt).toISOString(), opened: isOpened },
      text: url,
      hint: "this link is good once, for a quarter of an hour",
    };
  });
}
