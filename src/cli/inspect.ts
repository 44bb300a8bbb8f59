import { age, boardName, dollars } from "../says.ts";
import { noteOf } from "../shell/view.ts";
import { summariesOf } from "../engine/index.ts";
import type { Sql } from "../sql.ts";
import type { Store } from "../store/store.ts";
import { atDesk, ticketNamed } from "./database.ts";
import { bold, dim, oneLine, table, terminal, type Answer } from "./output.ts";
import { summaryLine } from "./transcript.ts";

/** The whole story of a ticket: every transition with actor, reason and cost, every agent session, every effect. */
export async function inspect(
  name: string,
  options: { readonly database?: string | undefined },
): Promise<Answer> {
  return await atDesk(options, "read", ({ store, sql }) => story(store, sql, name));
}

async function story(store: Store, sql: Sql, name: string): Promise<Answer> {
  const stored = await ticketNamed(store, name);
  const [lines, sessions, effects] = await Promise.all([
    store.linesOf(stored.ticket.id),
    store.sessionsOf(stored.ticket.id),
    store.effectsOf(stored.ticket.id),
  ]);
  const runs = lines.flatMap(({ event }) => ("run" in event && event.run !== undefined ? event.run : []));
  const summaries = await sql.read(() => summariesOf([...runs, ...sessions.map(({ run }) => run)]));
  const costs = new Map<string, number>();
  for (const session of sessions) costs.set(session.run, (costs.get(session.run) ?? 0) + session.usd);
  const start = lines[0]?.at ?? stored.since;
  const timeline = lines.map((line) => {
    const run = "run" in line.event ? line.event.run : undefined;
    return {
      seq: line.seq,
      at: new Date(line.at).toISOString(),
      afterMs: line.at - start,
      actor: line.actor,
      event: line.event,
      from: line.from,
      to: line.to,
      row: line.row,
      reason: noteOf(line).text,
      usd: run === undefined ? null : (costs.get(run) ?? 0),
      hash: line.hash,
    };
  });
  const total = sessions.reduce((sum, session) => sum + session.usd, 0);
  const isGuess = sessions.some((session) => session.pricedBy === "guess");
  const text = [
    `${bold(stored.ref)} ${oneLine(stored.title)} ${dim(oneLine(stored.url))}`,
    `${boardName(stored.ticket.state)} · ${dollars(total, isGuess)} · pull request ${stored.ticket.pull === undefined ? "none" : `#${stored.ticket.pull}`} · branch ${stored.branch}`,
    "",
    bold("Timeline"),
    table(
      ["AFTER", "TO", "ACTOR", "COST", "WHY"],
      timeline.map((line) => [
        `+${age(line.afterMs)}`,
        boardName(line.to),
        line.actor,
        line.usd === null ? "-" : dollars(line.usd, isGuess),
        line.reason.replace(/\s+/g, " ").slice(0, 110),
      ]),
      terminal.isTty,
    ),
    ...(summaries.length === 0 ? [] : ["", bold("Runs"), ...summaries.map(summaryLine)]),
    "",
    bold("Agents"),
    table(
      ["ROLE", "RUNTIME", "MODEL", "TOKENS IN/OUT", "COST", "TIME", "OUTCOME"],
      sessions.map((session) => [
        session.role,
        session.runtime,
        session.modelBy === "configured" ? `${session.model} (as configured)` : (session.model ?? "?"),
        `${session.inputTokens}/${session.outputTokens}`,
        dollars(session.usd, session.pricedBy === "guess"),
        session.endedAt === null ? "running" : age(session.endedAt - session.startedAt),
        session.outcome ?? "-",
      ]),
      terminal.isTty,
    ),
    "",
    bold("Effects"),
    table(
      ["EFFECT", "STATE", "WHAT"],
      effects.map((effect) => [
        effect.type,
        effect.state,
        (effect.note ?? "").replace(/\s+/g, " ").slice(0, 100),
      ]),
      terminal.isTty,
    ),
  ].join("\n");
  return {
    schema: "inspect/1",
    data: {
      ticket: { ...stored, ref: stored.ref },
      timeline,
      summaries: summaries.map((one) => ({ ...one, note: one.note ?? null })),
      sessions,
      effects,
      usd: total,
    },
    text,
  };
}
