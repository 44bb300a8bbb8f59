/** Repositories as a list, and one with its configuration and where each value is said. */
import { html } from "hono/html";
import type { RepositoriesPage, RepositoryPage, RepositoryRow } from "../../ports-dashboard-repositories.ts";
import { orderForm } from "../form.ts";
import { outside, timeAgo, type Html } from "../words.ts";
import { mark, query, toldLine, type Told } from "./host-words.ts";

export function repositoriesPage({ rows, next, now, isOperator }: RepositoriesPage): Html {
  return html`<div class="head">
      <h1>Repositories</h1>
    </div>
    ${
      rows.length === 0
        ? html`<p class="empty">
            No repository is known.
            ${
              isOperator
                ? html`Install the App in one (<code>forgehand init</code> says where), then propose it to its
                    people with <code>forgehand bootstrap OWNER/REPO</code>.`
                : "You see those that you may read on the forge."
            }
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Repository</th>
                <th scope="col">Installed</th>
                <th scope="col">Onboarded</th>
                <th scope="col">Configuration</th>
                <th scope="col">Labels</th>
                <th scope="col">Auto-merge</th>
                <th scope="col">Runtimes</th>
                <th scope="col" class="number">Compared</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => repositoryRow(row, now))}
            </tbody>
          </table>`
    }
    ${next === undefined ? html`` : html`<p><a href="/repositories${query({ after: next })}">More</a></p>`}`;
}

const repositoryRow = (row: RepositoryRow, now: number): Html =>
  html`<tr data-row>
    <th scope="row">
      <a href="/repositories/${row.id}">${row.name}</a>
      ${row.halt === undefined ? html`` : mark("bad", "halted")}
    </th>
    <td data-label="Installed">${installed(row)}</td>
    <td data-label="Onboarded">${onboarded(row)}</td>
    <td data-label="Configuration">${configured(row)}</td>
    <td data-label="Labels">${labelled(row.missingLabels)}</td>
    <td data-label="Auto-merge">${autoMerge(row.autoMerge)}</td>
    <td data-label="Runtimes">${row.runtimes.join(", ")}</td>
    <td data-label="Compared" class="number">
      ${row.syncedAt === 0 ? "not yet" : html`${timeAgo(row.syncedAt, now)} ago`}
    </td>
  </tr>`;

const installed = ({ removedAt }: RepositoryRow): Html =>
  removedAt === undefined ? mark("well", "yes") : mark("bad", "not any more");

function onboarded({ onboarding, name }: RepositoryRow): Html {
  switch (onboarding.is) {
    case "configured":
      return mark("well", "yes");
    case "proposed":
      return html`${mark("warn", "proposed")} in #${onboarding.pull}: nothing new starts before it is merged`;
    case "over":
      return html`${mark("off", "declined")} in #${onboarding.pull}; the defaults hold`;
    case "none":
      return html`${mark("off", "no")}: <code>forgehand bootstrap ${name}</code>`;
  }
}

const configured = ({ faults }: RepositoryRow): Html =>
  faults === 0 ? mark("well", "valid") : mark("bad", `${faults} wrong: nothing new starts`);

const labelled = (missing: number | undefined): Html =>
  missing === undefined
    ? mark("off", "not looked at")
    : missing === 0
      ? mark("well", "all there")
      : mark("warn", `${missing} missing`);

const mergeWords = {
  never: ["bad", "never"],
  "with warnings": ["warn", "with warnings"],
  possible: ["well", "possible"],
  unknown: ["off", "not looked at"],
} as const;
const autoMerge = (is: RepositoryRow["autoMerge"]): Html => mark(mergeWords[is][0], mergeWords[is][1]);

