/** The board by state. */
import { html } from "hono/html";
import type { BoardRow, BoardView } from "../../ports-dashboard.ts";
import { boardName } from "../../says.ts";
import type { State } from "../../state-machine/ticket.ts";
import { money, stateWord, timeAgo, type Html } from "../words.ts";

/** Nearest to a person's decision first. */
export const columns: readonly State[] = [
  "In Review",
  "Blocked",
  "Merging",
  "Adversarial Review",
  "In Progress",
  "Rework",
  "Gate",
  "Ready",
  "Backlog",
];

/** Rows as pages list them: by state, then longest in it first. */
const inOrder = (rows: readonly BoardRow[]): readonly BoardRow[] =>
  rows.toSorted((a, b) => columns.indexOf(a.state) - columns.indexOf(b.state) || a.since - b.since);

const pathOf = ({ id }: BoardRow): string => `/tickets/${encodeURIComponent(id)}`;

/** Who halted everything, with what lifts it. */
export function haltedLine({ halted, now }: Pick<BoardView, "halted" | "now">, csrf: string): Html {
  return halted === undefined
    ? html``
    : html`<form method="post" action="/unhalt-all" class="alarm">
        <input type="hidden" name="csrf" value="${csrf}" />
        <span role="status"
          >Everything is halted by <b>${halted.by}</b>, ${timeAgo(halted.at, now)} ago: nothing starts,
          nothing is sent.</span
        >
        <button title="lifts what operators halted; a label is lifted by taking it off">Lift</button>
      </form>`;
}

const haltAllForm = ({ halted }: BoardView, csrf: string): Html =>
  halted === undefined
    ? html`<form method="post" action="/halt-all">
        <input type="hidden" name="csrf" value="${csrf}" />
        <button class="quiet" title="nothing starts, nothing is sent or pushed until this is lifted">
          Halt everything
        </button>
      </form>`
    : html``;

function rowsTable(caption: string, rows: readonly BoardRow[], now: number): Html {
  return html`<table class="tickets" data-filter>
    <caption class="visually-hidden">
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Ticket</th>
        <th scope="col">State</th>
        <th scope="col" class="number">Round</th>
        <th scope="col" class="number">In state</th>
        <th scope="col" class="number">Cost</th>
        <th scope="col">Waits for</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr data-row id="row-${row.id}">
            <th scope="row">
              <a href="${pathOf(row)}">${row.ref}</a> <span class="title">${row.title}</span>
            </th>
            <td data-label="State">${stateWord(row.state)}</td>
            <td data-label="Round" class="number">${row.round}/${row.maxRounds}</td>
            <td data-label="In state" class="number">${timeAgo(row.since, now)}</td>
            <td data-label="Cost" class="number">${money(row.usd, row.usdIsGuess)}</td>
            <td data-label="Waits for">${row.wait?.waitsFor ?? "–"}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Sifts the rows of a page by their words. */
export const filterBox = html`<input
  type="search"
  id="filter"
  placeholder="Filter (/)"
  aria-label="Filter tickets by any word in their row"
  hx-morph-skip
/>`;

/** What the page has no room for, where it stands. */
function moreOf({ rows, counts }: BoardView, states: readonly State[]): Html {
  const shown = new Set(rows.map(({ state }) => state));
  const more = states.flatMap((state) => {
    const some = rows.filter((row) => row.state === state).length;
    const all = counts[state] ?? 0;
    return !shown.has(state) || all <= some ? [] : [{ state, some, all }];
  });
  return more.length === 0
    ? html``
    : html`<ul class="more">
        ${more.map(
          ({ state, some, all }) =>
            html`<li>
              <a href="/board?state=${encodeURIComponent(state)}">More in ${boardName(state)}</a>: the ${some}
              that have been there longest are shown, of ${all}.
            </li>`,
        )}
      </ul>`;
}

export function boardPage(view: BoardView, csrf: string): Html {
  const rows = inOrder(view.rows);
  const over = (view.counts.Done ?? 0) + (view.counts.Cancelled ?? 0);
  return html`${haltedLine(view, csrf)}
    <div class="head">
      <h1>Board</h1>
      <p class="sums">
        ${columns.flatMap((state) => {
          const count = view.counts[state] ?? 0;
          return count === 0 ? [] : [html`<span>${stateWord(state)} ${count}</span> `];
        })}
        <span class="soft">${over} over</span>
      </p>
      ${haltAllForm(view, csrf)} ${filterBox}
    </div>
    ${
      rows.length === 0
        ? html`<p class="empty">
            No open tickets. Label an issue <code>agent-ready</code>, or type <code>forgehand run</code> in a
            repository of this host, and it stands here within seconds.
          </p>`
        : rowsTable("Open tickets", rows, view.now)
    }
    ${moreOf(view, columns)}`;
}
