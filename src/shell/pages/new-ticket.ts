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

/** Writes files of tickets. */
export interface TicketWriter {
  /** Number of the repository they are of. */
  readonly repo: number;
  /** A number for a ticket that is about to be written, for good. */
  claim(): number;
  /** Once under each number, however often it is repeated. Undefined where the number has come to be somebody else's. */
  write(
    number: number,
    ticket: { readonly title: string; readonly body: string; readonly labels: readonly string[] },
  ): TicketId | undefined;
}

/** What a form's key stands for until its ticket is written. */
interface Claimed {
  readonly is: "claimed";
  readonly number: number;
}

const maxTitle = 250;
const maxBody = 60_000;
const maxLabels = 20;
const maxLabel = 50;

export function openNewTickets(
  store: Pick<Store, "recall" | "remember" | "noteDeed">,
  { repo, claim, write }: TicketWriter,
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
    const was = known === undefined ? undefined : (JSON.parse(known) as NewTicketAnswer | Claimed);
    if (was !== undefined && was.is !== "claimed") return was;
    const all = [...new Set([...(starts === "now" ? ["agent-ready"] : []), ...labels])];
    const words = { title: title.trim(), body, labels: all };
    // Remembered before its file is there: who sends the form again after a crash in between gets the same ticket.
    const claimed = async (): Promise<number> => {
      const next: Claimed = { is: "claimed", number: claim() };
      await store.remember(mark, JSON.stringify(next));
      return next.number;
    };
    let number = was?.number ?? (await claimed());
    let id = write(number, words);
    while (id === undefined) {
      number = await claimed();
      id = write(number, words);
    }
    const answer: NewTicketAnswer = { is: "written", id, number };
    // The file names the person of this host; a program may have written it.
    const said = { surface: surfaceBy(actor), what: "ticket written", about: id, note: all.join(", ") };
    await store.noteDeed({ at: now(), actor, ...said });
    await store.remember(mark, JSON.stringify(answer));
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
