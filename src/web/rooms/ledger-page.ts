/** The ledger newest first, one line of it, and what was done to the host. */
import { html } from "hono/html";
import type {
  DeedsPage,
  LedgerLine,
  LedgerPage,
  LedgerRow,
  Verification,
} from "../../ports-dashboard-ledger.ts";
import { orderForm } from "../form.ts";
import { timeAgo, type Html } from "../words.ts";
import { mark, query } from "./host-words.ts";

/** Of a hash so much is shown; all of it stands on the line's own page. */
const hashShown = 12;

export function ledgerPage(view: LedgerPage, csrf: string): Html {
  const { rows, lookedAt, next, asked, wrong, head, isOperator, now } = view;
  return html`${wrong === undefined ? html`` : html`<p class="alarm" role="status">${wrong}</p>`}
    <div class="head">
      <h1>Ledger</h1>
      <p class="sums">
        ${head.seq === 0 ? "no line yet" : html`line ${head.seq}, <span class="hash" title="${head.hash}">${head.hash.slice(0, hashShown)}</span>`}
        ${
          isOperator
            ? html`· <a href="/ledger/deeds">what was done to the host</a> ·
                <a href="/ledger/export" download>export</a>`
            : html``
        }
      </p>
    </div>
    ${isOperator ? verification(view, csrf) : html``}${filters(view)}
    ${
      rows.length === 0
        ? html`<p class="empty">
            ${
              head.seq === 0
                ? "Nothing happened to any ticket yet. Each event that changes one is a line here, bound to the line before by its hash."
                : `None of the ${lookedAt} lines that were looked at fits.`
            }
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col" class="number">Line</th>
                <th scope="col" class="number">Ago</th>
                <th scope="col">Ticket</th>
                <th scope="col">Who</th>
                <th scope="col">From</th>
                <th scope="col">What</th>
                <th scope="col">Row</th>
                <th scope="col">Hash</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => ledgerRow(row, now))}
            </tbody>
          </table>`
    }
    <p class="soft">
      Looked at ${lookedAt} lines.
      ${
        next === undefined
          ? "There are no older ones of these."
          : html`<a href="/ledger${query({ ...asked, before: next })}">Go on with older ones</a>`
      }
    </p>`;
}

const ledgerRow = (row: LedgerRow, now: number): Html =>
  html`<tr data-row>
    <th scope="row" class="number"><a href="/ledger/${row.seq}">${row.seq}</a></th>
    <td data-label="Ago" class="number">${timeAgo(row.at, now)}</td>
    <td data-label="Ticket"><a href="/tickets/${encodeURIComponent(row.ticket)}">${row.ref}</a></td>
    <td data-label="Who">${row.actor}${row.permission === undefined ? "" : ` (${row.permission})`}</td>
    <td data-label="From">${row.surface}</td>
    <td data-label="What"><code>${row.event}</code> ${row.from} → ${row.to}</td>
    <td data-label="Row">${row.row}</td>
    <td data-label="Hash"><span class="hash" title="${row.hash}">${row.hash.slice(0, hashShown)}</span></td>
  </tr>`;

function filters({ asked }: LedgerPage): Html {
  return html`<form method="get" action="/ledger" class="filters" role="search">
    <label
      >Ticket <input name="ticket" value="${asked.ticket ?? ""}" size="14" placeholder="acme/web#42"
    /></label>
    <label
      >Who <input name="actor" value="${asked.actor ?? ""}" size="14" placeholder="operator:ada"
    /></label>
    <label
      >Event or row <input name="what" value="${asked.what ?? ""}" size="16" placeholder="pr.merged"
    /></label>
    <label>From <input name="from" type="date" value="${asked.from ?? ""}" /></label>
    <label>until <input name="until" type="date" value="${asked.until ?? ""}" /></label>
    <button class="quiet">Filter</button>
  </form>`;
}

