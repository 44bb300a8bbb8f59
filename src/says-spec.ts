/** What the spec gate found missing, as people read it. */
import { block, quoted } from "./says.ts";
import type { Gap } from "./state-machine/event.ts";

/** Each gap with the answers it leaves to pick from, then what the gate says to the author. */
export const gapsText = (gaps: readonly Gap[], comment: string): string =>
  [
    `I need ${gaps.length} thing${gaps.length === 1 ? "" : "s"} before I start (nothing has been changed yet):`,
    "",
    ...gaps.map((gap, index) => `${index + 1}. ${gapText(gap)}`),
    "",
    block(comment, 2_000),
  ].join("\n");

const gapText = ({ about, missing, choices = [] }: Gap): string =>
  `**${about}**: ${quoted(missing, 600)}${choices.length === 0 ? "" : ` Which one: ${choices.map((one) => quoted(one)).join(" · ")}?`}`;

/** The comment that sends a ticket back; `again` says how it is released once more. */
export const flaggedNotice = (gaps: readonly Gap[], comment: string, again: string): string =>
  [gapsText(gaps, comment), "", `Edit the issue, then ${again}.`].join("\n");
