/** The tree of a run, its attempts over time, and the slider over its frames. */
import { html } from "hono/html";
import type { LeafStatus, RunBar, RunNode, RunPage } from "../../ports-dashboard-runs.ts";
import { age } from "../../says.ts";
import type { Html } from "../words.ts";
import { placeHref, type RunPlaceOnPage } from "./run-place.ts";

const statuses: Readonly<Record<LeafStatus, readonly [string, string]>> = {
  none: ["○", "not begun"],
  running: ["▸", "at work"],
  waiting: ["⏸", "waits"],
  again: ["↻", "tried again"],
  finished: ["✓", "done"],
  failed: ["✗", "failed"],
  lost: ["…", "lost"],
};
export const leafState = (status: LeafStatus): Html =>
  html`<span class="state" data-leaf="${status}"
    ><span aria-hidden="true">${statuses[status][0]}</span> ${statuses[status][1]}</span
  >`;

/** Iterations of a loop that are offered, the newest. */
const mostRounds = 30;

export const treeOf = (node: RunNode, place: RunPlaceOnPage): Html =>
  html`<ul class="tree" aria-label="Tree of the run">
    ${item(node, place)}
  </ul>`;

function item(node: RunNode, place: RunPlaceOnPage): Html {
  const { kind, id, max, status, task, tries, children } = node;
  const inside =
    children.length === 0
      ? html``
      : html`<ul>
          ${children.map((child) => item(child, place))}
        </ul>`;
  if (kind === "loop") return html`<li>${loopHead(node, place)}${inside}</li>`;
  if (status !== undefined && task !== undefined)
    return html`<li>
      ${leafState(status)}
      <a
        href="${placeHref(place, { task }, "#task")}"
        ${place.look.task === task ? html`aria-current="true"` : html``}
        >${id ?? task}</a
      >
      <span class="soft">${kind === "task" ? "" : kind}${tries > 1 ? ` ${tries} tries` : ""}</span>
    </li>`;
  const most = max === undefined ? "" : `, at most ${max} at once`;
  return html`<li><span class="soft">${kind}${id === undefined ? "" : ` ${id}`}${most}</span>${inside}</li>`;
}

/** Collapsed to one iteration, with links to the others. */
function loopHead({ id = "", max, round = 1, rounds }: RunNode, place: RunPlaceOnPage): Html {
  const all = Array.from({ length: rounds }, (_none, index) => index + 1).slice(-mostRounds);
  const to = (one: number): string =>
    placeHref(place, { rounds: new Map([...place.look.rounds, [id, one]]) });
  return html`<span class="soft">loop</span> <b>${id}</b>
    <span>${rounds === 0 ? "not begun" : `${round}/${max ?? rounds}`}</span>
    ${
      rounds < 2
        ? html``
        : html`<nav class="rounds" aria-label="Iterations of ${id}">
            ${rounds > mostRounds ? html`<a href="${to(1)}">1</a> … ` : html``}${all.map(
              (one) =>
                html`<a href="${to(one)}" ${one === round ? html`aria-current="true"` : html``}>${one}</a> `,
            )}
          </nav>`
    }`;
}

/** A bar for each attempt: hollow while it was in the queue, filled while it ran. */
export function waterfall(page: RunPage, place: RunPlaceOnPage): Html {
  const { bars, run, now, leftOutBars } = page;
  if (bars.length === 0)
    return html`<p class="empty">
      ${leftOutBars > 0 ? `${leftOutBars} attempts are too many to draw.` : "No task has begun yet."}
    </p>`;
  const first = leftOutBars > 0 ? (bars[0]?.readyAt ?? run.createdAt) : run.createdAt;
  const last = Math.max(...bars.map(({ endedAt }) => endedAt ?? now), first + 1);
  const x = (at: number): number => Math.round(((Math.max(at, first) - first) / (last - first)) * 1_000);
  return html`${leftOutBars > 0 ? html`<p class="soft">${leftOutBars} older attempts are not drawn.</p>` : html``}
    <table class="waterfall">
      <caption class="visually-hidden">
        Attempts in order: how long each was in the queue and how long it ran
      </caption>
      <thead>
        <tr>
          <th scope="col" class="number">Frame</th>
          <th scope="col">Task</th>
          <th scope="col">State</th>
          <th scope="col" class="number">Queued</th>
          <th scope="col" class="number">Ran</th>
          <th scope="col" aria-hidden="true">From ${new Date(first).toISOString().slice(11, 19)} on</th>
        </tr>
      </thead>
      <tbody>
        ${bars.map((bar) => barRow(bar, place, { now, x }))}
      </tbody>
    </table>`;
}

