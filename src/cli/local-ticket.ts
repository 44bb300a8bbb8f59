/** Tickets of a repository of this host, as the person reads and writes them. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { openRecords, type PullRecord } from "../adapters/local/records.ts";
import {
  changeTicketFile,
  filesIn,
  readTicketFile,
  type FoundTicket,
} from "../adapters/local/ticket-folder.ts";
import { readable } from "../adapters/local/tracker.ts";
import { exitCodes, type ExitCode } from "../problems.ts";
import { boardName, short } from "../says.ts";
import { openSqlite } from "../sql.ts";
import { states } from "../state-machine/ticket.ts";
import type { Stored } from "../store/tickets.ts";
import { deskStore } from "./database.ts";
import { makeTicket, numberIn, type RunOptions } from "./local-run.ts";
import { makeLocalFolder, openRepository, type LocalRepository } from "./local-repository.ts";
import { bold, Failure, oneLine, plain, table, terminal, type Answer } from "./output.ts";

const here = (): LocalRepository => openRepository(process.env, process.cwd());

/** What the database knows of the tickets here, by number; nothing before anything was served. */
async function storedHere({ environment, place }: LocalRepository): Promise<ReadonlyMap<number, Stored>> {
  if (!existsSync(environment.database)) return new Map();
  const sql = openSqlite(environment.database, { readonly: true });
  try {
    const found = await deskStore(sql).ticketsIn(states);
    return new Map(
      found.flatMap((one) => (one.repo === place.id && one.version > 0 ? [[one.number, one] as const] : [])),
    );
  } finally {
    sql.close();
  }
}

/** Writes a ticket down; nothing works on it before it is released. */
export function newTicket(
  words: string,
  options: Pick<RunOptions, "body" | "inRepo"> & { readonly label?: readonly string[] | undefined },
): Answer {
  const repository = here();
  if (words.trim() === "")
    throw new Failure(exitCodes.usage, 'a title is expected: forgehand ticket new "fix the flaky date test"');
  makeLocalFolder(repository);
  const number = makeTicket(repository, words, { ...options, labels: options.label ?? [] });
  return {
    schema: "ticket-new/1",
    data: { ticket: number, path: filesIn(repository.folders).get(number) ?? null },
    text: `#${number}`,
    hint: `→ forgehand ticket edit ${number}          say more\n→ forgehand run ${number}                  release it`,
  };
}

/** Every ticket with a file here. */
export async function listTickets(options: { readonly all?: true | undefined }): Promise<Answer> {
  const repository = here();
  const stored = await storedHere(repository);
  const rows = [...filesIn(repository.folders)]
    .toSorted(([one], [other]) => one - other)
    .flatMap(([number, path]) => {
      const found = readable(repository.folders, number);
      const closed = found?.ticket.closed;
      if (closed !== undefined && options.all !== true) return [];
      return [
        {
          number,
          path,
          title: found?.ticket.title ?? "(cannot be read)",
          labels: found?.ticket.labels ?? [],
          closed: closed ?? null,
          state: stored.get(number)?.ticket.state ?? null,
        },
      ];
    });
  return {
    schema: "ticket-ls/1",
    data: rows,
    text:
      rows.length === 0
        ? 'No tickets here. `forgehand run "what is to be done"` makes one.'
        : table(
            ["TICKET", "STATE", "TITLE", "LABELS"],
            rows.map(({ number, state, title, labels, closed }) => [
              `#${number}`,
              state === null ? (closed ?? "not released") : boardName(state),
              title,
              labels.join(" "),
            ]),
            terminal.isTty,
          ),
  };
}

function find(repository: LocalRepository, name: string): FoundTicket {
  const number = numberIn(name);
  const found = number === undefined ? undefined : readTicketFile(repository.folders, number);
  if (found !== undefined) return found;
  throw new Failure(
    exitCodes.notFound,
    `there is no ticket ${oneLine(name)} here; \`forgehand ticket ls\` lists them`,
  );
}

/** The text of a ticket, where it is, what forgehand says of it, and what its reviewer found. */
export async function showTicket(name: string): Promise<Answer> {
  const repository = here();
  const { number, path, ticket } = find(repository, name);
  const records = openRecords(repository.folder);
  const stored = (await storedHere(repository)).get(number);
  const pull = stored?.ticket.pull === undefined ? undefined : records.pull(stored.ticket.pull);
  const comments = records.any(number)?.comments ?? [];
  const state = stored === undefined ? "not released" : boardName(stored.ticket.state);
  return {
    schema: "ticket-show/1",
    data: {
      number,
      path,
      ...ticket,
      state: stored?.ticket.state ?? null,
      branch: stored?.branch ?? null,
      head: stored?.ticket.head ?? null,
      comments,
      reviews: pull?.reviews ?? [],
    },
    text: [
      `${bold(`#${number} ${oneLine(ticket.title)}`)}  ${state}${ticket.labels.length === 0 ? "" : `  [${oneLine(ticket.labels.join(", "))}]`}`,
      path,
      ...(ticket.body.trim() === "" ? [] : ["", plain(ticket.body.trimEnd())]),
      ...comments.flatMap(({ body }) => ["", plain(withoutMarks(body))]),
      ...reviewLines(pull),
    ].join("\n"),
  };
}

