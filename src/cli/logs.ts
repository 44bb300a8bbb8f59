import { systemClock } from "../adapters/clock.ts";
import { readSessionLog } from "../adapters/logs/session-log-reader.ts";
import type { LogLine } from "../session-logs.ts";
import { exitCodes } from "../problems.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import { atDesk, ticketNamed } from "./database.ts";
import { bold, envelope, Failure, oneLine, plain, terminal } from "./output.ts";
import { transcriptOf } from "../transcript.ts";
import { toldLine } from "./transcript.ts";

/** How often a followed log is looked at. */
const lookMs = 300;

interface LogOptions {
  readonly database?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly raw?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * What the agents said for a ticket; with `follow` until interrupted, with `raw` as their runtimes said it. One object a
 * line with `json`.
 */
export async function logs(name: string, options: LogOptions): Promise<void> {
  await atDesk(options, "read", ({ store }) => say(store, name, options));
}

async function say(store: Store, name: string, options: LogOptions): Promise<void> {
  const stored = await ticketNamed(store, name);
  const clock = systemClock();
  const shown = new Map<string, number>();
  const show = async (): Promise<"something" | "nothing"> => {
    for (const session of await store.sessionsOf(stored.ticket.id)) showSession(session, shown, options);
    return shown.size > 0 ? "something" : "nothing";
  };
  if ((await show()) === "nothing" && options.follow !== true) {
    const sessions = await store.sessionsOf(stored.ticket.id);
    throw new Failure(
      exitCodes.notFound,
      sessions.length === 0
        ? `no agent has worked on ${stored.ref} yet; see \`forgehand explain ${stored.ref}\``
        : `the logs of ${stored.ref} are no longer on this host; \`forgehand inspect ${stored.ref}\` still knows its ${sessions.length} sessions`,
    );
  }
  while (options.follow === true) {
    await clock.until(clock.now() + lookMs);
    await show();
  }
}

function showSession(session: SessionSummary, shown: Map<string, number>, options: LogOptions): void {
  const { logPath, role, runtime, run } = session;
  if (logPath === null) return;
  const from = shown.get(logPath);
  const read = readSessionLog(logPath, from);
  if (read === undefined) return;
  shown.set(logPath, read.next);
  if (from === undefined && options.json !== true && options.raw !== true)
    terminal.out(`${bold(oneLine(`── ${role} · ${runtime} · ${run}`))}\n`);
  showLines(read.lines, { session: session.id, run, role, runtime }, { schema: "logs/1", ...options });
}

/** Lines of a session as they are asked for. As a runtime said them, its stdout goes to ours and its stderr to ours. */
export function showLines(
  lines: readonly LogLine[],
  whose: object,
  how: { readonly schema: string; readonly raw?: boolean | undefined; readonly json?: boolean | undefined },
): void {
  const { schema, raw, json } = how;
  const wanted = raw === true ? lines.filter(isRaw) : lines;
  if (json === true) {
    const said =
      raw === true ? wanted : transcriptOf(wanted).map(({ at, kind, text }) => ({ at, type: kind, text }));
    for (const one of said) terminal.out(envelope(schema, { ...whose, said: one }));
  } else if (raw === true) {
    for (const { type, text } of wanted) {
      const line = `${terminal.isTty ? plain(text) : text}\n`;
      if (type === "stdout") terminal.out(line);
      else terminal.err(line);
    }
  } else for (const told of transcriptOf(wanted)) terminal.out(`${toldLine(told)}\n`);
}

const isRaw = ({ type }: LogLine): boolean => type === "stdout" || type === "stderr" || type === "cut";
