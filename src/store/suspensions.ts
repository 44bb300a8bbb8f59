import { all, run, type Verb } from "../sql.ts";

/** Auto-merge is suspended for what one merge changed, because it broke the base. */
export interface Suspension {
  readonly merge: string;
  /** Of the ticket it was merged for. */
  readonly ref: string;
  readonly paths: readonly string[];
  readonly at: number;
}
const prefix = (repo: number): string => `automerge-suspended:${repo}:`;

/** Each merge suspends for itself, once. */
export function* suspendAutoMerge(repo: number, { at, ...suspension }: Suspension): Verb<void> {
  yield* run(
    "insert into setting (key, value, actor, at) values (?, ?, 'forgehand', ?) on conflict (key) do nothing",
    prefix(repo) + suspension.merge,
    JSON.stringify(suspension),
    at,
  );
}

/** A person lifts all that are there for a repository; answers which. */
export function* resumeAutoMerge(repo: number): Verb<readonly Suspension[]> {
  const lifted = yield* suspensionsOf(repo);
  yield* run("delete from setting where key like ?", `${prefix(repo)}%`);
  return lifted;
}

export function* suspensionsOf(repo: number): Verb<readonly Suspension[]> {
  const rows = yield* all<{ value: string; at: number }>(
    "select value, at from setting where key like ? order by at, key",
    `${prefix(repo)}%`,
  );
  return rows.map(({ value, at }) => ({ ...(JSON.parse(value) as Omit<Suspension, "at">), at }));
}
