/** Who worked for a ticket, what that did and cost, and what was said and done elsewhere for it. */
import { html } from "hono/html";
import type { SessionView, TicketPage } from "../../ports-dashboard.ts";
import { age } from "../../says.ts";
import { money, oneLine, plain, timeAgo, type Html } from "../words.ts";

/** Each run with its paragraph, newest first. */
export function runs({ runs: all }: TicketPage): Html {
  if (all.length === 0) return html`<p class="empty">Nothing ran for it yet.</p>`;
  return html`<ol class="runs" reversed>
    ${all.toReversed().map(
      ({ run, href, summary, usd, usdIsGuess, sessions }) =>
        html`<li>
          <a href="${href}">Run ${run.slice(run.lastIndexOf("/") + 1)}</a>
          <span class="soft">
            ${money(usd, usdIsGuess)} · ${sessions}
            ${sessions === 1 ? "session" : "sessions"}${
              summary === undefined ? "" : ` · told by ${oneLine(summary.by, 80)}`
            }
          </span>
          ${summary === undefined ? html`` : html`<p>${plain(summary.text)}</p>`}
          ${summary?.note === undefined ? html`` : html`<p class="soft">${oneLine(summary.note)}</p>`}
        </li>`,
    )}
  </ol>`;
}

const prices: Readonly<Record<string, string>> = {
  table: "by the price table",
  runtime: "told by the runtime",
  guess: "guessed: nobody tells the price",
  none: "no price yet",
};

export function agents({ sessions, sessionCount, view }: TicketPage): Html {
  if (sessions.length === 0) return html`<p class="empty">No agent was at work yet.</p>`;
  return html`${sessions.length < sessionCount ? html`<p class="soft">The newest ${sessions.length} of ${sessionCount}.</p>` : html``}
    <table>
      <thead>
        <tr>
          <th scope="col">Role</th>
          <th scope="col">Runtime</th>
          <th scope="col">Model</th>
          <th scope="col" class="number">Tokens in / cached / out</th>
          <th scope="col" class="number">Cost</th>
          <th scope="col">Price</th>
          <th scope="col">Time</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        ${sessions.map((session) => sessionRow(session, view.now))}
      </tbody>
    </table>`;
}

const count = (tokens: number): string => tokens.toLocaleString("en");

const sessionRow = (session: SessionView, now: number): Html =>
  html`<tr id="session-${session.id}">
    <th scope="row" data-label="Role"><a href="/sessions/${session.id}/log">${session.role}</a></th>
    <td data-label="Runtime">${session.runtime}</td>
    <td data-label="Model">${oneLine(session.model ?? "?", 80)}</td>
    <td data-label="Tokens in / cached / out" class="number">
      ${count(session.inputTokens)} / ${count(session.cachedTokens)} / ${count(session.outputTokens)}
    </td>
    <td data-label="Cost" class="number">${money(session.usd, session.usdIsGuess)}</td>
    <td data-label="Price">
      ${prices[session.pricedBy] ?? session.pricedBy}${session.priceVersion === "" ? html`` : html` <span class="soft">${oneLine(session.priceVersion, 60)}</span>`}
    </td>
    <td data-label="Time">
      ${session.endedAt === undefined ? "" : age(session.endedAt - session.startedAt)}
    </td>
    <td data-label="Outcome">
      ${session.endedAt === undefined ? html`at work for ${timeAgo(session.startedAt, now)}` : oneLine(session.outcome ?? "ended", 80)}
    </td>
  </tr>`;

export function effects({ effects: all }: TicketPage): Html {
  if (all.length === 0) return html`<p class="empty">Nothing was to be said or done on the forge yet.</p>`;
  return html`<details>
    <summary>
      The newest ${all.length} effects, ${all.filter(({ state }) => state === "new").length} of them waiting
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
              <th scope="row" data-label="Effect"><code>${type}</code></th>
              <td data-label="State">${state}</td>
              <td data-label="What">${oneLine(note)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}
