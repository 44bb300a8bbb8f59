/** The list of runs. */
import { html } from "hono/html";
import { runStatuses, type RunFilter, type RunList, type RunRowView } from "../../ports-dashboard-runs.ts";
import { age } from "../../says.ts";
import { timeAgo, type Html } from "../words.ts";

const states: Readonly<Record<RunRowView["status"], readonly [string, string]>> = {
  ready: ["◔", "ready"],
  running: ["▸", "at work"],
  waiting: ["⏸", "waits"],
  paused: ["◫", "held"],
  finished: ["✓", "finished"],
  failed: ["✗", "failed"],
  cancelled: ["✕", "cancelled"],
};
/** `data-run` is what the style sheet colours by. */
export const runState = (status: RunRowView["status"]): Html =>
  html`<span class="state" data-run="${status}"
    ><span aria-hidden="true">${states[status][0]}</span> ${states[status][1]}</span
  >`;
const outcomes: Readonly<Record<string, string>> = {
  met: "◎ met",
  "not met": "◌ not met",
  compensated: "↺ compensated",
  unknown: "? unknown",
};
export const outcomeWord = (outcome: string | undefined): string =>
  outcome === undefined ? "–" : (outcomes[outcome] ?? outcome);

export const runPath = (id: string): string => `/runs/${encodeURIComponent(id)}`;
export const runLink = ({ id }: Pick<RunRowView, "id">): Html => html`<a href="${runPath(id)}">${id}</a>`;

/** A place in the list, as a query has it. */
export const placeText = (after: NonNullable<RunFilter["after"]>): string => `${after.createdAt}~${after.id}`;
export function placeIn(text: string | undefined): RunFilter["after"] {
  const [, createdAt, id] = /^(\d{1,15})~(.{0,300})$/u.exec(text ?? "") ?? [];
  return createdAt === undefined || id === undefined ? undefined : { createdAt: Number(createdAt), id };
}

function query(filter: RunFilter, after: RunFilter["after"]): string {
  const { workflow, status = "", ticket, words } = filter;
  const some = Object.entries({ workflow, status, ticket, q: words }).filter(([, value]) => value !== "");
  const all = new URLSearchParams(some);
  if (after !== undefined) all.set("after", placeText(after));
  return `?${all.toString()}`;
}

export function runsPage(list: RunList, filter: RunFilter): Html {
  const isFiltered = query(filter, undefined) !== "?";
  return html`<div class="head">
      <h1>Runs</h1>
      <form method="get" action="/runs" role="search" class="run-filter">
        <label>Workflow <input name="workflow" value="${filter.workflow}" size="10" /></label>
        <label
          >State
          <select name="status">
            <option value="">any</option>
            ${runStatuses.map(
              (status) =>
                html`<option value="${status}" ${status === filter.status ? "selected" : ""}>
                  ${states[status][1]}
                </option>`,
            )}
          </select></label
        >
        <label>Ticket <input name="ticket" value="${filter.ticket}" size="14" /></label>
        <label>Words <input type="search" name="q" value="${filter.words}" size="14" /></label>
        <button>Find</button>
        ${isFiltered ? html`<a href="/runs">All</a>` : html``}
      </form>
    </div>
    ${list.rows.length === 0 ? html`<p class="empty">${nothing(list, isFiltered)}</p>` : rowsTable(list)}
    ${
      list.next === undefined
        ? html``
        : html`<p>
            <a rel="next" href="/runs${query(filter, list.next)}">Older runs</a>${
              isFiltered ? ` (${list.looked.toLocaleString("en")} runs were looked at)` : ""
            }
          </p>`
    }`;
}

function nothing({ next, looked }: RunList, isFiltered: boolean): string {
  if (next !== undefined) return `None of the newest ${looked.toLocaleString("en")} runs fits; look further.`;
  return isFiltered
    ? "No run fits."
    : "Nothing has run yet. A ticket's run stands here as soon as it has a slot; a run of a workflow file when it is started on this database.";
}

const rowsTable = ({ rows, now }: RunList): Html =>
  html`<table class="runs" data-filter>
    <caption class="visually-hidden">
      Runs, the newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Run</th>
        <th scope="col">Workflow</th>
        <th scope="col">State</th>
        <th scope="col">Outcome</th>
        <th scope="col">Ticket</th>
        <th scope="col" class="number">Begun</th>
        <th scope="col" class="number">Took</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map((row) => rowOf(row, now))}
    </tbody>
  </table>`;

const rowOf = (row: RunRowView, now: number): Html =>
  html`<tr data-row>
    <th scope="row">
      ${runLink(row)}${row.error === undefined ? "" : html` <span class="title soft">${row.error}</span>`}
    </th>
    <td data-label="Workflow">${row.workflow}</td>
    <td data-label="State">${runState(row.status)}</td>
    <td data-label="Outcome">${outcomeWord(row.outcome)}</td>
    <td data-label="Ticket">
      ${
        row.ticket === undefined
          ? "–"
          : html`<a href="/tickets/${encodeURIComponent(row.ticket.id)}">${row.ticket.ref}</a>
              <span class="title">${row.ticket.title}</span>`
      }
    </td>
    <td data-label="Begun" class="number">${timeAgo(row.createdAt, now)}</td>
    <td data-label="Took" class="number">${age(Math.max(0, (row.settledAt ?? now) - row.createdAt))}</td>
  </tr>`;
