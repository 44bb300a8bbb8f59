import { systemClock } from "../adapters/clock.ts";
import { readSessionLog } from "../adapters/logs/session-log-reader.ts";
import type { LogLine } from "../session-logs.ts";
import { exitCodes } from "../problems.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import { activeIn } from "../store/tickets.ts";
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
 * What the agents said for a ticket; with `follow` until the ticket is over, with `raw` as their runtimes said it. One
 * object a line with `json`.
 */
export async function logs(name: string, options: LogOptions): Promise<void> {
  await atDesk(options, "read", ({ store }) => say(store, name, options));
}

async function say(store: Store, name: string, options: LogOptions): Promise<void> {
  const clock = systemClock();
  const shown = new Map<string, number>();
  for (;;) {
    // Read first: what is said afterwards is shown at the next look.
    const { ref, ticket } = await ticketNamed(store, name);
    const sessions = await store.sessionsOf(ticket.id);
    for (const session of sessions) showSession(session, shown, options);
    if (options.follow !== true || activeIn(ticket.state) === null) {
      if (shown.size === 0) throw new Failure(exitCodes.notFound, whyNothing(ref, sessions.length));
      return;
    }
    await clock.until(clock.now() + lookMs);
  }
}

const whyNothing = (ref: string, sessions: number): string =>
  sessions === 0
    ? `no agent has worked on ${ref} yet; see \`forgehand explain ${ref}\``
    : `the logs of ${ref} are no longer on this host; \`forgehand inspect ${ref}\` still knows its ${sessions} sessions`;

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
