import { sees } from "./context.ts";
import type { Asking } from "./derived.ts";
import { linearError, notFound } from "./errors.ts";
import { isIdentifier, type Kind, type SimIssue, type SimNode, type SimUser, type Tables } from "./world.ts";

/** The one with that id, if the asker may see it. */
export function lookUp<K extends Kind>(asking: Asking, kind: K, id: unknown): Tables[K][number] {
  const rows: readonly Tables[K][number][] = asking.linear.world.tables[kind];
  const found = rows.find((one) => one.id === id && sees(asking.caller, one));
  if (found === undefined) throw notFound(kind);
  return found;
}

export const lookUpOptional = <K extends Kind>(
  asking: Asking,
  kind: K,
  id: unknown,
): Tables[K][number] | undefined => (id === undefined || id === null ? undefined : lookUp(asking, kind, id));

/** An issue by its id, or by its identifier (`ENG-42`) in the asker's workspace. */
export function lookUpIssue(asking: Asking, id: unknown): SimIssue {
  const found = asking.linear.world.tables.Issue.find(
    (one) => (one.id === id || isIdentifier(one, String(id))) && sees(asking.caller, one),
  );
  if (found === undefined) throw notFound("Issue");
  return found;
}

export const lookUpUser = (asking: Asking, id: unknown): SimUser =>
  id === "me" ? asking.caller.user : lookUp(asking, "User", id);

/** All of a kind; a connection leaves out what the asker may not see. */
export const every =
  (kind: Kind) =>
  (_: unknown, { linear }: Asking): readonly SimNode[] =>
    linear.world.tables[kind];

/** An id that a client chose: a UUID of version 4 that nothing of its kind has yet. */
export function freshId(asking: Asking, kind: Kind, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id !== "string" || !/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i.test(id))
    throw linearError("invalid", "Argument Validation Error - id must be a UUID");
  const rows: readonly SimNode[] = asking.linear.world.tables[kind];
  if (rows.some((one) => one.id === id))
    throw linearError(
      "invalid",
      `conflict on insert of ${kind}`,
      `Entity ${kind} with id ${id} already exists`,
    );
  return id;
}
