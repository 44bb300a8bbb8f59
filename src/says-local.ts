/** What a person can do about a ticket of this host, as lines to type: there are no labels to click and no comments. */
import type { EventType } from "./state-machine/event.ts";

const lines: Partial<Record<EventType, (number: number, branch: string) => string>> = {
  "operator.stopped": (number) => `\`forgehand stop ${number}\``,
  "operator.retried": (number) => `\`forgehand retry ${number}\`, then \`forgehand run ${number}\``,
  "ready.granted": (number) => `\`forgehand ticket edit ${number}\`, then \`forgehand run ${number}\``,
  "human.approved": (number) => `\`forgehand diff ${number}\`, then \`forgehand approve ${number}\``,
  "human.objected": (number) => `\`forgehand reject ${number} "what to change"\``,
  "automerge.set": (number) => `\`forgehand ticket label ${number} auto-merge\``,
  "ticket.cancelled": (number) => `\`forgehand ticket close ${number}\``,
  "halt.lifted": (number) => `\`forgehand ticket label ${number} -- -forgehand:halt\``,
  "hold.set": (number) => `\`forgehand ticket label ${number} -- -forgehand:do-not-dispatch\``,
  "runtime.chosen": (number) =>
    `\`forgehand ticket edit ${number}\`: leave one \`runtime/\` and one \`workflow/\` label`,
  "pr.merged": (_number, branch) => `\`git merge ${branch}\``,
};

interface Can {
  readonly say: string;
  readonly do: string;
  readonly leadsTo: EventType;
}

/** The same, done here. What has no line of its own, such as raising a budget, keeps its words. */
export const doneHere = (can: Can, number: number, branch: string): Can => ({
  ...can,
  do:
    lines[can.leadsTo]?.(number, branch) ??
    can.do.replace(/^`\/forgehand budget (\S+)`$/u, `\`forgehand budget ${number} $1\``),
});
