/** What waits for a person, each with what may be done about it right there: the page of a phone. */
import { html } from "hono/html";
import type { WaitingItem, WaitingKind, WaitingView } from "../../ports-dashboard.ts";
import { money, oneLine, outside, stateWord, timeAgo, type Html } from "../words.ts";
import { filterBox, haltedLine } from "./board-page.ts";
import { orderForms } from "./order-forms.ts";

const kinds: Readonly<Record<WaitingKind, { readonly icon: string; readonly name: string }>> = {
  approval: { icon: "◉", name: "Approval" },
  money: { icon: "$", name: "Wants more money" },
  stopped: { icon: "▲", name: "Stopped" },
  spec: { icon: "?", name: "Asked for more" },
  run: { icon: "◉", name: "A run asks" },
  halt: { icon: "■", name: "Halt" },
  configuration: { icon: "▲", name: "Configuration" },
  runtime: { icon: "▲", name: "Runtime" },
  tracker: { icon: "▲", name: "Sign-in" },
  onboarding: { icon: "◉", name: "Onboarding" },
};

/** `writes`: where people write tickets. */
export function waitingPage(view: WaitingView, csrf: string, writes: "here" | "elsewhere"): Html {
  const { items, next } = view;
  return html`${haltedLine(view, csrf)}
    <div class="head">
      <h1>Waiting for you</h1>
      ${writes === "here" ? html`<a href="/tickets/new">New ticket</a>` : html``}
      ${items.length === 0 ? html`` : filterBox}
    </div>
    ${
      items.length === 0
        ? html`<p class="empty">
            Nothing waits for a person. What is under way stands on the <a href="/board">board</a>; a ticket
            comes here when it wants an approval, money or an answer, or is stuck.
          </p>`
        : html`<ul class="cards waiting" data-filter>
            ${items.map((item) => cardOf(item, view.now, csrf))}
          </ul>`
    }
    ${next === undefined ? html`` : html`<p><a rel="next" href="/?after=${encodeURIComponent(next)}">Next page</a></p>`}
    <p class="soft hint">Keys: j k next and previous, Enter open, a approve, d ask for changes.</p>`;
}

function cardOf(item: WaitingItem, now: number, csrf: string): Html {
  const { ticket, title, why } = item;
  return html`<li data-row data-kind="${item.kind}" id="card-${item.key}">
    <h2>${nameOf(item)} <span class="title">${oneLine(title, 200)}</span></h2>
    <p class="sums">
      <span class="kind"
        ><span aria-hidden="true">${kinds[item.kind].icon}</span> ${kinds[item.kind].name}</span
      >
      ${ticket === undefined ? html`` : html`<span>${stateWord(ticket.state)}</span>`}
      <span>for ${timeAgo(item.since, now)}</span>
      ${ticket === undefined ? html`` : html`<span>round ${ticket.round}/${ticket.maxRounds}</span>`}
      ${item.usd === undefined ? html`` : html`<span>${money(item.usd, item.usdIsGuess)}</span>`}
      ${item.url === "" ? html`` : html`<span>${outside(item.url, "issue")}</span>`}
      ${ticket?.head === undefined ? html`` : html`<span><a href="${item.href}/diff">diff</a></span>`}
    </p>
    <p>${oneLine(why, 400)}</p>
    ${ticket === undefined ? html`` : orderForms(ticket, { csrf, from: "waiting", now })} ${elsewhere(item)}
  </li>`;
}

const nameOf = ({ href, ref }: WaitingItem): Html =>
  href === undefined ? html`<b>${oneLine(ref, 120)}</b>` : html`<a href="${href}">${oneLine(ref, 120)}</a>`;

/** A ticket's own page tells it in full; what has no forms here is done elsewhere. */
function elsewhere({ youCan, ticket }: WaitingItem): Html {
  if (youCan.length === 0) return html``;
  const list = html`<ul>
    ${youCan.map((can) => html`<li>${oneLine(can.say)}: <code>${oneLine(can.do)}</code></li>`)}
  </ul>`;
  return ticket === undefined
    ? list
    : html`<details>
        <summary>Elsewhere</summary>
        ${list}
      </details>`;
}
