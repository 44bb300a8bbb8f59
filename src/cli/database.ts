import { existsSync, readFileSync } from "node:fs";
import { readConfig, policyOf, type RepoConfig } from "../config.ts";
import { readEnvironment, type Environment } from "../config-environment.ts";
import { Problem, exitCodes } from "../problems.ts";
import { openSqlite, run, type Sql } from "../sql.ts";
import type { Policy } from "../state-machine/ticket.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Stored } from "../store/tickets.ts";
import { Failure } from "./output.ts";

export interface Desk {
  readonly environment: Environment;
  readonly sql: Sql;
  readonly store: Store;
}

/** Opens the database that the environment names, which must exist; a command never makes an empty one. */
export function openDesk(path?: string): Desk {
  const environment = readEnvironment(process.env, (file) => readFileSync(file, "utf8"));
  const database = path ?? environment.database;
  if (!existsSync(database)) {
    throw new Failure(
      exitCodes.notFound,
      `there is no database at ${database}: start \`forgehand up\` once, or name it with --database PATH or FORGEHAND_DATABASE`,
    );
  }
  const sql = openSqlite(database);
  // A command only leaves rows in the inbox; runs are started and stopped by the process that serves.
  const store = openStore(sql, { start: () => run("select 1"), cancel: () => run("select 1") });
  return { environment: { ...environment, database }, sql, store };
}

/** The one ticket a person means; says which ones it could be when there are several. */
export async function ticketNamed(store: Store, text: string): Promise<Stored> {
  const found = await store.findTickets(text);
  const [first, ...more] = found;
  if (first === undefined) throw new Problem("ticket-unknown", { ticket: text });
  if (more.length > 0) {
    throw new Failure(
      exitCodes.usage,
      `"${text}" may be ${found.map((stored) => stored.ref).join(" or ")}: name one in full`,
    );
  }
  return first;
}

export async function rulesFor(
  store: Store,
  stored: Stored,
): Promise<{ readonly config: RepoConfig; readonly policy: Policy; readonly problems: readonly string[] }> {
  const repo = await store.repoById(stored.repo);
  const { config, problems } = readConfig(repo?.config);
  return {
    config,
    policy: policyOf(config),
    problems: problems.map(({ line, column, message }) => `${line}:${column}: ${message}`),
  };
}
