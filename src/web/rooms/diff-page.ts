/** A change as it was reviewed: its files and lines, what the round found on them, and what takes a person. */
import { html } from "hono/html";
import type { DiffFileView, DiffLineView, DiffView } from "../../ports-dashboard-ticket.ts";
import { short } from "../../says.ts";
import { oneLine, type Html } from "../words.ts";
import { findingOf, verdicts } from "./ticket-reviews.ts";

export function diffPage(view: DiffView): Html {
  const { files, findings, missing } = view;
  const path = `/tickets/${encodeURIComponent(view.id)}`;
  return html`<div class="head">
      <h1><a href="${path}">${view.ref}</a> <span class="title">${oneLine(view.title)}</span></h1>
      <p class="sums">${sumsOf(view)}</p>
    </div>
    ${picker(view, path)}
    ${missing === undefined ? html`` : html`<p class="empty" role="status">${missing}</p>`}
    ${
      findings.length === 0
        ? html``
        : html`<section>
            <h2>Findings on nothing shown here</h2>
            <ul>
              ${findings.map((one) => html`<li>${findingOf(one)}</li>`)}
            </ul>
          </section>`
    }
    ${files.length < 2 ? html`` : contents(files)} ${files.map(fileOf)}
    ${view.isCut ? html`<p class="alarm" role="status">There is more than is shown here; the pull request has all of it.</p>` : html``}`;
}

function sumsOf({ files, fileCount, base, head, since }: DiffView): Html {
  if (head === undefined) return html``;
  const sum = (of: (file: DiffFileView) => number): number =>
    files.reduce((total, file) => total + of(file), 0);
  return html`<code>${base === undefined ? "?" : short(base)}..${short(head)}</code>
    ${since === undefined ? "against its base" : `since round ${since}`} · ${fileCount}
    ${fileCount === 1 ? "file" : "files"} · +${sum(({ added }) => added)} −${sum(({ removed }) => removed)}`;
}

/** Each round by itself, and against the one before. */
function picker({ rounds, round, since }: DiffView, path: string): Html {
  if (rounds.length === 0) return html``;
  const link = (href: string, name: string, isHere: boolean): Html =>
    html`<a href="${href}" ${isHere ? html`aria-current="page"` : html``}>${name}</a>`;
  return html`<nav aria-label="Rounds" class="rounds">
    ${rounds.map(({ number, head, verdict }) => {
      const name = `Round ${number} ${verdict === undefined ? "(not judged yet)" : verdicts[verdict]} ${short(head)}`;
      return html`<span
        >${link(`${path}/diff?round=${number}`, name, number === round && since === undefined)}${
          number === 1
            ? html``
            : html` ${link(`${path}/diff?round=${number}&since=${number - 1}`, `since ${number - 1}`, number === round && since === number - 1)}`
        }</span
      > `;
    })}
  </nav>`;
}

const nth = (index: number): string => `file-${index + 1}`;

const contents = (files: readonly DiffFileView[]): Html =>
  html`<details>
    <summary>${files.length} files</summary>
    <ul>
      ${files.map(
        (file, index) =>
          html`<li>
            <a href="#${nth(index)}">${oneLine(file.path)}</a> +${file.added} −${file.removed}
            ${file.signs.length === 0 ? "" : html`<b>▲ takes a person</b>`}
          </li>`,
      )}
    </ul>
  </details>`;

const fileOf = (file: DiffFileView, index: number): Html =>
  html`<section class="file" id="${nth(index)}">
    <h2>
      ${file.oldPath === undefined ? "" : `${oneLine(file.oldPath)} → `}${oneLine(file.path)}
      <span class="soft">${file.is} +${file.added} −${file.removed}</span>
    </h2>
    ${file.signs.map((sign) => html`<p class="sign"><b>▲ Takes a person:</b> ${oneLine(sign)}</p>`)}
    ${file.findings.map((one) => html`<div class="finding">${findingOf(one)}</div>`)}
    ${file.isBinary && file.hunks.length === 0 ? html`<p class="soft">Binary: there are no lines to show.</p>` : html``}
    ${
      file.hunks.length === 0
        ? html``
        : html`<table class="diff">
            <thead class="visually-hidden">
              <tr>
                <th scope="col">Line</th>
                <th scope="col">Sign</th>
                <th scope="col">Text</th>
              </tr>
            </thead>
            ${file.hunks.map(
              ({ heading, lines }) =>
                html`<tbody>
                  <tr class="hunk">
                    <td colspan="3">⋯ ${oneLine(heading, 120)}</td>
                  </tr>
                  ${lines.map(lineOf)}
                </tbody>`,
            )}
          </table>`
    }
    ${file.isCut ? html`<p class="soft">This file goes on; the pull request has all of it.</p>` : html``}
  </section>`;

const signs = { "+": "added", "-": "removed", " ": "same" } as const;

const lineOf = ({ sign, line, text, findings }: DiffLineView): Html =>
  html`<tr data-sign="${signs[sign]}">
      <td class="number">${line}</td>
      <td>${sign}</td>
      <td><code>${text}</code></td>
    </tr>
    ${
      findings.length === 0
        ? ""
        : html`<tr class="finding">
            <td colspan="3">${findings.map((one) => html`<div>${findingOf(one)}</div>`)}</td>
          </tr>`
    }`;
