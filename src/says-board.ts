/** What is said about cards on a board, and about which repository they belong to. */
import { quoted } from "./says.ts";

/** One sentence why a card is not where somebody put it. */
export const contestedCardNotice = (why: string): string => quoted(why, 600);

/** How people release a ticket again, where it lives. */
export const releaseAgain = {
  issue: "put the label `agent-ready` back",
  card: "move the card to Ready for Dev",
} as const;

/** How to say which repository a ticket is about, when that is not clear. */
export function whichRepositoryNotice(
  found: { readonly is: "several" | "unknown"; readonly named: readonly string[] } | { readonly is: "none" },
  choices: readonly string[],
): string {
  const why =
    found.is === "several"
      ? `More than one is named: ${listed(found.named)}.`
      : found.is === "unknown"
        ? `I do not work in ${listed(found.named)}.`
        : "Nothing says it.";
  const how =
    choices.length === 0
      ? "No repository is offered to this workspace: install the GitHub App in one, or name it in `linear.yml`."
      : "Set exactly one of these labels, and I begin; or write `[repo=OWNER/NAME]` into the description and release it again:";
  return [
    `**Which repository is this about?** ${why}`,
    "",
    how,
    "",
    ...choices.slice(0, 50).map((choice) => `- \`repo:${choice}\``),
    ...(choices.length > 50 ? [`- and ${choices.length - 50} more`] : []),
  ].join("\n");
}

/** That work goes to the default branch, and to no other. */
export const otherBranchNotice = (repository: string, named: string, base: string): string =>
  `**Which branch is this about?** ${listed([`${repository}#${named}`])} is named, and I build on the default branch alone: write ${listed([`[repo=${repository}]`])}, or ${listed([`#${base}`])} behind it, then release it again.`;

const listed = (names: readonly string[]): string =>
  names
    .slice(0, 10)
    .map((name) => `\`${name.replaceAll("`", "").slice(0, 200)}\``)
    .join(", ");
