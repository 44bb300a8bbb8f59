/** Where on the page of a run somebody is: which frame, task and iterations; and links to others. */
import type { RunLook } from "../../ports-dashboard-runs.ts";
import { runPath } from "./runs-page.ts";

export interface RunPlaceOnPage {
  readonly id: string;
  readonly look: RunLook;
  /** The session whose log is shown. */
  readonly session: string | undefined;
}

/** The same place with something else. */
export function placeHref(
  { id, look, session }: RunPlaceOnPage,
  other: Partial<RunLook> & { readonly session?: string | undefined },
  anchor = "",
): string {
  const { frame, beside, task, rounds } = { ...look, ...other };
  const all = new URLSearchParams();
  if (frame !== undefined) all.set("frame", String(frame));
  if (beside !== undefined) all.set("with", String(beside));
  if (task !== undefined) all.set("task", task);
  for (const [loop, round] of rounds) all.append("in", `${loop}:${round}`);
  const shown = "session" in other ? other.session : session;
  if (shown !== undefined) all.set("session", shown);
  const query = all.toString();
  return `${runPath(id)}${query === "" ? "" : `?${query}`}${anchor}`;
}

const mostRounds = 20;
const frameIn = (text: string | undefined): number | "bad" | undefined => {
  if (text === undefined || text === "") return undefined;
  return /^\d{1,9}$/u.test(text) ? Number(text) : "bad";
};
/** What a query asks for; undefined where a frame is none. */
export function lookIn(query: {
  readonly frame: string | undefined;
  readonly beside: string | undefined;
  readonly task: string | undefined;
  readonly rounds: readonly string[];
}): RunLook | undefined {
  const [frame, beside] = [frameIn(query.frame), frameIn(query.beside)];
  if (frame === "bad" || beside === "bad") return undefined;
  const rounds = query.rounds.slice(0, mostRounds).flatMap((text) => {
    const [, loop, round] = /^(.{1,200}):(\d{1,6})$/u.exec(text) ?? [];
    return loop === undefined ? [] : [[loop, Number(round)] as const];
  });
  return { frame, beside, task: query.task?.slice(0, 500), rounds: new Map(rounds) };
}
