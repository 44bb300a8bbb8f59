/** `forgehand run`: a local ticket from words to a merge, in this terminal. */
import { systemClock } from "../adapters/clock.ts";
import { writeNewTicket } from "../adapters/local/new-ticket.ts";
import { changeTicketFile, readTicketFile } from "../adapters/local/ticket-folder.ts";
import { exitCodes } from "../problems.ts";
import { boardName, short } from "../says.ts";
import { openSqlite } from "../sql.ts";
import { deskStore } from "./database.ts";
import { agentsHere, oneFamily, runtimeLabel } from "./local-agents.ts";
import { nextLines, type Stop } from "./local-follow.ts";
import { groundOf, makeLocalFolder, openRepository, type LocalRepository } from "./local-repository.ts";
import { carryTicket, say, type Carried, type Serving } from "./local-serve.ts";
import { Failure, oneLine, type Answer } from "./output.ts";

export interface RunOptions {
  readonly autoMerge?: true | undefined;
  readonly runtime?: string | undefined;
  readonly base?: string | undefined;
  readonly body?: string | undefined;
  readonly inRepo?: true | undefined;
  readonly unreviewed?: true | undefined;
  readonly json?: true | undefined;
}

/** What is to be done, ready to be served. Says what the person should know, before anything is spent. */
export async function openServing(
  options: Pick<RunOptions, "base" | "unreviewed">,
  repository: LocalRepository = openRepository(process.env, process.cwd()),
): Promise<Serving> {
  makeLocalFolder(repository);
  const ground = await groundOf(repository, options.base);
  const agents = await agentsHere(repository.environment, process.env);
  const lonely = oneFamily(agents);
  if (lonely !== undefined && options.unreviewed !== true) throw lonely;
  for (const note of ground.notes) say(`note: ${oneLine(note)}`);
  if (lonely !== undefined)
    say(
      `note: ${oneLine(lonely.told.what)} It is built and stops before its merge: read it, and \`git merge\` its branch yourself.`,
    );
  return { repository, ground, agents };
}

/** Makes a ticket of these words, or takes the one of this number, releases it, and serves until it stops. */
export async function runTicket(what: string, options: RunOptions): Promise<Answer> {
  const number = numberIn(what);
  const repository = openRepository(process.env, process.cwd());
  if (number === undefined && what.trim() === "")
    throw new Failure(exitCodes.usage, 'say what is to be done: forgehand run "fix the flaky date test"');
  const serving = await openServing(options, repository);
  const labels = [
    ...(options.autoMerge === true ? ["auto-merge"] : []),
    ...(options.runtime === undefined ? [] : [runtimeLabel(options.runtime, serving.agents)]),
  ];
  const ticket =
    number === undefined
      ? makeTicket(repository, what, { ...options, labels: ["agent-ready", ...labels] })
      : await release(repository, number, labels);
  return answerOf(serving, ticket, await carryTicket(serving, ticket));
}

/** `3`, `#3` or `local/shop#3`. */
export const numberIn = (what: string): number | undefined => {
  const found = /^(?:local\/[\w.-]+)?#?(\d{1,9})$/u.exec(what.trim())?.[1];
  return found === undefined ? undefined : Number(found);
};

/** Writes a ticket down, and says where. */
export function makeTicket(
  { folder, folders, operator }: LocalRepository,
  words: string,
  { body, inRepo, labels }: Pick<RunOptions, "body" | "inRepo"> & { readonly labels: readonly string[] },
): number {
  const { number, path } = writeNewTicket(
    { folder, folders, author: operator, now: systemClock().now() },
    { words, body, labels, where: inRepo === true ? "repository" : "own" },
  );
  say(`ticket #${number}: ${path}`);
  return number;
}

/** Puts the label on anew where the ticket waits for it. One that is under way or blocked is only served. */
async function release(
  repository: LocalRepository,
  number: number,
  labels: readonly string[],
): Promise<number> {
  const found = readTicketFile(repository.folders, number);
  if (found === undefined)
    throw new Failure(
      exitCodes.notFound,
      `there is no ticket #${number} here; \`forgehand ticket ls\` lists them`,
    );
  const state = await stateOf(repository, number);
  const isWaiting = state === undefined || state === "Backlog" || state === "Cancelled" || state === "Done";
  if (found.ticket.closed !== undefined && isWaiting)
    throw new Failure(
      exitCodes.usage,
      `ticket #${number} is closed as ${found.ticket.closed}; make a new one, or \`forgehand ticket reopen ${number}\``,
    );
  const add = [...(isWaiting ? ["agent-ready"] : []), ...labels];
  if (add.length > 0) changeTicketFile(repository.folders, number, { add, remove: [] });
  return number;
}

/** Where the ticket is by the database; undefined where that does not know it yet. */
async function stateOf({ environment, place }: LocalRepository, number: number): Promise<string | undefined> {
  try {
    const sql = openSqlite(environment.database, { readonly: true });
    try {
      const stored = await deskStore(sql).load(`local:${place.id}#${number}`);
      return stored === undefined || stored.version === 0 ? undefined : stored.ticket.state;
    } finally {
      sql.close();
    }
  } catch {
    return undefined;
  }
}

/** What came of it, and what to type next. */
export function answerOf(serving: Serving, number: number, carried: Carried): Answer {
  if (carried === "interrupted")
    return {
      schema: "run/1",
      data: { ticket: number, state: null, interrupted: true },
      text: "",
      exit: exitCodes.cancelled,
      hint: `→ forgehand run ${number}                  go on`,
    };
  const { stored, why } = carried;
  const { ticket } = stored;
  return {
    schema: "run/1",
    data: {
      ticket: number,
      ref: stored.ref,
      id: ticket.id,
      state: ticket.state,
      why: why ?? null,
      pull: ticket.pull ?? null,
      branch: stored.branch,
      base: serving.ground.base,
      head: ticket.head ?? null,
      interrupted: false,
      next: nextLines(carried).map((line) => line.replace(/ {2,}.*$/u, "")),
    },
    text: told(carried, serving.ground.base),
    exit: carried.exit,
    hint: nextLines(carried)
      .map((line) => `→ ${line}`)
      .join("\n"),
  };
}

function told({ stored, why }: Stop, base: string): string {
  const { ticket, number, title, branch } = stored;
  const head = ticket.head === undefined ? "" : ` at ${short(ticket.head)}`;
  const first = `#${number} ${oneLine(title)}: ${boardName(ticket.state)}`;
  switch (ticket.state) {
    case "Done":
      return `${first}, merged into ${base}`;
    case "In Review":
      return `${first}${head} on ${branch}; it waits for ${oneLine(why ?? "you")}`;
    default:
      return why === undefined ? first : `${first}: ${oneLine(why)}`;
  }
}
