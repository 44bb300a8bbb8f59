/** One ticket: what it waits for, what may be done, what happened, who worked, what it found and cost. */
import { html } from "hono/html";
import type { OrderName, TicketPage } from "../../ports-dashboard.ts";
import { boardName, short, waitSentence, type FindingView, type RoundView } from "../../says.ts";
import { money, outside, stateWord, timeAgo, type Html } from "../words.ts";

const orders: Readonly<Record<OrderName, { readonly name: string; readonly says: string }>> = {
  approve: { name: "Approve this head", says: "consents to merging exactly this head" },
  retry: { name: "Retry", says: "sets the counters to zero and goes on" },
  stop: { name: "Stop", says: "ends the work; branch and worktree are kept" },
};

/** What became of somebody's order, told above the page it left. */
export interface Told {
  readonly is: "done" | "refused";
  readonly text: string;
}

export function ticketPage(ticket: TicketPage, csrf: string, told: Told | undefined): Html {
  const { view } = ticket;
  const { state, head } = view.ticket;
  return html`${told === undefined ? html`` : html`<p class="${told.is === "done" ? "told" : "alarm"}" role="status">${told.text}</p>`}
    <div class="head">
      <h1>${view.ref} <span class="title">${view.title}</span></h1>
      <p class="sums">
        ${stateWord(state)} for ${timeAgo(view.since, view.now)} · round
        ${view.ticket.counters.cycles}/${view.maxCycles} · ${money(view.usd, view.usdIsGuess)} of
        $${view.usdCap} · ${head === undefined ? "no head yet" : html`head <code>${short(head)}</code>`} ·
        branch <code>${ticket.branch}</code>
        ${ticket.url === "" ? html`` : html`· ${outside(ticket.url, "issue")}`}
      </p>
    </div>
    <section class="wait" aria-live="polite">
      <p>${waitSentence(view.wait)}</p>
      ${
        view.needsPerson.length === 0
          ? html``
          : html`<ul>
              ${view.needsPerson.map((why) => html`<li>Takes a person: ${why}</li>`)}
            </ul>`
      }
      ${ticket.halts.map(({ by, at }) => html`<p>Halted by <b>${by}</b>, ${timeAgo(at, view.now)} ago.</p>`)}
      ${
        ticket.may.length === 0 && !mayHalt(ticket) && !mayLift(ticket)
          ? html``
          : html`<div class="orders">
              ${ticket.may.map(
                (order) =>
                  html`<form method="post" action="/tickets/${encodeURIComponent(ticket.id)}/${order}">
                    <input type="hidden" name="csrf" value="${csrf}" />
                    <input type="hidden" name="seen" value="${ticket.version}" />
                    <button title="${orders[order].says}">${orders[order].name}</button>
                  </form>`,
              )}
              ${mayHalt(ticket) ? haltForm(ticket, csrf, "halt", "Halt") : html``}
              ${mayLift(ticket) ? haltForm(ticket, csrf, "unhalt", "Lift the halt") : html``}
            </div>`
      }
      ${
        view.wait === undefined || view.wait.youCan.length === 0
          ? html``
          : html`<details>
              <summary>What you can do elsewhere</summary>
              <ul>
                ${view.wait.youCan.map((can) => html`<li>${can.say}: <code>${can.do}</code></li>`)}
              </ul>
            </details>`
      }
    </section>
    <section>
      <h2>Timeline</h2>
      ${timeline(ticket)}
    </section>
    <section>
      <h2>Reviews</h2>
      ${
        view.rounds.length === 0
          ? html`<p class="empty">
              No review yet. The other family judges the first head that is delivered.
            </p>`
          : html`${view.rounds.toReversed().map((round) => roundOf(round, view.now))}`
      }
    </section>
    <section>
      <h2>Agents</h2>
      ${agents(ticket)}
    </section>
    <section>
      <h2>Effects</h2>
      ${effects(ticket)}
    </section>`;
}

const mayLift = ({ halts, mayAct }: TicketPage): boolean =>
  mayAct && halts.some(({ isOperator }) => isOperator);
const mayHalt = (ticket: TicketPage): boolean =>
  ticket.mayAct &&
  !mayLift(ticket) &&
  ticket.view.ticket.state !== "Done" &&
  ticket.view.ticket.state !== "Cancelled";

