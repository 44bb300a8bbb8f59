/** Every step of a ticket, newest first: who, why by which row, and what it stands on. */
import { html } from "hono/html";
import type { LineView, TicketPage } from "../../ports-dashboard.ts";
import { boardName } from "../../says.ts";
import { money, oneLine, outside, stateWord, timeAgo, type Html } from "../words.ts";

export function timeline({ lines, view, id, older }: TicketPage): Html {
  if (lines.length === 0) return html`<p class="empty">Nothing has happened to it yet.</p>`;
  return html`<table class="lines">
      <thead>
        <tr>
          <th scope="col" class="number">Line</th>
          <th scope="col" class="number">Ago</th>
          <th scope="col">To</th>
          <th scope="col">Who</th>
          <th scope="col">What and why</th>
          <th scope="col">Proof</th>
          <th scope="col" class="number">Cost</th>
        </tr>
      </thead>
      <tbody>
        ${lines.toReversed().map((line) => rowOf(line, view))}
      </tbody>
    </table>
    ${
      older === undefined
        ? html``
        : html`<p><a rel="next" href="/tickets/${encodeURIComponent(id)}?before=${older}">Older lines</a></p>`
    }`;
}

const rowOf = (line: LineView, { now, usdIsGuess }: TicketPage["view"]): Html =>
  html`<tr id="line-${line.seq}">
    <th scope="row" data-label="Line" class="number">
      <a href="#line-${line.seq}" title="${line.hash}">${line.seq}</a>
    </th>
    <td data-label="Ago" class="number">${timeAgo(line.at, now)}</td>
    <td data-label="To">
      ${line.from === line.to ? html`<span class="soft">${boardName(line.to)}</span>` : stateWord(line.to)}
    </td>
    <td data-label="Who">
      ${oneLine(line.actor, 80)}${line.permission === undefined ? html`` : html` <span class="soft">(${line.permission})</span>`}
    </td>
    <td data-label="What and why" title="${line.row}">
      ${oneLine(line.text, 600)}${line.why === "" ? html`` : html`<br /><span class="soft">${line.why}</span>`}
    </td>
    <td data-label="Proof" class="proofs">
      ${line.proofs.map(({ name, href }) => html`<span>${linkTo(href, name)}</span> `)}
      <span class="soft" title="${line.hash}">#${line.hash.slice(0, 8)}</span>
    </td>
    <td data-label="Cost" class="number">${line.usd === undefined ? "" : money(line.usd, usdIsGuess)}</td>
  </tr>`;

const linkTo = (href: string | undefined, name: string): Html =>
  href === undefined
    ? html`<span class="soft">${oneLine(name, 80)}</span>`
    : href.startsWith("/")
      ? html`<a href="${href}">${name}</a>`
      : outside(href, name);
