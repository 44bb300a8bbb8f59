/** What a person may do with a ticket, as forms right where they read of it. */
import { html } from "hono/html";
import type { OrderName, OrderSeen, OrderWords } from "../../ports-dashboard.ts";
import type { Sha, TicketId } from "../../state-machine/ticket.ts";
import { short } from "../../says.ts";
import { oneLine, timeAgo, type Html } from "../words.ts";

export interface Ordering {
  readonly id: TicketId;
  readonly version: number;
  readonly head: Sha | undefined;
  readonly may: readonly OrderName[];
  readonly wantsUsd: number | undefined;
  readonly ordered: OrderSeen | undefined;
}
/** What was typed for an order that was refused: it is not to be typed again. */
export interface Draft extends OrderWords {
  readonly order: OrderName;
}
export interface OrderingPage {
  readonly csrf: string;
  /** Where a carried out order leads back to: this page, or the list it stands in. */
  readonly from: "ticket" | "waiting";
  readonly now: number;
  readonly draft?: Draft | undefined;
}

/** Longest text that a form takes. */
const maxText = 8_000;

const pressed: Readonly<
  Record<"approve" | "release" | "retry" | "stop", { readonly name: string; readonly says: string }>
> = {
  approve: { name: "Approve this head", says: "consents to merging exactly this head" },
  release: { name: "Release", says: "lets it start, as its issue reads now" },
  retry: { name: "Retry", says: "sets the counters to zero and goes on" },
  stop: { name: "Stop", says: "ends the work; branch and worktree are kept" },
};
const written: Readonly<
  Record<"reject" | "tell", { readonly name: string; readonly asks: string; readonly send: string }>
> = {
  reject: {
    name: "Ask for changes",
    asks: "What is to change? The next build reads your words.",
    send: "Ask for changes",
  },
  tell: {
    name: "Tell the agent",
    asks: "What should the agent know? It hears it before its next turn.",
    send: "Tell it",
  },
};

/** Every order that the ticket can take now, and what else may be pressed beside them. */
export function orderForms(ticket: Ordering, page: OrderingPage, beside?: Html): Html {
  const { ordered } = ticket;
  if (ticket.may.length === 0 && ordered === undefined && beside === undefined) return html``;
  return html`${
      ordered === undefined
        ? html``
        : html`<p class="ordered" role="status">
            <b>${oneLine(ordered.by, 80)}</b> ${oneLine(ordered.what, 200)}, ${timeAgo(ordered.at, page.now)}
            ago; it is being carried out.
          </p>`
    }
    <div class="orders">${ticket.may.map((order) => formOf(order, ticket, page))} ${beside ?? ""}</div>`;
}

function formOf(order: OrderName, ticket: Ordering, page: OrderingPage): Html {
  switch (order) {
    case "reject":
    case "tell":
      return wordsForm(order, ticket, page);
    case "budget":
      return budgetForm(ticket, page);
    case "approve":
    case "release":
    case "retry":
    case "stop":
      return html`<form method="post" action="${pathOf(ticket, order)}" data-order="${order}">
        ${carried(ticket, page)}
        <button
          class="${order === "approve" ? "main" : order === "stop" ? "quiet" : ""}"
          title="${pressed[order].says}"
        >
          ${pressed[order].name}${order === "approve" && ticket.head !== undefined ? html` <code>${short(ticket.head)}</code>` : html``}
        </button>
      </form>`;
  }
}

const pathOf = ({ id }: Ordering, order: OrderName): string => `/tickets/${encodeURIComponent(id)}/${order}`;

/** Upon what it is decided, and where it leads back to. */
const carried = ({ version }: Ordering, { csrf, from }: OrderingPage): Html =>
  html`<input type="hidden" name="csrf" value="${csrf}" />
    <input type="hidden" name="seen" value="${version}" />
    <input type="hidden" name="from" value="${from}" />`;

/** Left alone while the page follows what happens: somebody may be writing in it. */
function wordsForm(order: "reject" | "tell", ticket: Ordering, page: OrderingPage): Html {
  const { name, asks, send } = written[order];
  const draft = page.draft?.order === order ? page.draft.text : undefined;
  const field = `${order}-${ticket.id}`;
  return html`<details
    data-order="${order}"
    id="form-${field}"
    hx-morph-skip
    ${draft === undefined ? html`` : html`open`}
  >
    <summary>${name}</summary>
    <form method="post" action="${pathOf(ticket, order)}">
      ${carried(ticket, page)}
      <label for="${field}">${asks}</label>
      <textarea id="${field}" name="text" rows="4" required maxlength="${maxText}">${draft ?? ""}</textarea>
      <button class="main">${send}</button>
    </form>
  </details>`;
}

function budgetForm(ticket: Ordering, page: OrderingPage): Html {
  const field = `budget-${ticket.id}`;
  const usd = page.draft?.order === "budget" ? page.draft.usd : ticket.wantsUsd;
  return html`<form
    method="post"
    action="${pathOf(ticket, "budget")}"
    data-order="budget"
    id="form-${field}"
    hx-morph-skip
  >
    ${carried(ticket, page)}
    <label for="${field}">Dollars more</label>
    <input
      id="${field}"
      name="usd"
      type="number"
      inputmode="decimal"
      min="0.01"
      max="9999"
      step="0.01"
      required
      value="${usd ?? ""}"
    />
    <button class="main" title="it goes on where it stopped">Allow</button>
  </form>`;
}
