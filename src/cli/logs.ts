import { existsSync, readFileSync, statSync } from "node:fs";
import { systemClock } from "../adapters/clock.ts";
import { exitCodes } from "../problems.ts";
import { openDesk, ticketNamed } from "./database.ts";
import { bold, Failure, terminal } from "./output.ts";

/** How often a followed log is looked at. */
const lookMs = 300;

interface LogOptions {
  readonly database?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What the agents said for a ticket; with `--follow` until the process is interrupted. Raw lines with `--json`. */
export async function logs(name: string, options: LogOptions): Promise<void> {
  const { store, sql } = openDesk(options.database);
  const stored = await ticketNamed(store, name);
  const shown = new Map<string, number>();
  const clock = systemClock();
  const show = async (): Promise<number> => {
    const sessions = await store.sessionsOf(stored.ticket.id);
    for (const session of sessions) {
      if (session.logPath === null || !existsSync(session.logPath)) continue;
      const from = shown.get(session.logPath);
      if (from === undefined && options.json !== true)
        terminal.out(`${bold(`── ${session.role} · ${session.runtime} · ${session.run}`)}\n`);
      const size = statSync(session.logPath).size;
      if (size <= (from ?? 0)) continue;
      const text = readFileSync(session.logPath)
        .subarray(from ?? 0)
        .toString("utf8");
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      shown.set(session.logPath, (from ?? 0) + Buffer.byteLength(whole));
      for (const line of whole.split("\n").filter((one) => one !== ""))
        terminal.out(`${options.json === true ? line : plain(line)}\n`);
    }
    return sessions.length;
  };
  const count = await show();
  if (count === 0 && options.follow !== true)
    throw new Failure(
      exitCodes.notFound,
      `no agent has worked on ${stored.ref} yet; see \`forgehand explain ${stored.ref}\``,
    );
  while (options.follow === true) {
    await clock.until(clock.now() + lookMs);
    await show();
  }
  sql.close();
}

/** One line of a session's log for people. */
function plain(line: string): string {
  try {
    const said = JSON.parse(line) as {
      readonly at?: number;
      readonly type?: string;
      readonly [key: string]: unknown;
    };
    const { at, type, ...rest } = said;
    const time = at === undefined ? "" : `${new Date(at).toISOString().slice(11, 19)} `;
    const words =
      type === "text"
        ? rest["text"]
        : type === "tool"
          ? `${String(rest["name"])} ${String(rest["detail"])}`
          : JSON.stringify(rest);
    return `${time}${(type ?? "").padEnd(8)} ${String(words)}`;
  } catch {
    return line;
  }
}
