/** One run: how it stands and why, its tree and its time, what its tasks gave, and what may be done with it. */
import { html } from "hono/html";
import type { LogOrder, LogPart } from "../../ports-dashboard-logs.ts";
import type { RunComparison, RunPage, RunSession, RunTask } from "../../ports-dashboard-runs.ts";
import { age } from "../../says.ts";
import { money, timeAgo, type Html } from "../words.ts";
import { askOf, ordersOf, type FormParts } from "./run-orders-page.ts";
import { placeHref, type RunPlaceOnPage } from "./run-place.ts";
import { framesOf, leafState, treeOf, waterfall } from "./run-tree-page.ts";
import { outcomeWord, runLink, runPath, runState } from "./runs-page.ts";
import { logSection } from "./session-log-page.ts";

export interface RunPageParts {
  readonly page: RunPage;
  readonly place: RunPlaceOnPage;
  readonly csrf: string;
  readonly told: Html;
  readonly log: { readonly part: LogPart; readonly order: LogOrder } | undefined;
}

export function runPage({ page, place, csrf, told, log }: RunPageParts): Html {
  const { run, at, now } = page;
  const forms: FormParts = { id: run.id, csrf, version: page.version, now };
  return html`${told} ${head(page)}
    ${
      at === undefined
        ? html``
        : html`<p class="past" role="status">
            As it was at frame ${at} of ${page.frames}.
            <a href="${placeHref(place, { frame: undefined })}">As it is</a>
          </p>`
    }
    <section class="wait" aria-live="polite">
      ${page.reasons.map((reason) => html`<p>${reason}</p>`)}
      ${page.asks.map((ask) => askOf(ask, forms, page.may.includes("answer")))}
    </section>
    <details class="do" ${page.may.some((one) => one !== "answer") ? html`` : html`open`}>
      <summary>What you can do</summary>
      ${ordersOf(page, forms)}
      <ul class="commands">
        ${page.commands.map((line) => html`<li><code data-copy>${line}</code></li>`)}
      </ul>
    </details>
    <section>
      <h2>Frames</h2>
      ${framesOf(page, place)} ${page.comparison === undefined ? html`` : comparison(page.comparison)}
    </section>
    <section>
      <h2>Tree</h2>
      ${page.treeNote === undefined ? html`` : html`<p class="soft">${page.treeNote}</p>`}
      ${
        page.tree === undefined || (page.treeNote !== undefined && page.tree.children.length === 0)
          ? html`<p class="empty">Nothing has begun yet.</p>`
          : treeOf(page.tree, place)
      }
    </section>
    <section>
      <h2>Time</h2>
      ${waterfall(page, place)}
    </section>
    ${place.look.task === undefined ? html`` : taskSection(page.task, place, now)} ${agents(page, place)}
    ${log === undefined ? html`` : logOf(log, place)} ${values(page)} ${others(page)}`;
}

function head({ run, frame, replays, usd, usdIsGuess, summary, now }: RunPage): Html {
  const { ticket, parent } = run;
  return html`<div class="head">
      <h1>${run.id} <span class="title">${run.workflow}</span></h1>
      <p class="sums">
        ${runState(run.status)} · outcome ${outcomeWord(run.outcome)} · begun ${timeAgo(run.createdAt, now)}
        ago · ${run.settledAt === undefined ? "for" : "took"}
        ${age(Math.max(0, (run.settledAt ?? now) - run.createdAt))} · ${money(usd, usdIsGuess)}
        ${
          ticket === undefined
            ? html``
            : html`· ticket
                <a href="/tickets/${encodeURIComponent(ticket.id)}">${ticket.ref}</a> ${ticket.title}`
        }
        ${
          parent === undefined
            ? html``
            : html`· ${replays ? "replays" : "forked from"} ${runLink({ id: parent })}
              ${frame === undefined ? "" : `at frame ${frame}`}`
        }
      </p>
    </div>
    ${summary === undefined ? html`` : html`<p>${summary.text} <span class="soft">(${summary.by})</span></p>`}`;
}

