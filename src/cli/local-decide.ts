/** Consent to a ticket; of a repository of this host also what follows from it, where nobody serves. */
import { existsSync } from "node:fs";
import { z } from "zod";
import { exitCodes } from "../problems.ts";
import { act } from "./act.ts";
import { numberIn, answerOf, openServing } from "./local-run.ts";
import { openRepository } from "./local-repository.ts";
import { carryTicket } from "./local-serve.ts";
import { findPlace } from "../adapters/local/place.ts";
import type { Answer } from "./output.ts";

const Left = z.object({ ticket: z.string(), serving: z.boolean() });

/** Approves the ticket's present head, which must be the one that was named, if one was. */
export async function approve(
  name: string,
  head: string | undefined,
  options: { readonly database: string },
): Promise<Answer> {
  const left = await act("approve", name, options, head);
  const { ticket, serving } = Left.parse(left.data);
  const number = ticket.startsWith("local/") ? numberIn(ticket) : undefined;
  if (serving || number === undefined || !isOfHere(options.database)) return left;
  const here = await openServing({ unreviewed: true });
  const done = answerOf(here, number, await carryTicket(here, number));
  return {
    ...done,
    schema: left.schema,
    data: { ...Object(left.data), serving: true, came: done.data },
    exit: done.exit ?? exitCodes.ok,
  };
}

/** Whether it is the database of the repository that somebody stands in. */
function isOfHere(database: string): boolean {
  if (findPlace(process.cwd())?.top === undefined) return false;
  return openRepository(process.env, process.cwd()).environment.database === database && existsSync(database);
}
