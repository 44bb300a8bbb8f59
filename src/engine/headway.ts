/** Whether an agent gets anywhere: what its tool calls and its turns show, and what is done about one that does not. Pure. */

export interface HeadwayLimits {
  /** The same tool call this often in a row is no work. */
  readonly repeats: number;
}
export interface ToolCall {
  readonly name: string;
  readonly detail: string;
}
export const signKinds = ["repeats", "cycles", "idle", "stalled"] as const;
/** Why an agent seems to get nowhere. */
export interface Sign {
  readonly is: (typeof signKinds)[number];
  /** In plain words, as said to the agent and to people; the agent's own words in it are its own. */
  readonly why: string;
}

/** Calls among which an agent may go round. */
const fewCalls = 3;
/** Times the limit of repeats that it may do so. */
const cycleFactor = 3;
/** Kept of a tool call in a reason. */
const longestCall = 120;

/** The last tool calls of an agent, as many as a limit asks about. */
export interface CallWatch {
  /** What this call, after those before it, is a sign of. */
  see(call: ToolCall): Sign | undefined;
  /** Files changed meanwhile, or another turn begins: what came before counts no more. */
  forget(): void;
}

/** Watches tool calls as they come. */
export function watchCalls(limits: HeadwayLimits): CallWatch {
  const longest = limits.repeats * cycleFactor;
  let calls: readonly ToolCall[] = [];
  return {
    see: (call) => {
      calls = [...calls.slice(1 - longest), call];
      return signIn(calls, limits);
    },
    forget: () => {
      calls = [];
    },
  };
}

/** What these calls, oldest first, end with: one call again and again, or a few in turn. */
export function signIn(calls: readonly ToolCall[], { repeats }: HeadwayLimits): Sign | undefined {
  const last = calls.at(-1);
  if (last === undefined) return undefined;
  const row = calls.slice(-repeats);
  if (row.length === repeats && row.every((call) => keyOf(call) === keyOf(last)))
    return { is: "repeats", why: `it called ${inWords(last)} ${repeats} times in a row` };
  const round = calls.slice(-repeats * cycleFactor);
  const different = new Map(round.map((call) => [keyOf(call), call]));
  if (round.length < repeats * cycleFactor || different.size > fewCalls) return undefined;
  const named = [...different.values()].map(inWords).join(", ");
  return { is: "cycles", why: `its last ${round.length} tool calls were ${named}, over and over` };
}

const keyOf = ({ name, detail }: ToolCall): string => JSON.stringify([name, detail]);

function inWords({ name, detail }: ToolCall): string {
  const text = `${name} ${detail}`.replaceAll(/\s+/gu, " ").trim();
  return `\`${(text.length > longestCall ? `${text.slice(0, longestCall)}…` : text).replaceAll("`", "'")}\``;
}

/** Words for a turn that was over before the work was, and left every file as it was. */
export const idleSign = (why: string): Sign => ({
  is: "idle",
  why: `no file changed in a whole turn, which ended because ${why}`,
});
export const stalledSign = (why: string): Sign => ({ is: "stalled", why });

/**
 * Whose trouble it is that nothing helped. Who said not a byte, every time, is a runtime that does not work, and another one
 * may do better. Who went round, or left every file as it was, spoke with its model all along: there the work is too hard.
 */
export const troubleOf = (signs: readonly Sign[]): "runtime" | "work" =>
  signs.length > 0 && signs.every(({ is }) => is === "stalled") ? "runtime" : "work";

/** What is done: the agent is told, then begins once more with the whole task in the same session, then it is over. */
export type Measure = "nudge" | "resume" | "give up";
const ladder: readonly Measure[] = ["nudge", "resume"];

/** What the next sign leads to, after so many before it. */
export const measureAfter = (signs: number): Measure => ladder[signs] ?? "give up";

/** What an agent is told when it got nowhere. */
export const nudge = ({ is, why }: Sign): string =>
  [
    `You were stopped, because you seemed to get nowhere: ${why}${is === "stalled" ? "" : ", and no file changed by it"}.`,
    "Do not go on in the same way. Say in one sentence what holds you up, then take another way.",
    "If you wait for something, wait in one call that ends by itself. If what is left cannot be done here, finish, and say what and why.",
  ].join(" ");
