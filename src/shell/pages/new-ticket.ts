/** Tickets that are written on a page, where they are files of this host. */
import {
  mayIn,
  type Commands,
  type NewTicket,
  type NewTicketAnswer,
  type Viewer,
} from "../../ports-dashboard.ts";
import type { TicketId } from "../../state-machine/ticket.ts";
import type { Store } from "../../store/store.ts";
import { surfaceBy } from "./deed.ts";

/** Writes a ticket's file. */
export interface TicketWriter {
  /** Number of the repository they are of. */
  readonly repo: number;
  write(ticket: { readonly title: string; readonly body: string; readonly labels: readonly string[] }): {
    readonly id: TicketId;
    readonly number: number;
  };
}

const maxTitle = 250;
const maxBody = 60_000;
const maxLabels = 20;
const maxLabel = 50;

export function openNewTickets(
  store: Pick<Store, "recall" | "remember" | "noteDeed">,
  { repo, write }: TicketWriter,
  now: () => number,
): NonNullable<Commands["newTicket"]> {
  const underWay = new Map<string, Promise<NewTicketAnswer>>();
  return async (viewer, ticket) => {
    if (!mayIn(viewer, repo, "act")) return { is: "forbidden" };
    const why = whyUnclear(ticket);
    if (why !== undefined) return { is: "unclear", why };
    const at = underWay.get(ticket.key) ?? writtenOnce(viewer, ticket);
    underWay.set(ticket.key, at);
    try {
      return await at;
    } finally {
      underWay.delete(ticket.key);
    }
  };

  async function writtenOnce(
    { who: actor }: Viewer,
    { key, title, body, labels, starts }: NewTicket,
  ): Promise<NewTicketAnswer> {
    const mark = `new-ticket:${key}`;
    const known = await store.recall(mark);
    if (known !== undefined) return JSON.parse(known) as NewTicketAnswer;
    const all = [...new Set([...(starts === "now" ? ["agent-ready"] : []), ...labels])];
    const { id, number } = write({ title: title.trim(), body, labels: all });
    const answer: NewTicketAnswer = { is: "written", id, number };
    await store.remember(mark, JSON.stringify(answer));
    // The file names the person of this host; a program may have written it.
    const said = { surface: surfaceBy(actor), what: "ticket written", about: id, note: all.join(", ") };
    await store.noteDeed({ at: now(), actor, ...said });
    return answer;
  }
}

function whyUnclear({ key, title, body, labels }: NewTicket): string | undefined {
  if (!/^[\w-]{8,100}$/u.test(key)) return "the form is not one of ours; open it anew";
  if (title.trim() === "") return "a ticket needs a title";
  if (/[\r\n]/u.test(title.trim())) return "a title is one line";
  if (title.trim().length > maxTitle) return `a title has at most ${maxTitle} characters`;
  if (body.length > maxBody) return `a text has at most ${maxBody} characters`;
  if (labels.length > maxLabels) return `a ticket has at most ${maxLabels} labels`;
  const wrong = labels.find((label) => label.length > maxLabel || /[\p{Cc},]/u.test(label));
  return wrong === undefined ? undefined : `a label has at most ${maxLabel} letters, and no comma`;
}