function comparison({ from, to, outputs, onlyFirst, onlySecond, files, notes }: RunComparison): Html {
  const isSame = outputs.length + onlyFirst.length + onlySecond.length + files.length === 0;
  return html`<section id="comparison">
    <h3>Frame ${from} and frame ${to}</h3>
    ${notes.map((one) => html`<p class="soft">${one}</p>`)}
    ${isSame ? html`<p class="empty">Nothing that can be compared differs.</p>` : html``}
    ${
      outputs.length === 0
        ? html``
        : html`<table>
            <caption>
              Outputs
            </caption>
            <thead>
              <tr>
                <th scope="col">Task</th>
                <th scope="col">Frame ${from}</th>
                <th scope="col">Frame ${to}</th>
              </tr>
            </thead>
            <tbody>
              ${outputs.map(
                ({ place, first, second }) =>
                  html`<tr>
                    <th scope="row">${place}</th>
                    <td data-label="Frame ${from}">
                      ${first === undefined ? "–" : html`<pre>${first}</pre>`}
                    </td>
                    <td data-label="Frame ${to}">
                      ${second === undefined ? "–" : html`<pre>${second}</pre>`}
                    </td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
    ${
      onlyFirst.length + onlySecond.length === 0
        ? html``
        : html`<h4>Tree</h4>
            <ul class="differs">
              ${onlyFirst.map((line) => html`<li>− <del>${line}</del></li>`)}
              ${onlySecond.map((line) => html`<li>+ <ins>${line}</ins></li>`)}
            </ul>`
    }
    ${files.map(
      ({ folder, diff }) =>
        html`<h4>Files in ${folder}</h4>
          <pre class="diff">${diff}</pre>`,
    )}
  </section>`;
}

function taskSection(task: RunTask | undefined, place: RunPlaceOnPage, now: number): Html {
  const name = place.look.task ?? "";
  if (task === undefined)
    return html`<section id="task">
      <h2>${name}</h2>
      <p class="empty">
        It has not begun by this frame. <a href="${placeHref(place, { task: undefined })}">Close</a>
      </p>
    </section>`;
  return html`<section id="task">
    <h2>${task.task} <a class="quiet" href="${placeHref(place, { task: undefined })}">close</a></h2>
    ${task.attempts.toReversed().map(
      (one) =>
        html`<article class="try">
          <h3>Try ${one.attempt}: ${leafState(one.status)}</h3>
          <p class="soft">
            <a href="${placeHref(place, { frame: one.frame })}">frame ${one.frame}</a> · began
            ${timeAgo(one.startedAt, now)} ago ·
            ${one.endedAt === undefined ? html`not over` : html`ran ${age(one.endedAt - one.startedAt)}`}${
              one.dueAt === undefined ? "" : ` · next at ${new Date(one.dueAt).toISOString()}`
            }${one.folder === undefined ? html`` : html` · in <code>${one.folder}</code>`}
          </p>
          ${one.effect === undefined ? html`` : html`<p>Effect: ${one.effect}</p>`}
          ${
            one.error === undefined
              ? html``
              : html`<h4>Error</h4>
                  <pre class="bad">${one.error}</pre>`
          }
          ${
            one.prompt === undefined
              ? html``
              : html`<details>
                  <summary>What it was told</summary>
                  <pre>${one.prompt}</pre>
                </details>`
          }
          ${
            one.output === undefined
              ? html``
              : html`<h4>Output</h4>
                  <pre>${one.output}</pre>`
          }
          ${one.sessions.length === 0 ? html`` : sessionsTable(one.sessions, place, now)}
        </article>`,
    )}
  </section>`;
}

function agents({ sessions, now }: RunPage, place: RunPlaceOnPage): Html {
  return html`<section>
    <h2>Agents</h2>
    ${
      sessions.length === 0
        ? html`<p class="empty">No agent has worked in this run.</p>`
        : sessionsTable(sessions, place, now)
    }
  </section>`;
}

const sessionsTable = (sessions: readonly RunSession[], place: RunPlaceOnPage, now: number): Html =>
  html`<table>
    <thead>
      <tr>
        <th scope="col">Session</th>
        <th scope="col">Runtime</th>
        <th scope="col">Model</th>
        <th scope="col" class="number">Tokens in / out</th>
        <th scope="col" class="number">Cost</th>
        <th scope="col">Outcome</th>
      </tr>
    </thead>
    <tbody>
      ${sessions.map(
        (one) =>
          html`<tr>
            <th scope="row">
              <a href="${placeHref(place, { session: one.name }, "#log")}"
                >${one.role}${one.attempt === undefined || one.attempt < 2 ? "" : `, try ${one.attempt}`}</a
              >
            </th>
            <td data-label="Runtime">${one.runtime}</td>
            <td data-label="Model">${one.model ?? "?"}</td>
            <td data-label="Tokens in / out" class="number">
              ${one.inputTokens.toLocaleString("en")} / ${one.outputTokens.toLocaleString("en")}
            </td>
            <td data-label="Cost" class="number">
              ${one.usd === undefined ? "?" : money(one.usd, one.usdIsGuess)}
            </td>
            <td data-label="Outcome">
              ${one.endedAt === undefined ? html`at work for ${timeAgo(one.startedAt, now)}` : (one.outcome ?? "ended")}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;

const logOf = ({ part, order }: NonNullable<RunPageParts["log"]>, { id }: RunPlaceOnPage): Html =>
  html`<section>
    <h2>Log of ${part.session.role}</h2>
    ${logSection({ part, order, path: runPath(id), hidden: { session: part.session.name } })}
  </section>`;

const values = ({ input, output, source, folder }: RunPage): Html =>
  html`<section>
    <h2>Input and output</h2>
    ${source === undefined ? html`` : html`<p>Workflow file <code>${source}</code></p>`}
    ${folder === undefined ? html`` : html`<p>Works in <code>${folder}</code></p>`}
    <details>
      <summary>Input</summary>
      <pre>${input}</pre>
    </details>
    ${
      output === undefined
        ? html`<p class="soft">No output yet.</p>`
        : html`<h3>Output</h3>
            <pre>${output}</pre>`
    }
  </section>`;

function others({ forks, deeds, now }: RunPage): Html {
  return html`${
    forks.length === 0
      ? html``
      : html`<section>
          <h2>Runs from this one</h2>
          <ul>
            ${forks.map((fork) => html`<li>${runLink(fork)} ${runState(fork.status)} ${outcomeWord(fork.outcome)}</li>`)}
          </ul>
        </section>`
  }
  ${
    deeds.length === 0
      ? html``
      : html`<section>
          <h2>What people did</h2>
          <ul class="deeds">
            ${deeds.map(
              (deed) =>
                html`<li>
                  ${timeAgo(deed.at, now)} ago, <b>${deed.by}</b>:
                  ${deed.what}${
                    deed.about === undefined ? "" : ` “${deed.about}”`
                  }${deed.note === "" ? "" : ` (${deed.note})`}
                </li>`,
            )}
          </ul>
        </section>`
  }`;
}