function barRow(
  bar: RunBar,
  place: RunPlaceOnPage,
  { now, x }: { readonly now: number; readonly x: (at: number) => number },
): Html {
  const { frame, task, attempt, status, readyAt, startedAt, endedAt } = bar;
  const end = endedAt ?? now;
  const [queued, ran] = [startedAt - readyAt, end - startedAt];
  return html`<tr>
    <td data-label="Frame" class="number"><a href="${placeHref(place, { frame })}">${frame}</a></td>
    <td data-label="Task">
      <a href="${placeHref(place, { task }, "#task")}">${task}</a>${attempt > 1 ? ` try ${attempt}` : ""}
    </td>
    <td data-label="State">${leafState(status)}</td>
    <td data-label="Queued" class="number">${age(queued)}</td>
    <td data-label="Ran" class="number">${age(Math.max(0, ran))}</td>
    <td class="bar" aria-hidden="true">
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none">
        <rect
          class="queued"
          x="${x(readyAt)}"
          y="3"
          width="${Math.max(0, x(startedAt) - x(readyAt))}"
          height="4"
        />
        <rect
          class="ran"
          data-leaf="${status}"
          x="${x(startedAt)}"
          y="0"
          width="${Math.max(3, x(end) - x(startedAt))}"
          height="10"
        />
      </svg>
    </td>
  </tr>`;
}

/** Links and a form, so that it works without scripts; a script adds keys, play, and a slider that submits by itself. */
export function framesOf(page: RunPage, place: RunPlaceOnPage): Html {
  const { frames, at } = page;
  if (frames === 0)
    return html`<p class="empty">It has no frames yet: each attempt that begins makes one.</p>`;
  const now = at ?? frames;
  const to = (frame: number | undefined): string => placeHref(place, { frame });
  // Without a script a link is a link; with one only the page inside is changed.
  const link = (name: string, href: string | undefined, mark: string): Html =>
    href === undefined
      ? html`<span class="soft">${name}</span>`
      : html`<a
          href="${href}"
          data-frame="${mark}"
          hx-get="${href}"
          hx-target="#main"
          hx-select="#main"
          hx-swap="outerMorph"
          hx-push-url="true"
          >${name}</a
        >`;
  return html`<div class="frames" data-frames>
    ${link("← Previous", now > 0 ? to(now - 1) : undefined, "previous")}
    <form
      method="get"
      action="${placeHref({ ...place, look: { ...place.look, task: undefined } }, {}).split("?")[0]}"
    >
      ${keep(place)}
      <label
        >Frame
        <input
          type="range"
          name="frame"
          min="0"
          max="${frames}"
          value="${now}"
          data-slider
          aria-valuetext="frame ${now} of ${frames}"
      /></label>
      <output>${now}/${frames}</output>
      <button>Show</button>
    </form>
    ${link("Next →", now < frames ? to(now + 1) : undefined, "next")}
    ${at === undefined ? html`` : html`<a href="${to(undefined)}">As it is</a>`}
    <form method="get" action="${placeHref(place, {}).split("?")[0]}">
      <input type="hidden" name="frame" value="${now}" />
      <label
        >Compare with
        <input
          type="number"
          name="with"
          min="0"
          max="${frames}"
          value="${place.look.beside ?? Math.max(0, now - 1)}"
          size="4"
      /></label>
      <button>Compare</button>
    </form>
  </div>`;
}

const keep = ({ look }: RunPlaceOnPage): Html =>
  html`${look.task === undefined ? html`` : html`<input type="hidden" name="task" value="${look.task}" />`}${[
    ...look.rounds,
  ].map(([loop, round]) => html`<input type="hidden" name="in" value="${loop}:${round}" />`)}`;
