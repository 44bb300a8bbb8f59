/** One name, whatever it names: a ticket, a run, or what a run waits for. */
import { existsSync } from "node:fs";
import { exitCodes, Problem } from "../problems.ts";
import { openSqlite, type Sql } from "../sql.ts";
import { findTickets } from "../store/ticket-lists.ts";
import { holds } from "./database.ts";
import { deskEnvironment } from "./local-place.ts";
import { Failure } from "./output.ts";
import { databaseProblem } from "../problems-database.ts";
import { databaseOf } from "./workflow-database.ts";

export type Named =
  | { readonly is: "ticket"; readonly database: string; readonly ticket: string }
  | {
      readonly is: "run";
      readonly database: string;
      readonly run: string;
      /** What waits in it, where that was named: `RUN:LEAF`. */
      readonly leaf: string | undefined;
    };
export interface NameOptions {
  readonly database?: string | undefined;
}

/** The databases a name may be found in: the one that was given, else this folder's runs and this host's tickets. */
export function databases({ database }: NameOptions): readonly string[] {
  if (database !== undefined) return [database];
  const environment = deskEnvironment();
  return [...new Set([databaseOf({}), environment.database])].filter((path) => existsSync(path));
}

/** The one thing a person means. Nothing found ends with 5, several with 4 and all of their names. */
export async function named(text: string, options: NameOptions): Promise<Named> {
  const places = databases(options);
  const found = (await Promise.all(places.map((path) => namedIn(path, text)))).flat();
  const exact = found.filter((one) => nameOf(one) === text);
  // A ticket is always named in full; the beginning of a run's name may be the whole of its ticket's.
  const tickets = found.filter(({ is }) => is === "ticket");
  const candidates = [exact, tickets].find((some) => some.length > 0) ?? found;
  const [only, ...more] = text === "latest" ? found.slice(0, 1) : candidates;
  if (only === undefined && places.length > 0 && /^#?\d+$|#\d+$|^[\w-]+\/[A-Z]\w{0,9}-\d+$/.test(text))
    throw new Problem("ticket-unknown", { ticket: text });
  if (only === undefined) {
    throw new Failure(
      exitCodes.notFound,
      places.length === 0
        ? "nothing has run here yet: start `forgehand up`, or `forgehand workflow run FILE`, or name a database with --database PATH"
        : `nothing is called "${text}" in ${places.join(" or ")}; see \`forgehand ps --all\``,
    );
  }
  if (more.length === 0) return only;
  throw new Failure(
    exitCodes.usage,
    `"${text}" may be ${candidates.map((one) => `${one.is} ${nameOf(one)}`).join(" or ")}: give more of it`,
  );
}

const nameOf = (one: Named): string =>
  one.is === "ticket" ? one.ticket : one.leaf === undefined ? one.run : `${one.run}:${one.leaf}`;

async function namedIn(database: string, text: string): Promise<readonly Named[]> {
  if (!existsSync(database)) {
    throw new Failure(
      exitCodes.notFound,
      `there is no database at ${database}: start \`forgehand up\` or \`forgehand workflow run FILE\` once, or name another with --database PATH`,
    );
  }
  try {
    const sql = openSqlite(database, { readonly: true });
    try {
      const tickets = (await holds(sql, "ticket")) ? await ticketsIn(sql, database, text) : [];
      const runs = (await holds(sql, "run")) ? await runsIn(sql, database, text) : [];
      return [...tickets, ...runs];
    } finally {
      sql.close();
    }
  } catch (error) {
    throw databaseProblem(error, database) ?? error;
  }
}

async function ticketsIn(sql: Sql, database: string, text: string): Promise<readonly Named[]> {
  return (await sql.read(() => findTickets(text))).map(({ ref }) => ({
    is: "ticket",
    database,
    ticket: ref,
  }));
}

async function runsIn(sql: Sql, database: string, text: string): Promise<readonly Named[]> {
  const { runsLike, waitsOf } = await import("../engine/index.ts");
  const [said = "", leaf] = text.split(":", 2);
  const prefix = said === "latest" ? "" : said;
  const whole = await sql.read(() => runsLike(text === "latest" ? "" : text));
  const runs = whole.map(({ id }): Named => ({ is: "run", database, run: id, leaf: undefined }));
  // A ticket's number is not the beginning of a run's name.
  if (/^#?\d+$/.test(text)) return runs.filter((one) => nameOf(one) === text);
  if (leaf === undefined || runs.length > 0) return text === "latest" ? runs.slice(0, 1) : runs;
  const found = await sql.read(() => runsLike(prefix));
  const isOne = said === "latest" || found[0]?.id === prefix;
  const owners = isOne ? found.slice(0, 1) : found;
  const waits = await Promise.all(
    owners.map(async ({ id }) =>
      (await sql.read(() => waitsOf(id)))
        .filter((one, _index, all) =>
          all.some((other) => other.leaf === leaf) ? one.leaf === leaf : one.leaf.startsWith(leaf),
        )
        .map((one): Named => ({ is: "run", database, run: id, leaf: one.leaf })),
    ),
  );
  return waits.flat();
}
