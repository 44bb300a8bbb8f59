import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import type { SessionSummary } from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import { atDesk, ticketNamed } from "./database.ts";
import { bold, envelope, Failure, oneLine, plain, terminal } from "./output.ts";

/** How often a followed log is looked at. */
const lookMs = 300;

interface LogOptions {
  readonly database?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What the agents said for a ticket; with `--follow` until interrupted. One object a line with `--json`. */
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
  if (logPath === null || !existsSync(logPath)) return;
  const from = shown.get(logPath);
  if (from === undefined && options.json !== true)
    terminal.out(`${bold(oneLine(`── ${role} · ${runtime} · ${run}`))}\n`);
  const whole = wholeLines(logPath, from ?? 0);
  shown.set(logPath, (from ?? 0) + whole.length);
  for (const line of whole.toString("utf8").split("\n")) {
    if (line === "") continue;
    if (options.json === true)
      terminal.out(envelope("logs/1", { session: session.id, run, role, runtime, said: read(line) ?? line }));
    else terminal.out(`${plain(forPeople(line))}\n`);
  }
}

/** What was written after this offset, up to the last line that is complete. */
function wholeLines(path: string, from: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
    const length = readSync(file, bytes, 0, bytes.length, from);
    return bytes.subarray(0, bytes.subarray(0, length).lastIndexOf("\n") + 1);
  } finally {
    closeSync(file);
  }
}

type Said = { readonly at?: unknown; readonly type?: unknown; readonly [key: string]: unknown };

function read(line: string): Said | undefined {
  try {
    const said: unknown = JSON.parse(line);
    // An object's fields are all unknown, which is all that is said here.
    return typeof said === "object" && said !== null ? (said as Said) : undefined;
  } catch {
    return undefined;
  }
}

function forPeople(line: string): string {
  const said = read(line);
  if (said === undefined) return line;
  const { at, type, ...rest } = said;
  const time = typeof at === "number" ? `${new Date(at).toISOString().slice(11, 19)} ` : "";
  const words = typeof rest["text"] === "string" ? rest["text"] : JSON.stringify(rest);
  return `${time}${(typeof type === "string" ? type : "").padEnd(8)} ${words}`;
}
