/** What was spent: today and this month beside the caps, every day as a bar, and a table by whatever is asked. */
import { html } from "hono/html";
import { costKeys, type CostBy, type CostRow, type CostsView } from "../../ports-dashboard-costs.ts";
import { money, type Html } from "../words.ts";

const names: Readonly<Record<CostBy, { readonly tab: string; readonly none: string }>> = {
  day: { tab: "Day", none: "" },
  tenant: { tab: "Tenant", none: "no repository" },
  repo: { tab: "Repository", none: "no repository" },
  runtime: { tab: "Runtime", none: "" },
  model: { tab: "Model", none: "unknown model" },
  label: { tab: "Label", none: "no label" },
  requester: { tab: "Requester", none: "unknown" },
  ticket: { tab: "Ticket", none: "" },
};
const spans = ["7d", "30d", "90d", "365d"] as const;

export function costsPage(view: CostsView, since: string): Html {
  const path = (change: Partial<Record<"by" | "stack" | "since", string>>): string =>
    `/costs?${new URLSearchParams({ by: view.by, stack: view.stack, since, ...change }).toString()}`;
  const links = (
    says: string,
    name: "by" | "stack" | "since",
    values: readonly (readonly [string, string])[],
    now: string,
  ): Html =>
    html`<nav class="pages" aria-label="${says}">
      ${values.map(
        ([value, text]) =>
          html`<a href="${path({ [name]: value })}" ${value === now ? html`aria-current="page"` : html``}
            >${text}</a
          >`,
      )}
    </nav>`;
  return html`<div class="head">
      <h1>Costs</h1>
      <p class="sums">${view.from} to ${view.to}, days of UTC</p>
      ${links(
        "How far back",
        "since",
        spans.map((span) => [span, span]),
        since,
      )}
    </div>
    ${facts(view)}
    ${
      view.total.sessions === 0
        ? html`<p class="empty">
            No agent was at work in this time. What a session costs stands here as soon as its runtime reports
            it, and <code>forgehand cost</code> tells the same.
          </p>`
        : html`${links(
              "What bars are made of",
              "stack",
              [
                ["runtime", "Days by runtime"],
                ["model", "Days by model"],
              ],
              view.stack,
            )}
            ${chart(view)}
            ${links(
              "What is summed by",
              "by",
              costKeys.map((key) => [key, names[key].tab]),
              view.by,
            )}
            ${view.by === "day" ? html`` : sumsTable(view)}
            <p>
              <a href="/costs.csv?${new URLSearchParams({ by: view.by, since }).toString()}"
                >The same as CSV</a
              >
              ${view.by === "label" ? html`<span class="soft">A ticket with several labels is counted under each.</span>` : html``}
            </p>`
    }`;
}

