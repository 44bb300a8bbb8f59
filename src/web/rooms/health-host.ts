/** The lower half of the page on health: what this process is, hears, asks and takes up. */
import { html } from "hono/html";
import type { ChannelHealth, HealthView } from "../../ports-dashboard-health.ts";
import type { LoopStanding, RateBudget } from "../../ports-host.ts";
import { timeAgo, type Html } from "../words.ts";
import { bytes, mark, timeUntil } from "./host-words.ts";

/** Below this share of a budget it is told loudly. */
const scarce = 0.1;
/** Prices move; half a year is long. */
const oldDays = 180;

export const hostSections = (view: HealthView): Html =>
  html`<section aria-labelledby="budgets">
      <h2 id="budgets">Rate limits</h2>
      ${budgets(view)}
    </section>
    <section aria-labelledby="heard">
      <h2 id="heard">Last heard</h2>
      ${heard(view)}
    </section>
    <section aria-labelledby="runtimes">
      <h2 id="runtimes">Runtimes and prices</h2>
      ${runtimes(view)}
    </section>
    <section aria-labelledby="channels">
      <h2 id="channels">Notifications</h2>
      ${channels(view)}
    </section>
    <section aria-labelledby="loops">
      <h2 id="loops">Loops</h2>
      ${loops(view)}
    </section>
    <section aria-labelledby="process">
      <h2 id="process">Process and disk</h2>
      ${process(view)}
    </section>`;

function budgets({ budgets: all, now }: HealthView): Html {
  if (all.length === 0)
    return html`<p class="empty">
      Nobody told yet how much they still answer. GitHub and Linear say it with every answer, and it stands
      here from the first one on.
    </p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Of</th>
        <th scope="col" class="number">Left</th>
        <th scope="col">Standing</th>
        <th scope="col" class="number">Full again</th>
        <th scope="col" class="number">Said</th>
      </tr>
    </thead>
    <tbody>
      ${all.map((one) => budget(one, now))}
    </tbody>
  </table>`;
}

function budget({ of, name, limit, left, resetAt, at }: RateBudget, now: number): Html {
  const isFull = resetAt <= now;
  return html`<tr>
    <th scope="row">${of}: ${name}</th>
    <td data-label="Left" class="number">${left.toLocaleString("en")} of ${limit.toLocaleString("en")}</td>
    <td data-label="Standing">
      ${isFull || left >= limit * scarce ? mark("well", "enough") : mark("bad", left === 0 ? "spent" : "scarce")}
    </td>
    <td data-label="Full again" class="number">${timeUntil(resetAt, now)}</td>
    <td data-label="Said" class="number">${timeAgo(at, now)} ago</td>
  </tr>`;
}

const feeds: Readonly<Record<string, string>> = {
  webhook: "GitHub posts webhooks to this host",
  pull: "GitHub's own log of deliveries is read all the time (no public address needed)",
  smee: "a Smee channel passes GitHub's webhooks on, and its log is read behind it",
  local: "a repository of this host is watched",
};

