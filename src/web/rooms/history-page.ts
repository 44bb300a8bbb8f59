/** Tickets that are over and open, newest first, and what they may be filtered by. */
import { html } from "hono/html";
import type { HistoryRow, HistoryView, Outcome } from "../../ports-dashboard-history.ts";
import { age } from "../../says.ts";
import { outcomes } from "../../store/history.ts";
import { money, outside, timeAgo, type Html } from "../words.ts";

/** What stands in the address, as it was typed. */
export interface HistoryForm {
  readonly q: string;
  readonly outcome: string;
  readonly repo: string;
  readonly runtime: string;
  readonly label: string;
  readonly from: string;
  readonly to: string;
  readonly after: string;
}

const outcomeSigns: Readonly<Record<Outcome, string>> = {
  merged: "✓",
  cancelled: "✕",
  blocked: "▲",
  open: "◔",
};
/** As the style sheet colours states. */
const outcomeStates: Readonly<Record<Outcome, string>> = {
  merged: "Done",
  cancelled: "Cancelled",
  blocked: "Blocked",
  open: "Ready",
};

export function historyPage(view: HistoryView, form: HistoryForm): Html {
  return html`<div class="head"><h1>History</h1></div>
    ${filters(view, form)} ${view.rows.length === 0 ? nothing(view, form) : table(view)}
    ${further(view, form)}`;
}

function filters({ names }: HistoryView, form: HistoryForm): Html {
  const field = (name: "repo" | "runtime" | "label", says: string, list: readonly string[]): Html =>
    html`<label
      >${says}
      <input type="text" name="${name}" value="${form[name]}" list="${name}-names" autocomplete="off" />
      <datalist id="${name}-names">${list.map((value) => html`<option value="${value}"></option>`)}</datalist>
    </label>`;
  const day = (name: "from" | "to", says: string): Html =>
    html`<label
      >${says} <input type="date" name="${name}" value="${/^\d{4}-/u.test(form[name]) ? form[name] : ""}"
    /></label>`;
  return html`<form class="filters" action="/history" role="search" aria-label="Filter the history">
    <label>Words <input type="search" name="q" id="filter" value="${form.q}" /></label>
    <label
      >Outcome
      <select name="outcome">
        <option value="">any</option>
        ${outcomes.map(
          (outcome) =>
            html`<option value="${outcome}" ${outcome === form.outcome ? html`selected` : html``}>
              ${outcome}
            </option>`,
        )}
      </select>
    </label>
    ${field("repo", "Repository", names.repositories)} ${field("runtime", "Runtime", names.runtimes)}
    ${field("label", "Label", names.labels)} ${day("from", "From")} ${day("to", "To")}
    <button>Show</button>
    ${isFiltered(form) ? html`<a href="/history">Show all</a>` : html``}
  </form>`;
}

const isFiltered = (form: HistoryForm): boolean => Object.values(form).some((value) => value !== "");

function nothing({ lookedThrough }: HistoryView, form: HistoryForm): Html {
  if (lookedThrough !== undefined) return html``;
  return isFiltered(form)
    ? html`<p class="empty">No ticket is like that. <a href="/history">Show all</a>.</p>`
    : html`<p class="empty">
        Nothing was worked on yet. Label an issue <code>agent-ready</code>, or type
        <code>forgehand run</code> in a repository of this host; what becomes of it stands here.
      </p>`;
}

function table({ rows, now }: HistoryView): Html {
  return html`<table class="past">
    <caption class="visually-hidden">
      Tickets, newest end first
    </caption>
    <thead>
      <tr>
        <th scope="col">Ticket</th>
        <th scope="col">Outcome</th>
        <th scope="col" class="number">When</th>
        <th scope="col">Runtime</th>
        <th scope="col" class="number">Rounds</th>
        <th scope="col" class="number">Took</th>
        <th scope="col" class="number">Cost</th>
        <th scope="col">Pull request</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map((row) => tableRow(row, now))}
    </tbody>
  </table>`;
}

function tableRow(row: HistoryRow, now: number): Html {
  const path = `/tickets/${encodeURIComponent(row.id)}`;
  return html`<tr data-row id="row-${row.id}">
    <th scope="row">
      <a href="${path}">${row.ref}</a> <span class="title">${row.title}</span>
      ${row.labels.map((label) => html`<a class="label" href="/history?label=${encodeURIComponent(label)}">${label}</a> `)}
      ${row.summary === undefined ? html`` : html`<p class="summary">${row.summary.text} <span class="soft">(${row.summary.by})</span></p>`}
    </th>
    <td data-label="Outcome">
      <span class="state" data-state="${outcomeStates[row.outcome]}"
        ><span aria-hidden="true">${outcomeSigns[row.outcome]}</span> ${row.outcome}</span
      >
    </td>
    <td data-label="When" class="number">${timeAgo(row.since, now)}</td>
    <td data-label="Runtime">
      ${row.runtime ?? ""}
      ${row.session === undefined ? html`` : html`<a href="/sessions/${row.session}/log">stream</a>`}
    </td>
    <td data-label="Rounds" class="number">${row.rounds}</td>
    <td data-label="Took" class="number">${age(row.durationMs)}</td>
    <td data-label="Cost" class="number">${money(row.usd, row.usdIsGuess)}</td>
    <td data-label="Pull request">
      ${row.pull === undefined ? "" : row.pullUrl === undefined ? `#${row.pull}` : outside(row.pullUrl, `#${row.pull}`)}
    </td>
  </tr>`;
}

/** Paged by where the page ended, so that no page shows a ticket twice while others end. */
function further({ next, lookedThrough }: HistoryView, form: HistoryForm): Html {
  if (next === undefined && form.after === "") return html``;
  const query = (after: string): string =>
    new URLSearchParams(Object.entries({ ...form, after }).filter(([, value]) => value !== "")).toString();
  return html`<nav class="pages" aria-label="Pages of the history">
    ${lookedThrough === undefined ? html`` : html`<p class="soft">${lookedThrough.toLocaleString("en")} tickets were looked through for this page.</p>`}
    ${form.after === "" ? html`` : html`<a href="/history?${query("")}">Newest</a>`}
    ${next === undefined ? html`` : html`<a rel="next" href="/history?${query(next)}">${lookedThrough === undefined ? "Older" : "Look further back"}</a>`}
  </nav>`;
}
