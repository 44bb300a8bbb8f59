/** `forgehand notify`: the channels as they are set, and a message to try them. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { openMessenger } from "../adapters/notify/messenger.ts";
import { systemClock } from "../adapters/clock.ts";
import { notifySchema } from "../config-notify.ts";
import { Trouble } from "../ports.ts";
import type { Channel, WallTime } from "../ports-notify.ts";
import { exitCodes, Problem } from "../problems.ts";
import { testSays } from "../says-notify.ts";
import { redactKnown } from "../secrets.ts";
import type { ChannelState } from "../store/notifications.ts";
import { atDesk } from "./database.ts";
import { ownSettings } from "./own-settings.ts";
import { Failure, table, terminal, type Answer } from "./output.ts";

const noneSet =
  "no channel is set: give FORGEHAND_NOTIFY one or several URLs, such as ntfys://ntfy.example.com/TOPIC (docs/notifications.md)";

/** Sends one message to each channel. Those that take it and those that do not are both told. */
export async function notifyTest(options: { readonly url?: string | undefined }): Promise<Answer> {
  const channels = options.url === undefined ? (ownSettings().notify ?? []) : readUrl(options.url);
  if (channels.length === 0) throw new Failure(exitCodes.usage, noneSet);
  const clock = systemClock();
  const messenger = openMessenger({ fetch: globalThis.fetch, clock });
  const tried = await Promise.all(
    channels.map(async (channel) => {
      const at = clock.now();
      const item = { kind: "digest", ...testSays, at } as const;
      try {
        await messenger.send(channel, { id: `test.${randomUUID()}`, at, items: [item], more: 0 });
        return { channel, why: undefined };
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        return { channel, why: redactKnown(channel.secrets)(error.message) };
      }
    }),
  );
  const failed = tried.filter(({ why }) => why !== undefined);
  return {
    schema: "notify-test/1",
    data: tried.map(({ channel, why }) => ({
      id: channel.id,
      label: channel.label,
      sent: why === undefined,
      why: why ?? null,
    })),
    text: tried.map(({ channel, why }) => `${channel.label}: ${why ?? "sent"}`).join("\n"),
    ...(failed.length === 0 ? {} : { exit: exitCodes.remote }),
    ...(failed.length === 0
      ? { hint: "look whether it arrived: some services take what they never show" }
      : {}),
  };
}

/** One URL from the command line, where other users of the host may read it, or from stdin. */
function readUrl(url: string): readonly Channel[] {
  const parsed = notifySchema().safeParse(url === "-" ? readFileSync(0, "utf8").trim() : url);
  if (parsed.success) return parsed.data;
  throw new Problem("environment-wrong", {
    name: "FORGEHAND_NOTIFY",
    wrong: parsed.error.issues[0]?.message ?? "it is malformed",
  });
}

/** The channels, what each hears, and how it stands with it as far as the database tells. */
export async function notifyList(options: { readonly database?: string | undefined }): Promise<Answer> {
  const settings = ownSettings();
  const { notify: channels = [] } = settings;
  const states = new Map(
    (await statesIn(options.database ?? settings.database)).map((state) => [state.channel, state]),
  );
  const rows = channels.map((channel) => {
    const { id, label, rules } = channel;
    const state = states.get(id);
    return {
      id,
      label,
      events: [...rules.kinds],
      repos: rules.repos,
      quiet: rules.quiet === undefined ? null : `${wall(rules.quiet.from)}-${wall(rules.quiet.to)}`,
      tz: rules.timeZone,
      urgent: [...rules.urgent],
      digest: rules.kinds.has("digest") ? wall(rules.digestAt) : null,
      waiting: state?.waiting ?? 0,
      sentAt: isoOf(state?.sentAt),
      failedAt: isoOf(state?.failedAt),
      trouble: state?.trouble ?? state?.failure ?? null,
    };
  });
  return {
    schema: "notify-ls/1",
    data: rows,
    text:
      rows.length === 0
        ? ""
        : table(
            ["CHANNEL", "EVENTS", "REPOS", "QUIET", "WAITING", "LAST SENT", "TROUBLE"],
            rows.map((row) => [
              row.label,
              row.events.join(","),
              row.repos.length === 0 ? "all" : row.repos.join(","),
              row.quiet === null ? "never" : `${row.quiet} ${row.tz}`,
              String(row.waiting),
              row.sentAt ?? "never",
              row.trouble ?? "",
            ]),
            terminal.isTty,
          ),
    hint: rows.length === 0 ? noneSet : "`forgehand notify test` sends a message to each",
  };
}

const wall = ({ hour, minute }: WallTime): string =>
  `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
const isoOf = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();

/** Before the first start there is no database, and nothing to tell. */
async function statesIn(database: string): Promise<readonly ChannelState[]> {
  if (!existsSync(database)) return [];
  return await atDesk({ database }, "read", ({ store }) => store.channelStates());
}