function verification({ verification: told, now }: LedgerPage, csrf: string): Html {
  const isUnderWay = told?.is === "under way";
  return html`<section
    class="wait"
    id="verification"
    aria-live="polite"
    ${isUnderWay ? html`hx-get="/ledger" hx-trigger="every 1s" hx-select="#verification" hx-swap="outerMorph"` : html``}
  >
    <p>${told === undefined ? "Nobody verified it here yet." : verdict(told, now)}</p>
    ${
      told !== undefined && told.faults.length > 0
        ? html`<ul>
            ${told.faults.map(({ seq, why }) => html`<li>${seq === 0 ? "" : `line ${seq}: `}${why}</li>`)}
          </ul>`
        : html``
    }
    <div class="orders">
      ${
        isUnderWay
          ? html``
          : orderForm({
              path: "/ledger/verify",
              csrf,
              name: "Verify now",
              says: "recomputes every hash, plays every event again and compares the tickets, while everything goes on",
            })
      }
    </div>
  </section>`;
}

function verdict(told: Verification, now: number): Html {
  const { is, lines, of, by, startedAt, endedAt } = told;
  if (is === "under way")
    return html`${mark("off", "Verifying")}: ${lines} of ${of} lines
      <progress max="${Math.max(1, of)}" value="${Math.min(lines, of)}">${lines} of ${of}</progress>, asked
      for by ${by}.`;
  const when = html`verified ${timeAgo(endedAt ?? startedAt, now)} ago, asked for by ${by}`;
  switch (is) {
    case "holds":
      return html`${mark("well", "It holds")}: ${lines} lines, ${when}. A cut end shows only against anchors
        kept elsewhere: <code>forgehand ledger verify --online</code>.`;
    case "broken":
      return html`${mark("bad", "It does not hold")}: ${lines} lines, ${when}. Make no decision upon it, and
      compare with a backup.`;
    case "failed":
      return html`${mark("warn", "It could not be verified")}, ${when}.`;
  }
}

export const linePage = (line: LedgerLine): Html =>
  html`<div class="head">
      <h1>Line ${line.seq}</h1>
      <p class="sums">
        ${line.seq > 1 ? html`<a href="/ledger/${line.seq - 1}">before</a> ·` : html``}
        <a href="/ledger/${line.seq + 1}">after</a> · ${timeAgo(line.at, line.now)} ago
      </p>
    </div>
    <dl class="facts">
      <dt>Ticket</dt>
      <dd><a href="/tickets/${encodeURIComponent(line.ticket)}">${line.ref}</a>, its line ${line.version}</dd>
      <dt>Who</dt>
      <dd>
        ${line.actor}${line.permission === undefined ? "" : `, who had ${line.permission} then`}, from
        ${line.surface}
      </dd>
      <dt>What</dt>
      <dd><code>${line.event}</code> ${line.from} → ${line.to}</dd>
      <dt>Row</dt>
      <dd>${line.row}</dd>
      <dt>Event</dt>
      <dd class="hash">${line.eventId}</dd>
      <dt>Hash before</dt>
      <dd class="hash">${line.prev}</dd>
      <dt>Hash</dt>
      <dd class="hash">${line.hash}</dd>
    </dl>
    <h2>Facts</h2>
    <pre class="payload" tabindex="0">${line.facts}</pre>
    <h2>What the machine went by</h2>
    <pre class="payload" tabindex="0">${line.policy}</pre>`;

export const deedsPage = ({ rows, next, now }: DeedsPage): Html =>
  html`<div class="head">
      <h1>What was done to the host</h1>
      <p class="sums"><a href="/ledger">What was done to tickets</a> stands in the ledger.</p>
    </div>
    ${
      rows.length === 0
        ? html`<p class="empty">
            Nothing yet. Who resets a breaker, sets today's cap, has a delivery read again or halts a
            repository on these pages stands here.
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col" class="number">Ago</th>
                <th scope="col">Who</th>
                <th scope="col">From</th>
                <th scope="col">What</th>
                <th scope="col">Of</th>
                <th scope="col">Note</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map(
                (row) =>
                  html`<tr data-row>
                    <td data-label="Ago" class="number">${timeAgo(row.at, now)}</td>
                    <th scope="row">${row.actor}</th>
                    <td data-label="From">${row.surface}</td>
                    <td data-label="What">${row.what}</td>
                    <td data-label="Of">${row.about}</td>
                    <td data-label="Note">${row.note}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    ${next === undefined ? html`` : html`<p><a href="/ledger/deeds?before=${next}">Older</a></p>`}`;
