/** Forms by which people answer what waits in a run, and order it about. */
import { html } from "hono/html";
import type { RunAsk, RunOrderAnswer, RunOrderName, RunPage } from "../../ports-dashboard-runs.ts";
import { age } from "../../says.ts";
import { timeAgo, type Html } from "../words.ts";
import { runPath } from "./runs-page.ts";

export interface FormParts {
  readonly id: string;
  readonly csrf: string;
  readonly version: string;
  readonly now: number;
}

const open = ({ id, csrf }: FormParts, order: RunOrderName): Html =>
  html`<form method="post" action="${runPath(id)}/${order}" class="order">
    <input type="hidden" name="csrf" value="${csrf}" />
   `;
const note = html`<label>Note <input name="note" maxlength="2000" size="30" /></label>`;

/** What waits, with the form that answers it for whoever may. */
export const askOf = (ask: RunAsk, parts: FormParts, mayAnswer: boolean): Html =>
  html`<article class="ask" id="ask-${ask.seq}">
    <h3>${asks[ask.is]}: ${ask.task}</h3>
    <p class="soft">
      Waits for
      ${timeAgo(ask.since, parts.now)}${
        ask.dueAt === undefined ? "" : `; answers itself in ${age(Math.max(0, ask.dueAt - parts.now))}`
      }${ask.who.length === 0 ? "" : `; only ${ask.who.join(" or ")} may answer`}
    </p>
    <p class="said">${ask.text}</p>
    ${ask.again === undefined ? html`` : html`<p>Asked again: ${ask.again}</p>`}
    ${
      mayAnswer
        ? html`${open(parts, "answer")}
            <input type="hidden" name="seq" value="${ask.seq}" />
            <input type="hidden" name="is" value="${ask.is}" />
            ${answerFields(ask)}
            ${ask.is === "approve" ? approveButtons : html`${note} <button>Answer</button>`}</form>`
        : html`<p class="soft">You may look at it and not answer.</p>`
    }
  </article>`;

const asks: Readonly<Record<RunAsk["is"], string>> = {
  approve: "Approval",
  choose: "Choice",
  rank: "Ranking",
  question: "Question",
  signal: "Signal",
};
const approveButtons = html`${note}
  <button name="decision" value="approved">Approve</button>
  <button name="decision" value="denied" class="quiet">Deny</button>`;

function answerFields({ is, options, schema, seq }: RunAsk): Html {
  switch (is) {
    case "approve":
      return html``;
    case "choose":
      return html`<fieldset>
        <legend class="visually-hidden">Choose one</legend>
        ${options.map(
          (option) =>
            html`<label><input type="radio" name="choice" value="${option}" required /> ${option}</label> `,
        )}
      </fieldset>`;
    case "rank":
      return html`<label
        >Best first, one a line
        <textarea name="order" rows="${Math.min(12, options.length)}">${options.join("\n")}</textarea>
      </label>`;
    case "question":
    case "signal":
      return html`<label
          >Answer, as JSON
          <textarea name="json" rows="3" required aria-describedby="schema-${seq}"></textarea>
        </label>
        <details>
          <summary>What fits</summary>
          <pre id="schema-${seq}">${schema ?? ""}</pre>
        </details>`;
  }
}

const names: Readonly<Record<Exclude<RunOrderName, "answer">, readonly [string, string]>> = {
  rewind: ["Rewind to it", "takes the run back to that frame, its files with it; nothing is lost"],
  undo: ["Take the last rewind back", "brings back what the newest rewind took out"],
  fork: ["Fork from it", "begins another run there, that goes on by itself"],
  replay: ["Replay up to it", "begins another run that takes what this one gave instead of working"],
  retry: ["Retry", "tries again what failed"],
  hold: ["Hold", "ends what is at work and keeps the run where it is"],
  resume: ["Resume", "lets it go on"],
  cancel: ["Cancel", "ends the run"],
};
const travels = ["rewind", "fork", "replay"] as const;
const moves = ["undo", "retry", "hold", "resume", "cancel"] as const;

/** What may be ordered now; nothing where nothing may. */
export function ordersOf({ may, whyNot, at, frames }: RunPage, parts: FormParts): Html {
  const back = travels.filter((one) => may.includes(one));
  const others = moves.filter((one) => may.includes(one));
  return html`${
    back.length === 0
      ? html``
      : html`${open(parts, back[0] ?? "fork")}
            <input type="hidden" name="seen" value="${parts.version}" />
            <label
              >Frame
              <input type="number" name="frame" min="0" max="${frames}" value="${at ?? frames}" required
            /></label>
            ${note} ${back.map((one) => button(parts.id, one))}</form>`
  }
  ${
    others.length === 0
      ? html``
      : html`${open(parts, others[0] ?? "cancel")}
            <input type="hidden" name="seen" value="${parts.version}" />
            ${note} ${others.map((one) => button(parts.id, one))}</form>`
  }
  ${whyNot === undefined ? html`` : html`<p class="soft">${whyNot}</p>`}`;
}

const button = (id: string, order: Exclude<RunOrderName, "answer">): Html =>
  html`<button
    formaction="${runPath(id)}/${order}"
    title="${names[order][1]}"
    ${order === "cancel" ? html`class="quiet"` : html``}
  >
    ${names[order][0]}
  </button> `;

/** What became of an order, above the page that stands after it; and what it would have left behind. */
export function toldOf(
  given: RunOrderAnswer | undefined,
  again: { readonly order: RunOrderName; readonly frame: string; readonly note: string } | undefined,
  parts: FormParts,
): Html {
  if (given === undefined || given.is === "unknown") return html``;
  const told = html`<p class="${given.is === "done" ? "told" : "alarm"}" role="status">${given.text}</p>`;
  if (given.is !== "forced" || again === undefined) return told;
  return html`${told}
    <ul>
      ${given.leaves.map((line) => html`<li>${line}</li>`)}
    </ul>
    ${open(parts, again.order)}
      <input type="hidden" name="seen" value="${parts.version}" />
      <input type="hidden" name="frame" value="${again.frame}" />
      <input type="hidden" name="note" value="${again.note}" />
      <input type="hidden" name="effects" value="accept" />
      <button>Do it all the same</button>
    </form>`;
}
