/** What people are told beside the forge: short, with ticket, reason and next step. Pure; each channel escapes it anew. */
import { redact } from "./secrets.ts";
import { clean } from "./untrusted.ts";

const longestTitle = 160;
const longestWhy = 400;

/** Somebody else's words on one line: nothing hidden, no secret, no sign that steers a terminal or a mail, no link that could pass for ours. */
function foreign(text: string, limit: number): string {
  const line = redact(clean(text))
    .replace(/[\s\u0085\u2028\u2029]+/gu, " ")
    .replaceAll("://", "[://]")
    .trim();
  // Not through the middle of a sign that takes two places.
  return line.length > limit ? `${line.slice(0, limit).replace(/[\uD800-\uDBFF]$/u, "")}…` : line;
}
export const titleWords = (title: string): string => foreign(title, longestTitle);
export const whyWords = (why: string): string => foreign(why, longestWhy);

/** What a ticket waits for a person with. */
export type WaitsWith = "approval" | "spec" | "choice" | "budget";

export const waitingSays: Readonly<Record<WaitsWith, (ref: string) => string>> = {
  approval: (ref) => `${ref} waits for your review`,
  spec: (ref) => `${ref} does not say enough to start`,
  choice: (ref) => `${ref} names two runtimes or workflows`,
  budget: (ref) => `${ref} has spent its budget`,
};
export const blockedSays = (ref: string): string => `${ref} is blocked`;
export const mergedSays = (ref: string): string => `${ref} was merged by auto-merge`;

/** What a run of a ticket's own workflow asks, and how it is answered. */
export const asksSays = (ref: string): string => `${ref} asks you something`;
export function asksNext(run: string, leaf: string, is: string): string {
  const name = `${run} ${leaf}`;
  return is === "approve"
    ? `forgehand approve ${name}, or forgehand deny ${name}, on its host`
    : `forgehand answer ${name}, on its host`;
}

/** What a person is to do about a spec with gaps. */
export const fillGaps = "answer in the issue, then put the label agent-ready on anew";

/** A deed out of `explain`, without the signs of Markdown. */
export const nextWords = (deed: string): string => deed.replaceAll("`", "");

/** Behind what happened again since it was last told. */
export const againSays = (says: string, again: number): string =>
  again === 0 ? says : again === 1 ? `${says} again` : `${says} again (${again} times since I last said so)`;

const dollars = (usd: number): string => `$${usd.toFixed(2)}`;

export const capSays = {
  warn: (usd: number) => `${dollars(usd)} is spent today`,
  stop: (usd: number, stopUsd: number) =>
    `Nothing new starts today: ${dollars(usd)} of ${dollars(stopUsd)} is spent`,
} as const;
export const capNext = {
  warn: (stopUsd: number) =>
    `nothing, or raise FORGEHAND_DAY_STOP_USD: at ${dollars(stopUsd)} nothing new starts until midnight UTC`,
  stop: "raise FORGEHAND_DAY_STOP_USD and start forgehand again, or wait until midnight UTC",
} as const;

export const runtimeSays = (runtime: string): string => `The runtime ${runtime} cannot work`;
export const runtimeNext = (until: string): string =>
  `look with forgehand doctor; others take over where there are any, and it is asked again at ${until}`;

/** What a day came to. */
export interface Day {
  readonly merged: readonly string[];
  readonly waiting: readonly string[];
  readonly blocked: readonly string[];
  readonly usd: number;
}
const mostListed = 10;
const listed = (name: string, refs: readonly string[]): readonly string[] =>
  refs.length === 0
    ? []
    : [
        `${name}: ${refs.slice(0, mostListed).join(", ")}${refs.length > mostListed ? ` and ${refs.length - mostListed} more` : ""}`,
      ];

/** One line of numbers, and the names behind them. */
export function digestSays({ merged, waiting, blocked, usd }: Day): {
  readonly says: string;
  readonly why: string;
} {
  return {
    says: `The last day: ${merged.length} merged, ${waiting.length} waiting for you, ${blocked.length} blocked, ${dollars(usd)} spent`,
    why: [...listed("Waiting", waiting), ...listed("Blocked", blocked), ...listed("Merged", merged)].join(
      "; ",
    ),
  };
}

/** Above several things that are told together. */
export const bundleSays = (count: number): string => `${count} things from forgehand`;

export const testSays = {
  says: "This is a test from forgehand",
  why: "somebody ran forgehand notify test",
  next: "nothing: whoever reads this is told from now on",
} as const;
