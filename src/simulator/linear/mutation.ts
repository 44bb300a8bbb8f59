import type { Actor } from "./context.ts";
import type { Asking } from "./derived.ts";
import { notFound, notImplemented } from "./errors.ts";
import { lookUpIssue } from "./lookup.ts";
import type { SimIssue } from "./world.ts";

export type Args = Readonly<Record<string, unknown>>;
export type Mutations = Readonly<Record<string, (args: Args, asking: Asking) => unknown>>;

/** The answer to a mutation that went well. */
export const done = ({ linear }: Asking, rest: Args = {}): Args => ({
  success: true,
  lastSyncId: linear.world.syncId,
  ...rest,
});

export const actorOf = ({ caller }: Asking): Actor => ({
  is: "user",
  user: caller.user,
  app: caller.token.app,
});

/** An input, none of whose keys is silently overlooked. */
export function inputOf(args: Args, known: readonly string[], name: string): Args {
  const input = (args["input"] ?? {}) as Args;
  const unknown = Object.keys(input).find((key) => !known.includes(key));
  if (unknown !== undefined) throw notImplemented(`${name}.${unknown}`);
  return input;
}

/** A text that was given and is not null. */
export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** An issue that can still be changed: archived and deleted ones are not found. */
export function liveIssue(asking: Asking, id: unknown): SimIssue {
  const issue = lookUpIssue(asking, id);
  if (issue.archivedAt !== undefined) throw notFound("Issue");
  return issue;
}
