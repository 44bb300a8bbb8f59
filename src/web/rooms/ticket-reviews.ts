/** The rounds of a ticket: what became of each finding, and what each verdict said. */
import { html } from "hono/html";
import type { TicketPage } from "../../ports-dashboard.ts";
import type { FindingIs, FindingRow } from "../../ports-dashboard-ticket.ts";
import { short, type FindingView, type RoundView } from "../../says.ts";
import { oneLine, plain, timeAgo, type Html } from "../words.ts";

export function reviews({ view, findings, id }: TicketPage): Html {
  const { rounds, now } = view;
  if (rounds.length === 0)
    return html`<p class="empty">
      No review yet. The other family judges the first head that is delivered.
    </p>`;
  return html`${matrix(findings, rounds, id)}
  ${rounds.toReversed().map((round) => roundOf(round, { now, id, isFirst: round.number === 1 }))}`;
}

const words: Readonly<Record<FindingIs, { readonly icon: string; readonly name: string }>> = {
  new: { icon: "+", name: "new" },
  kept: { icon: "•", name: "kept" },
  reopened: { icon: "↺", name: "reopened" },
  late: { icon: "!", name: "raised late" },
  fixed: { icon: "✓", name: "fixed" },
  dropped: { icon: "–", name: "dropped" },
};

function matrix(findings: readonly FindingRow[], rounds: readonly RoundView[], id: string): Html {
  if (findings.length === 0) return html`<p class="soft">No round had a finding.</p>`;
  return html`<table class="matrix">
    <caption class="visually-hidden">
      What became of each finding in each round
    </caption>
    <thead>
      <tr>
        <th scope="col">Finding</th>
        ${rounds.map(
          ({ number, verdict }) =>
            html`<th scope="col">
              <a href="/tickets/${encodeURIComponent(id)}/diff?round=${number}">Round ${number}</a>
              <span class="soft">${verdicts[verdict]}</span>
            </th>`,
        )}
      </tr>
    </thead>
    <tbody>
      ${findings.map(
        ({ finding, rounds: said }) =>
          html`<tr>
            <th scope="row"><b>${finding.grade}</b> ${oneLine(finding.title, 200)} ${placeOf(finding)}</th>
            ${said.map(
              (is, index) =>
                html`<td data-label="Round ${index + 1}" data-is="${is ?? "nothing"}">
                  ${is === undefined ? "" : html`<span aria-hidden="true">${words[is].icon}</span> ${words[is].name}`}
                </td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** A verdict as an icon and a word. */
export const verdicts: Readonly<Record<RoundView["verdict"], string>> = {
  pass: "✓ pass",
  fail: "✕ fail",
  blocked: "▲ no verdict",
};

function roundOf(
  round: RoundView,
  { now, id, isFirst }: { readonly now: number; readonly id: string; readonly isFirst: boolean },
): Html {
  const diff = `/tickets/${encodeURIComponent(id)}/diff?round=${round.number}`;
  return html`<article class="round" id="round-${round.number}">
    <h3>Round ${round.number}: ${verdicts[round.verdict]}</h3>
    <p class="soft">
      ${oneLine(round.reviewer)} on <code>${short(round.head)}</code>, ${timeAgo(round.at, now)}
      ago${round.mediation === undefined ? "" : ` · ${oneLine(round.mediation, 1_000)}`} ·
      <a href="${diff}">diff</a
      >${isFirst ? html`` : html` · <a href="${diff}&since=${round.number - 1}">since round ${round.number - 1}</a>`}
    </p>
    <p>${plain(round.summary)}</p>
    ${
      round.findings.length === 0
        ? html``
        : html`<ul>
            ${round.findings.map((finding) => html`<li>${findingOf(finding)}</li>`)}
          </ul>`
    }
  </article>`;
}

/** One finding with all that was said of it. */
export function findingOf(finding: FindingView): Html {
  const { evidence, by = [] } = finding;
  return html`<b>${finding.grade}</b
    >${finding.is === undefined || finding.is === "new" ? "" : ` (${finding.is})`} ${oneLine(finding.title)}
    ${placeOf(finding)}
    <details>
      <summary>More</summary>
      <pre>${plain(finding.body)}</pre>
      ${by.length === 0 ? html`` : html`<p class="soft">Named by ${by.map((one) => oneLine(one, 80)).join(", ")}.</p>`}
      ${
        evidence === undefined
          ? html``
          : html`<p>
                <code>${oneLine(evidence.command)}</code> ended with ${evidence.exit ?? "a signal"} and shows
                ${evidence.shows}:
              </p>
              <pre>${plain(evidence.output)}</pre>`
      }
    </details>`;
}

function placeOf({ path, line }: FindingView): Html {
  if (path === undefined) return html``;
  return html`<code>${oneLine(line === undefined ? path : `${path}:${line}`)}</code>`;
}
