import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { age, boardName, inForce, waitSentence } from "../says.ts";
import { waitsOf } from "../engine/lookup.ts";
import { exitCodes } from "../problems.ts";
import { isLocal } from "../state-machine/ticket-id.ts";
import { dayCapsToday } from "../shell/day-cap.ts";
import { needsPersonOf } from "../shell/view.ts";
import { openWaits } from "../shell/waits.ts";
import { atDesk, rulesFor, ticketNamed, type Desk } from "./database.ts";
import { bold, oneLine, type Answer } from "./output.ts";
import { haltsTold } from "./halts-told.ts";
import { downInWords, handoversIn } from "./runtimes-told.ts";
import { unblocking } from "./unblocking.ts";

/** What a ticket waits for, since when, what comes next by itself, and what a person can do. */
export async function explain(
  name: string,
  options: { readonly database?: string | undefined },
): Promise<Answer> {
  return await atDesk(options, "read", (desk) => tell(desk, name));
}

async function tell({ sql, store, environment }: Desk, name: string): Promise<Answer> {
  const stored = await ticketNamed(store, name);
  const place = await rulesFor(store, stored);
  const { problems, soundAt } = place;
  const repo = await store.repoById(stored.repo);
  const halts = await haltsTold(store);
  const halters = await store.haltersOf(stored.ticket.id);
  const owner = await store.instanceOwner();
  const items = await store.troubledItems(stored.ticket.id);
  const effects = (await store.effectsOf(stored.ticket.id)).filter(
    (effect) => effect.state === "new" && effect.attempts > 0,
  );
  const lines = await store.linesOf(stored.ticket.id);
  const now = systemClock().now();
  const waits = await openWaits(store, now, await dayCapsToday(store, environment, now))(stored, place);
  const isServed = owner !== undefined && !isDead(owner);
  const { run = "" } = stored.ticket;
  const asked = (await sql.read(() => waitsOf(run))).flatMap((wait) =>
    wait.ask === undefined ? [] : [{ text: wait.ask.text, lines: unblocking(run, [wait]) }],
  );
  const remarks = [
    ...(waits === undefined ? [] : needsPersonOf(lines, stored).map((why) => `needs a person: ${why}`)),
    ...asked.map(
      ({ text, lines: answers }) => `its workflow asks: ${text} Answer with ${answers.join(" or ")}`,
    ),
    ...halts.map(({ what, fix }) => `${what}: ${fix}`),
    ...halters
      .filter(({ by }) => by === "operator")
      .map(
        ({ actor, at }) =>
          `halted by ${actor} since ${new Date(at).toISOString()}: forgehand unhalt ${stored.ref}`,
      ),
    ...(isServed || waits === undefined
      ? []
      : [
          `forgehand is not running: start \`forgehand ${isLocal(stored.ticket.id) ? `run ${stored.number}` : "up"}\``,
        ]),
    ...(repo?.removedAt === undefined || waits === undefined
      ? []
      : [
          `the App is not installed in ${repo.owner}/${repo.name} since ${new Date(repo.removedAt).toISOString()}: install it there again`,
        ]),
    ...(stored.ticket.autoMerge && waits !== undefined ? await store.suspensionsOf(stored.repo) : []).map(
      ({ ref, paths, at }) =>
        `auto-merge is suspended since ${new Date(at).toISOString()} for ${paths.length} paths that ${ref} changed: \`forgehand resume-automerge ${repo?.owner}/${repo?.name}\` lifts that`,
    ),
    ...problems,
    ...handoversIn(await store.sessionsOf(stored.ticket.id)).slice(-3),
    ...(waits === undefined ? [] : downInWords(await store.runtimeTroubles(), now)),
    ...(problems.length === 0 ? [] : [`until the configuration is right, ${inForce(soundAt)}`]),
    ...items.map((item) =>
      item.state === "parked"
        ? `an item of the inbox (\`${item.name}\`) could not be read: ${item.note}`
        : `an item of the inbox (\`${item.name}\`) waits to be read, and what came after it (try ${item.attempts}): ${item.note}; next try ${new Date(item.dueAt).toISOString()}`,
    ),
    ...lines.flatMap(({ event, at }) =>
      event.type === "agent.prodded" && event.run === run
        ? [`its agent was ${event.how} at ${new Date(at).toISOString()}: ${event.why}`]
        : [],
    ),
    ...effects.map(
      (effect) =>
        `${effect.type} meets trouble (try ${effect.attempts}): ${effect.note ?? ""}; next try ${new Date(effect.dueAt).toISOString()}`,
    ),
  ];
  const last = lines.at(-1);
  const lastWhy = last !== undefined && "why" in last.event ? `: ${oneLine(last.event.why)}` : "";
  const text = [
    `${bold(stored.ref)} ${oneLine(stored.title)}`,
    `${boardName(stored.ticket.state)} for ${age(now - stored.since)}`,
    oneLine(waitSentence(waits)),
    ...(waits?.youCan ?? []).map((can) => `You can: ${can.say}\n    ${can.do}`),
    ...(last === undefined
      ? []
      : [`Last: ${last.row} (${last.actor}, ${new Date(last.at).toISOString()})${lastWhy}`]),
    ...remarks.map((remark) => `Note: ${oneLine(remark)}`),
  ].join("\n");
  return {
    schema: "explain/1",
    data: {
      ticket: stored.ref,
      id: stored.ticket.id,
      state: stored.ticket.state,
      since: stored.since,
      waits: waits ?? null,
      remarks,
    },
    text,
    exit:
      stored.ticket.state === "Blocked" || stored.ticket.state === "In Review"
        ? exitCodes.waiting
        : exitCodes.ok,
  };
}