function heard({ heard: all, feed, walkedAt, now }: HealthView): Html {
  return html`<p>
      ${feed === undefined ? "" : `${feeds[feed] ?? feed}.`}
      ${walkedAt === undefined ? html`` : html`GitHub's log of deliveries was last compared ${timeAgo(walkedAt, now)} ago.`}
    </p>
    ${
      all.length === 0
        ? html`<p class="empty">
            Nothing came in yet. Label an issue <code>agent-ready</code>, and look at
            <a href="/webhooks">webhooks</a> for what arrives.
          </p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Source</th>
                <th scope="col">Last</th>
                <th scope="col" class="number">Ago</th>
              </tr>
            </thead>
            <tbody>
              ${all.map(
                ({ source, name, at }) =>
                  html`<tr>
                    <th scope="row">
                      <a href="/webhooks?source=${encodeURIComponent(source)}">${source}</a>
                    </th>
                    <td data-label="Last"><code>${name}</code></td>
                    <td data-label="Ago" class="number">${timeAgo(at, now)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }`;
}

function runtimes({ runtimes: all, prices }: HealthView): Html {
  const priced =
    prices === undefined
      ? html``
      : html`<p>
          Prices: the table of <time datetime="${prices.table}">${prices.table}</time>, ${prices.ageDays} days
          old${prices.ageDays > oldDays ? html` ${mark("warn", "old: take a newer forgehand")}` : html``};
          ${prices.own === 0 ? "none of the operator's own" : `${prices.own} of the operator's own`}.
        </p>`;
  if (all === undefined)
    return html`<p class="soft">They are being asked; look again in a moment.</p>
      ${priced}`;
  return html`<table>
      <thead>
        <tr>
          <th scope="col">Runtime</th>
          <th scope="col">Version</th>
          <th scope="col">Standing</th>
        </tr>
      </thead>
      <tbody>
        ${all.map(
          ({ name, version, why, isTested }) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td data-label="Version">${version ?? "unknown"}</td>
              <td data-label="Standing">
                ${
                  why !== undefined
                    ? html`${mark("bad", "cannot work")} ${why}`
                    : isTested === false
                      ? mark("warn", "works; another version than was tested")
                      : mark("well", "works")
                }
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${priced}`;
}

function channels({ channels: all, now }: HealthView): Html {
  if (all.length === 0)
    return html`<p class="empty">
      Nobody is told beside the forge. <code>FORGEHAND_NOTIFY</code> takes URLs of Slack, Discord, Telegram,
      ntfy, Gotify, a webhook or e-mail, and <code>forgehand notify test</code> sends a message to each.
    </p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Channel</th>
        <th scope="col">Standing</th>
        <th scope="col" class="number">Waiting</th>
        <th scope="col" class="number">Last sent</th>
      </tr>
    </thead>
    <tbody>
      ${all.map((one) => channel(one, now))}
    </tbody>
  </table>`;
}

const channel = ({ label, waiting, sentAt, trouble }: ChannelHealth, now: number): Html =>
  html`<tr>
    <th scope="row">${label}</th>
    <td data-label="Standing">
      ${trouble === undefined ? (sentAt === undefined ? mark("off", "not used yet") : mark("well", "works")) : html`${mark("bad", "in trouble")} ${trouble}`}
    </td>
    <td data-label="Waiting" class="number">${waiting}</td>
    <td data-label="Last sent" class="number">
      ${sentAt === undefined ? "never" : html`${timeAgo(sentAt, now)} ago`}
    </td>
  </tr>`;

function loops({ loops: all, now }: HealthView): Html {
  if (all.length === 0) return html`<p class="empty">Nobody serves here.</p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">Loop</th>
        <th scope="col">Is</th>
        <th scope="col" class="number">Looked</th>
        <th scope="col" class="number">Looks again</th>
      </tr>
    </thead>
    <tbody>
      ${all.map((one) => loop(one, now))}
    </tbody>
  </table>`;
}

const loop = ({ name, is, trouble, lookedAt, wakesAt }: LoopStanding, now: number): Html =>
  html`<tr>
    <th scope="row">${name}</th>
    <td data-label="Is">
      ${trouble === undefined ? mark(is === "stopped" ? "off" : "well", is) : html`${mark("bad", "in trouble")} ${trouble}`}
    </td>
    <td data-label="Looked" class="number">
      ${lookedAt === undefined ? "not yet" : html`${timeAgo(lookedAt, now)} ago`}
    </td>
    <td data-label="Looks again" class="number">
      ${wakesAt === undefined ? "when something happens" : timeUntil(wakesAt, now)}
    </td>
  </tr>`;

function process({ lease, startedAt, update, disk, now }: HealthView): Html {
  return html`<dl class="facts">
    <dt>Lease</dt>
    <dd>
      ${
        lease === undefined
          ? "nobody has the database"
          : html`process ${lease.pid} on ${lease.host}, for ${timeAgo(lease.since, now)}`
      }
    </dd>
    ${
      startedAt === undefined
        ? html``
        : html`<dt>Serving</dt>
            <dd>for ${timeAgo(startedAt, now)}</dd>`
    }
    <dt>Update</dt>
    <dd>
      ${
        update === undefined
          ? "none was asked for"
          : html`from ${update.from} to ${update.version}: ${update.step}, asked for by ${update.by}
            ${timeAgo(update.at, now)} ago${update.why === undefined ? "" : `; ${update.why}`}`
      }
    </dd>
    ${
      disk === undefined
        ? html`<dt>Disk</dt>
            <dd class="soft">it is being measured; look again in a moment</dd>`
        : html`<dt>Database</dt>
            <dd>${bytes(disk.databaseBytes)}, and ${bytes(disk.walBytes)} of its log of writes</dd>
            <dt>Free</dt>
            <dd>${bytes(disk.freeBytes)} on that disk</dd>
            <dt>Data folder</dt>
            <dd>
              ${disk.folders.length === 0 ? "no folder in it" : disk.folders.map(({ name, bytes: size }) => `${name} ${bytes(size)}`).join(", ")}${disk.isPartial ? "; at least: there are too many files to look at all" : ""}
              <span class="soft">measured ${timeAgo(disk.at, now)} ago</span>
            </dd>`
    }
  </dl>`;
}