const haltForm = ({ id }: TicketPage, csrf: string, path: "halt" | "unhalt", name: string): Html =>
  html`<form method="post" action="/tickets/${encodeURIComponent(id)}/${path}">
    <input type="hidden" name="csrf" value="${csrf}" />
    <button
      title="${path === "halt" ? "ends its run; nothing goes on until this is lifted" : "lets it go on"}"
    >
      ${name}
    </button>
  </form>`;

function timeline({ lines, view }: TicketPage): Html {
  if (lines.length === 0) return html`<p class="empty">Nothing has happened to it yet.</p>`;
  return html`<table class="lines">
    <thead>
      <tr>
        <th scope="col" class="number">Line</th>
        <th scope="col" class="number">Ago</th>
        <th scope="col">To</th>
        <th scope="col">Who</th>
        <th scope="col">Why</th>
        <th scope="col" class="number">Cost</th>
      </tr>
    </thead>
    <tbody>
      ${lines.toReversed().map(
        (line) =>
          html`<tr id="line-${line.seq}">
            <td data-label="Line" class="number"><a href="#line-${line.seq}">${line.seq}</a></td>
            <td data-label="Ago" class="number">${timeAgo(line.at, view.now)}</td>
            <td data-label="To">
              ${line.from === line.to ? html`<span class="soft">${boardName(line.to)}</span>` : stateWord(line.to)}
            </td>
            <td data-label="Who">${line.actor}</td>
            <td data-label="Why" title="${line.row}">${line.text}</td>
            <td data-label="Cost" class="number">
              ${line.usd === undefined ? "" : money(line.usd, view.usdIsGuess)}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const verdicts: Readonly<Record<RoundView["verdict"], string>> = {
  pass: "✓ pass",
  fail: "✕ fail",
  blocked: "▲ no verdict",
};

function roundOf(round: RoundView, now: number): Html {
  return html`<article class="round">
    <h3>Round ${round.number}: ${verdicts[round.verdict]}</h3>
    <p class="soft">
      ${round.reviewer} on <code>${short(round.head)}</code>, ${timeAgo(round.at, now)}
      ago${round.mediation === undefined ? "" : ` · ${round.mediation}`}
    </p>
    <p>${round.summary}</p>
    ${
      round.findings.length === 0
        ? html``
        : html`<ul>
            ${round.findings.map(findingOf)}
          </ul>`
    }
  </article>`;
}

function findingOf(finding: FindingView): Html {
  const place =
    finding.path === undefined
      ? ""
      : `${finding.path}${finding.line === undefined ? "" : `:${finding.line}`}`;
  return html`<li>
    <b>${finding.grade}</b> ${finding.title} ${place === "" ? html`` : html`<code>${place}</code>`}
    <details>
      <summary>More</summary>
      <pre>${finding.body}</pre>
    </details>
  </li>`;
}

function agents({ sessions, view }: TicketPage): Html {
  if (sessions.length === 0) return html`<p class="empty">No agent was at work yet.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Role</th>
        <th scope="col">Runtime</th>
        <th scope="col">Model</th>
        <th scope="col" class="number">Tokens in / out</th>
        <th scope="col" class="number">Cost</th>
        <th scope="col">Outcome</th>
      </tr>
    </thead>
    <tbody>
      ${sessions.map(
        (session) =>
          html`<tr>
            <td data-label="Role">${session.role}</td>
            <td data-label="Runtime">${session.runtime}</td>
            <td data-label="Model">${session.model ?? "?"}</td>
            <td data-label="Tokens in / out" class="number">
              ${session.inputTokens.toLocaleString("en")} / ${session.outputTokens.toLocaleString("en")}
            </td>
            <td data-label="Cost" class="number">${money(session.usd, session.usdIsGuess)}</td>
            <td data-label="Outcome">
              ${session.endedAt === undefined ? html`at work for ${timeAgo(session.startedAt, view.now)}` : (session.outcome ?? "ended")}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function effects({ effects: all }: TicketPage): Html {
  if (all.length === 0) return html`<p class="empty">Nothing was to be said or done on the forge yet.</p>`;
  return html`<details>
    <summary>
      ${all.length} effects, ${all.filter(({ state }) => state === "new").length} of them waiting
    </summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Effect</th>
          <th scope="col">State</th>
          <th scope="col">What</th>
        </tr>
      </thead>
      <tbody>
        ${all.map(
          ({ type, state, note }) =>
            html`<tr>
              <td data-label="Effect"><code>${type}</code></td>
              <td data-label="State">${state}</td>
              <td data-label="What">${note}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}
