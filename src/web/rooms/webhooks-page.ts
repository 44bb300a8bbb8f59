/** The inbox as a list, and one item with its payload. */
import { html } from "hono/html";
import type { InboxItem, InboxPage, InboxRow } from "../../ports-dashboard-webhooks.ts";
import { orderForm } from "../form.ts";
import { timeAgo, type Html } from "../words.ts";
import { bytes, mark, query, timeUntil, toldLine, type Told } from "./host-words.ts";

const sources = [
  "github",
  "linear",
  "local",
  "run",
  "timer",
  "operator",
  "performer",
  "reconcile",
  "schedule",
];
const states = ["new", "read", "ignored", "parked"];

export function inboxPage(view: InboxPage, csrf: string, told: Told | undefined): Html {
  const { rows, lookedAt, next, asked, now } = view;
  return html`${toldLine(told)}
    <div class="head">
      <h1>Webhooks</h1>
      <p class="sums">Everything that came in, newest first.</p>
    </div>
    ${filters(view)}
    ${
      rows.length === 0
        ? html`<p class="empty">
            ${
              lookedAt === 0
                ? "Nothing came in yet. Once the App is installed in a repository, each of its webhooks stands here within a second."
                : `None of the ${lookedAt} that were looked at fits.`
            }
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col">About</th>
                <th scope="col" class="number">Ago</th>
                <th scope="col">State</th>
                <th scope="col">Handled as</th>
                <th scope="col" class="number">Took</th>
                <th scope="col">Delivery</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => inboxRow(row, now))}
            </tbody>
          </table>`
    }
    <p class="soft">
      ${lookedAt} looked at.
      ${
        next === undefined
          ? "That is where it begins."
          : html`<a
              href="/webhooks${query({ source: asked.source, event: asked.name, state: asked.state, ticket: asked.ticket, before: next })}"
              >Older</a
            >`
      }
    </p>
    <details>
      <summary>Ask GitHub to deliver something again</summary>
      <form method="post" action="/webhooks/redeliver" class="orders">
        <input type="hidden" name="csrf" value="${csrf}" />
        <label>GUID <input name="guid" required maxlength="36" autocomplete="off" /></label>
        <button title="through GitHub's log of deliveries, which goes back about three days">
          Deliver again
        </button>
      </form>
    </details>`;
}

const option = (value: string, chosen: string | undefined): Html =>
  html`<option value="${value}" ${value === chosen ? html`selected` : html``}>${value}</option>`;

function filters({ asked }: InboxPage): Html {
  return html`<form method="get" action="/webhooks" class="filters" role="search">
    <label
      >Source
      <select name="source">
        <option value="">any</option>
        ${sources.map((one) => option(one, asked.source))}
      </select></label
    >
    <label
      >State
      <select name="state">
        <option value="">any</option>
        ${states.map((one) => option(one, asked.state))}
      </select></label
    >
    <label>Event <input name="event" value="${asked.name ?? ""}" size="16" placeholder="issues" /></label>
    <label
      >Ticket <input name="ticket" value="${asked.ticket ?? ""}" size="16" placeholder="acme/web#42"
    /></label>
    <button class="quiet">Filter</button>
  </form>`;
}

function stateOf({ state, dueAt, attempts }: InboxRow, now: number): Html {
  switch (state) {
    case "parked":
      return mark("bad", "set aside");
    case "read":
      return mark("well", "read");
    case "ignored":
      return mark("off", "ignored");
    default:
      return attempts === 0
        ? mark("off", "waiting")
        : html`${mark("warn", `tried ${attempts}×`)} ${dueAt === undefined ? html`` : timeUntil(dueAt, now)}`;
  }
}

const aboutOf = ({ about, ticket }: InboxRow): Html =>
  ticket === undefined
    ? html`${about ?? "–"}`
    : html`<a href="/tickets/${encodeURIComponent(ticket)}">${about ?? ticket}</a>`;
const eventOf = ({ source, name, action }: InboxRow): string =>
  `${source}: ${name}${action === undefined ? "" : `.${action}`}`;
const tookOf = ({ ms }: InboxRow): string => (ms === undefined ? "–" : `${ms.toLocaleString("en")} ms`);

const inboxRow = (row: InboxRow, now: number): Html =>
  html`<tr data-row>
    <th scope="row">${eventOf(row)}</th>
    <td data-label="About">${aboutOf(row)}</td>
    <td data-label="Ago" class="number">${timeAgo(row.receivedAt, now)}</td>
    <td data-label="State">${stateOf(row, now)}</td>
    <td data-label="Handled as">${row.note ?? ""}</td>
    <td data-label="Took" class="number">${tookOf(row)}</td>
    <td data-label="Delivery">
      <a class="hash" href="/webhooks/${encodeURIComponent(row.id)}">${row.id}</a>
    </td>
  </tr>`;

export function itemPage(item: InboxItem, csrf: string, told: Told | undefined): Html {
  const { now } = item;
  return html`${toldLine(told)}
    <div class="head">
      <h1>${eventOf(item)}</h1>
      <p class="sums">
        <span class="hash">${item.id}</span> · ${timeAgo(item.receivedAt, now)} ago · ${stateOf(item, now)} ·
        took ${tookOf(item)}
      </p>
    </div>
    <section class="wait">
      <p>About ${aboutOf(item)}. ${item.note === undefined ? "" : `Handled as: ${item.note}`}</p>
      <div class="orders">
        ${
          item.mayReread
            ? orderForm({
                path: `/webhooks/${encodeURIComponent(item.id)}/reread`,
                csrf,
                name: "Read again",
                says: "under its own id: what of it changed anything already changes nothing again",
              })
            : html``
        }
        ${
          item.mayRedeliver
            ? orderForm({
                path: "/webhooks/redeliver",
                csrf,
                name: "Redeliver from GitHub",
                says: "asks GitHub to send it once more; what lies here already is a repeat",
                isQuiet: true,
                hidden: { guid: item.id },
              })
            : html``
        }
      </div>
    </section>
    <section>
      <h2>Payload</h2>
      <p class="soft">
        ${bytes(item.length)}${item.isCut ? "; only its beginning is shown" : ""}. What looks like a secret is
        taken out.
      </p>
      <pre class="payload" tabindex="0">${item.payload}</pre>
    </section>`;
}
