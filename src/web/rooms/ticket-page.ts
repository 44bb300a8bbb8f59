/** One ticket: what it waits for, what may be done, what happened, who worked, what it found and cost. */
import { html } from "hono/html";
import type { TicketPage } from "../../ports-dashboard.ts";
import { short, waitSentence } from "../../says.ts";
import { money, oneLine, outside, stateWord, timeAgo, type Html } from "../words.ts";
import { orderForms, type Draft } from "./order-forms.ts";
import { logSection, type LogSectionOptions } from "./session-log-page.ts";
import { reviews } from "./ticket-reviews.ts";
import { timeline } from "./ticket-timeline.ts";
import { agents, effects, runs } from "./ticket-work.ts";

/** What became of somebody's order, told above the page it left. */
export interface Told {
  readonly is: "done" | "refused";
  readonly text: string;
  readonly draft?: Draft | undefined;
}

export const ticketPath = (id: string): string => `/tickets/${encodeURIComponent(id)}`;

export interface TicketPageParts {
  readonly csrf: string;
  readonly told: Told | undefined;
  /** Of the agent at work. */
  readonly log: LogSectionOptions | undefined;
}

export function ticketPage(ticket: TicketPage, { csrf, told, log }: TicketPageParts): Html {
  const { view } = ticket;
  return html`${told === undefined ? html`` : html`<p class="${told.is === "done" ? "told" : "alarm"}" role="status">${told.text}</p>`}
    ${headOf(ticket)} ${waitOf(ticket, csrf, told)}
    ${
      log === undefined
        ? html``
        : html`<section>
            <h2>At work</h2>
            ${logSection(log)}
          </section>`
    }
    <section>
      <h2>Reviews</h2>
      ${reviews(ticket)}
    </section>
    <section>
      <h2>Runs</h2>
      ${runs(ticket)}
    </section>
    <section>
      <h2>Agents</h2>
      ${agents(ticket)}
    </section>
    <section>
      <h2>Timeline</h2>
      ${timeline(ticket)}
    </section>
    ${certificateOf(view)}
    <section>
      <h2>Effects</h2>
      ${effects(ticket)}
    </section>`;
}

function headOf(ticket: TicketPage): Html {
  const { view } = ticket;
  const { state, head } = view.ticket;
  return html`<div class="head">
    <h1>${view.ref} <span class="title">${oneLine(view.title)}</span></h1>
    <p class="sums">
      ${stateWord(state)} for ${timeAgo(view.since, view.now)} · round
      ${view.ticket.counters.cycles}/${view.maxCycles} · ${money(view.usd, view.usdIsGuess)} of
      $${view.usdCap} · ${head === undefined ? "no head yet" : html`head <code>${short(head)}</code>`} ·
      branch
      <code>${oneLine(ticket.branch)}</code>
      ${ticket.url === "" ? html`` : html`· ${outside(ticket.url, "issue")}`}
      ${head === undefined && view.rounds.length === 0 ? html`` : html`· <a href="${ticketPath(ticket.id)}/diff">diff</a>`}
    </p>
  </div>`;
}

function waitOf(ticket: TicketPage, csrf: string, told: Told | undefined): Html {
  const { view } = ticket;
  const { head, wantsUsd } = view.ticket;
  const page = { csrf, from: "ticket", now: view.now, draft: told?.draft } as const;
  return html`<section class="wait" aria-live="polite">
    <p>${plainSentence(waitSentence(view.wait))}</p>
    ${
      view.needsPerson.length === 0
        ? html``
        : html`<ul>
            ${view.needsPerson.map((why) => html`<li>Takes a person: ${oneLine(why)}</li>`)}
          </ul>`
    }
    ${ticket.halts.map(({ by, at }) => html`<p>Halted by <b>${by}</b>, ${timeAgo(at, view.now)} ago.</p>`)}
    ${orderForms({ ...ticket, head, wantsUsd }, page, halting(ticket, csrf))}
    ${
      view.wait === undefined || view.wait.youCan.length === 0
        ? html``
        : html`<details>
            <summary>What you can do elsewhere</summary>
            <ul>
              ${view.wait.youCan.map((can) => html`<li>${oneLine(can.say)}: <code>${oneLine(can.do)}</code></li>`)}
            </ul>
          </details>`
    }
  </section>`;
}

const plainSentence = (text: string): string => oneLine(text, 1_000);

function halting(ticket: TicketPage, csrf: string): Html | undefined {
  if (!ticket.mayAct) return undefined;
  const isTheirs = ticket.halts.some(({ isOperator }) => isOperator);
  const { state } = ticket.view.ticket;
  if (!isTheirs && (state === "Done" || state === "Cancelled")) return undefined;
  const [path, name, says] = isTheirs
    ? ["unhalt", "Lift the halt", "lets it go on"]
    : ["halt", "Halt", "ends its run; nothing goes on until this is lifted"];
  return html`<form method="post" action="${ticketPath(ticket.id)}/${path}">
    <input type="hidden" name="csrf" value="${csrf}" />
    <button class="quiet" title="${says}">${name}</button>
  </form>`;
}

function certificateOf({ certificate, ref }: TicketPage["view"]): Html {
  if (certificate === undefined) return html``;
  const { hash, line, url, gaps } = certificate;
  const name = hash.slice(0, 12);
  return html`<section>
    <h2>Certificate</h2>
    <p>
      ${url === undefined ? html`<code>${name}</code>` : outside(url, name)}, sealed in
      <a href="#line-${line}">line ${line}</a>: <code>forgehand certificate show ${ref}</code>
    </p>
    <ul>
      ${gaps.map((gap) => html`<li>It does not prove: ${gap}</li>`)}
    </ul>
  </section>`;
}