const fact = (name: string, value: string, more: string | Html = ""): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}${more === "" ? html`` : html`<small>${more}</small>`}</dd>
  </div>`;

function facts(view: CostsView): Html {
  const { today, month, caps, total } = view;
  const share = (part: number | undefined): string =>
    part === undefined ? "–" : `${Math.round(part * 100)} %`;
  const usd = (sum: number | undefined): string => (sum === undefined ? "–" : money(sum, false));
  const pace = (projected: number | undefined, until: string): string =>
    projected === undefined ? "" : `${money(projected, false)} by ${until} at this pace`;
  return html`${caps === undefined ? html`` : capLine(today.usd, caps)}
    <dl class="facts">
      ${fact("Today", money(today.usd, false), pace(today.projectedUsd, "midnight UTC"))}
      ${fact("This month", money(month.usd, false), pace(month.projectedUsd, "its end"))}
      ${fact("In this time", money(total.usd, total.guessedUsd > 0), total.guessedUsd > 0 ? `${money(total.guessedUsd, true)} of it at guessed prices` : "")}
      ${fact("Per merged pull request", usd(view.usdPerMerged), `${view.merged} merged; all that was spent counts`)}
      ${fact("Per failed session", usd(view.usdPerFailed), `${total.failed} of ${total.sessions} ended without a result`)}
      ${fact("Input from cache", share(view.cachedShare), `of ${total.inputTokens.toLocaleString("en")} tokens`)}
    </dl>`;
}

/** A meter for eyes, words for everybody. */
function capLine(
  usd: number,
  { warnUsd, stopUsd }: { readonly warnUsd: number; readonly stopUsd: number },
): Html {
  const words = `Today ${money(usd, false)} of $${stopUsd}, where nothing new starts; from $${warnUsd} on you are warned.`;
  const line = html`<meter min="0" max="${stopUsd}" high="${warnUsd}" optimum="0" value="${usd}">
      ${words}
    </meter>
    ${words}`;
  return usd < warnUsd
    ? html`<p>${line}</p>`
    : html`<p class="alarm" role="status">
        <b>${usd < stopUsd ? "▲ Warned" : "▲ Stopped until midnight UTC"}.</b> ${line}
      </p>`;
}

/** The table is what the chart is drawn from, and stands in its place where no script runs. */
function chart({ parts, days, caps, stack }: CostsView): Html {
  const cells = (sums: readonly number[], text: (usd: number) => string): readonly Html[] =>
    sums.map((usd, index) => html`<td data-label="${parts[index] ?? ""}" class="number">${text(usd)}</td>`);
  const shown = days.toReversed().filter(({ usd }) => usd > 0);
  return html`<div
      id="chart"
      data-days="${JSON.stringify(days.map(({ day }) => Date.parse(day) / 1_000))}"
      data-names="${JSON.stringify(parts)}"
      data-sums="${JSON.stringify(parts.map((_, index) => days.map((day) => day.parts[index] ?? 0)))}"
      data-caps="${JSON.stringify(caps === undefined ? [] : [caps.warnUsd, caps.stopUsd])}"
    ></div>
    <details ${days.length <= 31 ? html`open` : html``}>
      <summary>Days, as a table</summary>
      <table class="days">
        <caption class="visually-hidden">
          Dollars of each day by ${stack}
        </caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col" class="number">All</th>
            ${parts.map((part) => html`<th scope="col" class="number">${part}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            ({ day, usd, parts: sums }) =>
              html`<tr>
                <th scope="row"><time datetime="${day}">${day}</time></th>
                <td data-label="All" class="number">
                  ${money(usd, false)}${caps !== undefined && usd >= caps.warnUsd ? (usd >= caps.stopUsd ? " ▲ stopped" : " ▲ warned") : ""}
                </td>
                ${cells(sums, (part) => (part === 0 ? "" : money(part, false)))}
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
}

function sumsTable({ by, rows, isCut, total }: CostsView): Html {
  return html`<table class="costs">
      <caption class="visually-hidden">
        Costs by ${names[by].tab.toLowerCase()}, the dearest first
      </caption>
      <thead>
        <tr>
          <th scope="col">${names[by].tab}</th>
          <th scope="col" class="number">Cost</th>
          <th scope="col" class="number">Share</th>
          <th scope="col" class="number">Sessions</th>
          <th scope="col" class="number">Failed</th>
          <th scope="col" class="number">Tokens in</th>
          <th scope="col" class="number">Cached</th>
          <th scope="col" class="number">Tokens out</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => sumsRow(by, row, total.usd))}
      </tbody>
    </table>
    ${isCut ? html`<p class="soft">These are the dearest ${rows.length}; the CSV has all.</p>` : html``}`;
}

function sumsRow(by: CostBy, row: CostRow, all: number): Html {
  const number = (count: number): string => count.toLocaleString("en");
  const name = row.name === "" ? html`<span class="soft">${names[by].none}</span>` : html`${row.name}`;
  return html`<tr data-row>
    <th scope="row">
      ${by === "ticket" ? html`<a href="/tickets/${encodeURIComponent(row.name)}">${name}</a>` : name}
    </th>
    <td data-label="Cost" class="number">
      ${money(row.usd, row.guessedUsd > 0)}${row.guessedUsd > 0 ? html` <span class="soft">guessed</span>` : html``}
    </td>
    <td data-label="Share" class="number">${all === 0 ? "–" : `${Math.round((row.usd / all) * 100)} %`}</td>
    <td data-label="Sessions" class="number">${number(row.sessions)}</td>
    <td data-label="Failed" class="number">${number(row.failed)}</td>
    <td data-label="Tokens in" class="number">${number(row.inputTokens)}</td>
    <td data-label="Cached" class="number">
      ${row.inputTokens === 0 ? "–" : `${Math.round((row.cachedTokens / row.inputTokens) * 100)} %`}
    </td>
    <td data-label="Tokens out" class="number">${number(row.outputTokens)}</td>
  </tr>`;
}