const withoutMarks = (text: string): string => text.replaceAll(/<!--[\s\S]*?-->\n?/gu, "").trimEnd();

function reviewLines(pull: PullRecord | undefined): readonly string[] {
  const review = pull?.reviews.at(-1);
  if (review === undefined) return [];
  return [
    "",
    bold(`Review at ${short(review.head)}`),
    plain(withoutMarks(review.body)),
    ...review.findings.map(
      ({ path, line, body, thread }) =>
        `- ${oneLine(path)}:${line}${thread === "resolved" ? " (settled)" : ""} ${plain(withoutMarks(body)).trim()}`,
    ),
  ];
}

/** What a ticket's branch changes against its base, with what the newest review says of it. */
export async function diffTicket(name: string): Promise<Answer> {
  const repository = here();
  const { number } = find(repository, name);
  const stored = (await storedHere(repository)).get(number);
  const pull =
    stored?.ticket.pull === undefined ? undefined : openRecords(repository.folder).pull(stored.ticket.pull);
  if (stored === undefined || pull === undefined)
    throw new Failure(
      exitCodes.notFound,
      `ticket #${number} has changed nothing yet; see \`forgehand explain ${number}\``,
    );
  // What is shown is the head that an approval would count for, wherever the branch is by now.
  const head = stored.ticket.head ?? pull.head;
  const base = pull.merged === undefined ? pull.base : `${pull.merged}^1`;
  const said = await repository.git(
    repository.top,
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    `${base}...${head}`,
    "--",
  );
  if (!said.ok)
    throw new Failure(
      exitCodes.failed,
      `git shows no difference of ${short(head)} and ${base}: ${oneLine(said.err)}`,
    );
  const isOpen = stored.ticket.state === "In Review";
  return {
    schema: "diff/1",
    data: {
      ticket: number,
      branch: pull.branch,
      base: pull.base,
      head,
      diff: said.out,
      review: pull.reviews.at(-1) ?? null,
    },
    text: [plain(said.out), ...reviewLines(pull)].join("\n"),
    hint: isOpen
      ? `→ forgehand approve ${number} ${short(head)}      merge exactly this\n→ forgehand reject ${number} "what to change"`
      : `#${number} is in ${boardName(stored.ticket.state)}; see \`forgehand explain ${number}\``,
  };
}

/** Opens the ticket's file in the person's editor; without a terminal only says where it is. */
export function editTicket(name: string): Answer {
  const { number, path } = find(here(), name);
  const editor = process.env["VISUAL"] ?? process.env["EDITOR"];
  let exit: ExitCode = exitCodes.ok;
  if (terminal.isTty && editor !== undefined && editor.trim() !== "") {
    // An editor is often named with options, as a shell would read them.
    const ended = spawnSync("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
    if (ended.status !== 0) exit = exitCodes.failed;
  }
  return {
    schema: "ticket-edit/1",
    data: { ticket: number, path },
    text: path,
    exit,
    hint: `→ forgehand run ${number}                  release it as it reads now`,
  };
}

/** Closes a ticket as not to be done, or opens it again; whoever serves hears of it from the file. */
export function closeTicket(name: string, closed: "declined" | "open"): Answer {
  const repository = here();
  const { number } = find(repository, name);
  changeTicketFile(repository.folders, number, { add: [], remove: [], closed });
  const word = closed === "open" ? "open again" : "closed";
  return { schema: "ticket-close/1", data: { ticket: number, closed }, text: `#${number} is ${word}` };
}

/** Sets or takes labels, by the names the repository gives them. */
export function labelTicket(name: string, labels: readonly string[]): Answer {
  const repository = here();
  const { number } = find(repository, name);
  const remove = labels.flatMap((label) => (label.startsWith("-") ? [label.slice(1)] : []));
  const add = labels.flatMap((label) => (label.startsWith("-") ? [] : [label.replace(/^\+/u, "")]));
  const wrong = [...add, ...remove].find((label) => label.trim() === "" || label.length > 50);
  if (wrong !== undefined)
    throw new Failure(exitCodes.usage, `"${oneLine(wrong)}" is no label: 1 to 50 letters are expected`);
  changeTicketFile(repository.folders, number, { add, remove });
  const now = readTicketFile(repository.folders, number)?.ticket.labels ?? [];
  return {
    schema: "ticket-label/1",
    data: { ticket: number, labels: now },
    text: `#${number}: ${now.join(" ") || "no labels"}`,
  };
}
