/** What people are told in their conversations on lines of the diff. Pure; an agent's words are quoted, never interpreted. */
import { block, short } from "./says.ts";
import type { Sha } from "./state-machine/ticket.ts";

interface Told {
  readonly is: "fixed" | "answered" | "declined" | "unaddressed";
  readonly text: string;
  /** How often the builder was asked for it. */
  readonly asked: number;
}

/** Our one reply, with what became of the conversation in its first words. */
export function threadReply({ is, text, asked }: Told, commit: Sha): string {
  const words = text.trim() === "" ? "" : `\n\n${block(text)}`;
  switch (is) {
    case "fixed":
      return `**Fixed** in \`${short(commit)}\`.${words}`;
    case "answered":
      return `**Answered**; nothing was changed for it.${words}`;
    case "declined":
      return `**Not done.** The builder's reason:${words}\n\nSay here what should be done instead, and it is in the next order; or resolve this.`;
    case "unaddressed":
      return `**Not addressed.** The builder ${asked === 0 ? "did not come to this" : "was asked for this and said nothing about it"}; look at \`${short(commit)}\`. Say here what you want, and it is in the next order.`;
  }
}

/** The answer to a question, by an agent that read the code and changed nothing. */
export const questionAnswer = (text: string): string => block(text, 8_000);

/** Why a question has no answer. */
export const noAnswer = (why: string): string => `I could not answer this: ${block(why, 600).slice(2)}`;

/** Said where a question turned out to ask for a change. */
export const takenAsOrder = "This asks for a change, so it is in the next build's order.";
