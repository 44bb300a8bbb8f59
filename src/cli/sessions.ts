/** `forgehand sessions`: who is in the dashboard. */
import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import { age } from "../says.ts";
import { atDesk } from "./database.ts";
import { Failure, table, terminal, type Answer } from "./output.ts";

interface SessionsOptions {
  readonly database?: string | undefined;
}

export async function listSessions(options: SessionsOptions): Promise<Answer> {
  return await atDesk(options, "read", async ({ store }) => {
    const now = systemClock().now();
    const sessions = await store.webSessions({}, now);
    const ago = (at: number): string => `${age(Math.max(0, now - at))} ago`;
    const rows = sessions.map((one) => [one.id, one.who, one.kind, ago(one.openedAt), ago(one.seenAt)]);
    return {
      schema: "sessions-ls/1",
      data: sessions.map((one) => ({
        ...one,
        openedAt: new Date(one.openedAt).toISOString(),
        seenAt: new Date(one.seenAt).toISOString(),
        expiresAt: new Date(one.expiresAt).toISOString(),
      })),
      text:
        sessions.length === 0
          ? "nobody is in: `forgehand open` gives a link"
          : table(["SESSION", "WHO", "BY", "CAME", "SEEN"], rows, terminal.isTty),
    };
  });
}

export async function revokeSessions(
  session: string | undefined,
  options: SessionsOptions & { readonly all?: true | undefined },
): Promise<Answer> {
  if ((session === undefined) === (options.all === undefined))
    throw new Failure(exitCodes.usage, "name one session, as `forgehand sessions ls` does, or say --all");
  return await atDesk(options, "write", async ({ store }) => {
    const ended = await store.endWebSessionsOf({}, session);
    if (session !== undefined && ended === 0)
      throw new Failure(exitCodes.notFound, `there is no session ${session}: \`forgehand sessions ls\``);
    return {
      schema: "sessions-revoke/1",
      data: { ended },
      text: `${ended} ${ended === 1 ? "session is" : "sessions are"} over`,
    };
  });
}