export function repositoryPage(view: RepositoryPage, csrf: string, told: Told | undefined): Html {
  const { now } = view;
  return html`${toldLine(told)}
    <div class="head">
      <h1>${view.name}</h1>
      <p class="sums">
        ${view.isPrivate ? "private" : "public"} · <code>${view.branch}</code> · configuration of
        ${view.configAt === undefined ? "no commit yet" : html`<code>${view.configAt.slice(0, 7)}</code>`}
      </p>
    </div>
    ${view.halt === undefined ? html`` : html`<p class="alarm">Halted by <b>${view.halt.by}</b>, ${timeAgo(view.halt.at, now)} ago: nothing of it starts, is sent or pushed.</p>`}
    ${orders(view, csrf)}
    <dl class="facts">
      <dt>Installed</dt>
      <dd>${installed(view)}</dd>
      <dt>Onboarded</dt>
      <dd>${onboarded(view)}</dd>
      <dt>Runtimes</dt>
      <dd>${view.runtimes.join(", ")}</dd>
      <dt>Commands</dt>
      <dd>
        ${
          view.commands.length === 0
            ? "none: nothing but CI and the review says whether a change works"
            : view.commands.map(({ name, command }) => html`${name} <code>${command}</code> `)
        }
      </dd>
      <dt>Labels</dt>
      <dd>
        ${labelled(view.missingLabels)}
        ${view.looked?.missingLabels.map((name) => html`<code>${name}</code> `) ?? ""}
      </dd>
    </dl>
    <section>
      <h2>Can anything be merged by itself?</h2>
      ${merging(view)}
    </section>
    <section>
      <h2>Configuration</h2>
      ${faults(view)}${values(view)}
    </section>`;
}

function orders({ id, mayAdminister, halt, mayLook }: RepositoryPage, csrf: string): Html {
  if (!mayAdminister) return html``;
  return html`<div class="orders">
    ${orderForm({
      path: `/repositories/${id}/resync`,
      csrf,
      name: "Read again",
      says: mayLook
        ? "its files on the default branch, its labels, and what a merge is asked for"
        : "its files on the default branch",
    })}
    ${
      halt === undefined
        ? orderForm({
            path: `/repositories/${id}/halt`,
            csrf,
            name: "Halt",
            says: "nothing of it starts, is sent or pushed until this is lifted",
          })
        : orderForm({
            path: `/repositories/${id}/unhalt`,
            csrf,
            name: "Lift the halt",
            says: "lets it go on",
          })
    }
  </div>`;
}

const mergeMarks = { never: ["bad", "never"], warn: ["warn", "mind"], ok: ["well", "known"] } as const;

function merging({ looked, autoMerge: is, mayLook, now }: RepositoryPage): Html {
  if (looked === undefined)
    return html`<p class="empty">
      Nobody looked yet.
      ${mayLook ? "“Read again” asks the forge what its default branch demands of a merge." : "This forge has nobody to ask."}
    </p>`;
  const age = html`<span class="soft">as of ${timeAgo(looked.at, now)} ago</span>`;
  if (looked.merging === undefined)
    return html`<p>${mark("off", "unknown")}: the App may not read the rules of the branch ${age}</p>`;
  return html`<p>${autoMerge(is)} ${age}</p>
    <ul>
      ${looked.merging.map(
        (one) =>
          html`<li>
            ${mark(mergeMarks[one.is][0], mergeMarks[one.is][1])}
            ${one.what}${one.fix === undefined ? html`` : html`<br /><span class="soft">${one.fix}</span>`}
          </li>`,
      )}
    </ul>`;
}

function faults({ faultsAt, faults: count, soundAt }: RepositoryPage): Html {
  if (count === 0) return html`<p>${mark("well", "Nothing is wrong with it.")}</p>`;
  return html`<p>
      ${mark("bad", `${count} wrong`)}: no new ticket starts here until it is corrected on the default branch.
      ${soundAt === undefined ? "What is right counts meanwhile, and only people merge." : html`Meanwhile that of <code>${soundAt.slice(0, 7)}</code> is in force.`}
    </p>
    <ul>
      ${faultsAt.map(({ place, url, message }) => html`<li>${url === undefined ? html`<code>${place}</code>` : outside(url, place)}: ${message}</li>`)}
      ${count > faultsAt.length ? html`<li>and ${count - faultsAt.length} more</li>` : html``}
    </ul>`;
}

const values = ({ values: all }: RepositoryPage): Html =>
  html`<details>
    <summary>Every value in force, and where it is said</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Value</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        ${all.map(
          ({ key, value, from }) =>
            html`<tr>
              <th scope="row"><code>${key}</code></th>
              <td data-label="Value"><code>${value}</code></td>
              <td data-label="From">${from}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
