/** The health of the host: what stands still first, then who works, what is left, and what this process is. */
import { html } from "hono/html";
import type {
  BreakerView,
  HealthView,
  PurseView,
  RetryView,
  WorkView,
} from "../../ports-dashboard-health.ts";
import { orderForm } from "../form.ts";
import { money, timeAgo, type Html } from "../words.ts";
import { hostSections } from "./health-host.ts";
import { mark, timeUntil, toldLine, type Told } from "./host-words.ts";

export function healthPage(view: HealthView, csrf: string, told: Told | undefined): Html {
  return html`${toldLine(told)}
    <div class="head">
      <h1>Health</h1>
      <p class="sums">
        ${summary(view)}
        <span class="soft">forgehand ${view.version ?? "of unknown version"}</span>
      </p>
    </div>
    ${halts(view, csrf)}
    <section aria-labelledby="breakers">
      <h2 id="breakers">Breakers</h2>
      ${breakers(view, csrf)}
    </section>
    <section aria-labelledby="retries">
      <h2 id="retries">Retry queue</h2>
      ${retries(view, csrf)}
    </section>
    <section aria-labelledby="work">
      <h2 id="work">At work</h2>
      ${work(view)}
    </section>
    <section aria-labelledby="day">
      <h2 id="day">Today's budget</h2>
      ${day(view, csrf)}
    </section>
    ${hostSections(view)}`;
}

function summary({ isHalted, breakers: all, work: runs, loops, channels }: HealthView): Html {
  const open = all.filter(({ isOpen }) => isOpen).length;
  const silent = runs.filter(({ isSilent }) => isSilent).length;
  const troubled = [...loops, ...channels].filter(({ trouble }) => trouble !== undefined).length;
  const said = [
    ...(isHalted ? [mark("bad", "halted")] : []),
    ...(open > 0 ? [mark("bad", `${open} down`)] : []),
    ...(silent > 0 ? [mark("bad", `${silent} silent`)] : []),
    ...(troubled > 0 ? [mark("bad", `${troubled} in trouble`)] : []),
  ];
  return said.length === 0
    ? html`<span>${mark("well", "well")}</span>`
    : html`${said.map((one) => html`<span>${one}</span> `)}`;
}

function halts({ halts: all, isHalted, now }: HealthView, csrf: string): Html {
  return html`${all.map(({ what, by, at }) => html`<p class="alarm">Halted: ${what}, by <b>${by}</b>, ${timeAgo(at, now)} ago.</p>`)}
    <div class="orders">
      ${
        isHalted
          ? orderForm({
              path: "/unhalt-all",
              csrf,
              name: "Let dispatch go on",
              says: "lifts what operators halted; a label is lifted by taking it off",
            })
          : orderForm({
              path: "/halt-all",
              csrf,
              name: "Pause dispatch",
              says: "halts everything: nothing starts, is sent or pushed until this is lifted",
            })
      }
    </div>`;
}

function breakers({ breakers: all, blocked, blockedCount, now }: HealthView, csrf: string): Html {
  const tickets =
    blockedCount === 0
      ? html`<p class="empty">No ticket is blocked.</p>`
      : html`<p>
          ${mark("bad", `${blockedCount} blocked`)}: each waits until a person acts.
          ${blocked.map(
            ({ id, ref, since }) =>
              html`<span class="item"
                ><a href="/tickets/${encodeURIComponent(id)}">${ref}</a> for ${timeAgo(since, now)}</span
              > `,
          )}
          ${blockedCount > blocked.length ? html`and ${blockedCount - blocked.length} more on the <a href="/board">board</a>` : html``}
        </p>`;
  return html`${
    all.length === 0
      ? html`<p class="empty">
          Every runtime worked when it was last asked to. One that fails again and again, is logged out or out
          of quota stands here, and is left out for a while.
        </p>`
      : html`<table>
          <thead>
            <tr>
              <th scope="col">Runtime</th>
              <th scope="col">Is</th>
              <th scope="col">Why</th>
              <th scope="col" class="number">Failures</th>
              <th scope="col" class="number">Asked again</th>
              <th scope="col">Order</th>
            </tr>
          </thead>
          <tbody>
            ${all.map((one) => breaker(one, now, csrf))}
          </tbody>
        </table>`
  }${tickets}`;
}

const breaker = (
  { runtime, code, why, failures, since, until, isOpen }: BreakerView,
  now: number,
  csrf: string,
): Html =>
  html`<tr>
    <th scope="row">${runtime}</th>
    <td data-label="Is">
      ${isOpen ? mark("bad", "down") : mark("warn", "tried again")} for ${timeAgo(since, now)}
    </td>
    <td data-label="Why"><code>${code}</code> ${why}</td>
    <td data-label="Failures" class="number">${failures}</td>
    <td data-label="Asked again" class="number">${timeUntil(until, now)}</td>
    <td data-label="Order">
      ${orderForm({
        path: "/health/breaker",
        csrf,
        name: "Reset",
        says: "forgets what stands against it, so that it is asked again at once",
        isQuiet: true,
        hidden: { runtime },
      })}
    </td>
  </tr>`;

function retries({ retries: all, moreRetries, now }: HealthView, csrf: string): Html {
  if (all.length === 0) return html`<p class="empty">Nothing waits to be tried again.</p>`;
  return html`<table>
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Of</th>
          <th scope="col">Why</th>
          <th scope="col" class="number">Tries</th>
          <th scope="col" class="number">Next</th>
          <th scope="col">Order</th>
        </tr>
      </thead>
      <tbody>
        ${all.map((one) => retry(one, now, csrf))}
      </tbody>
    </table>
    ${moreRetries ? html`<p class="soft">These are the ones that come next; more wait behind them.</p>` : html``}`;
}

const retry = (
  { is, key, name, about, ticket, attempts, isWaiting, why, dueAt }: RetryView,
  now: number,
  csrf: string,
): Html =>
  html`<tr>
    <th scope="row">${is === "effect" ? "effect" : "inbox"} <code>${name}</code></th>
    <td data-label="Of">
      ${ticket === undefined ? about : html`<a href="/tickets/${encodeURIComponent(ticket)}">${ticket}</a>`}
    </td>
    <td data-label="Why">${isWaiting ? mark("off", "waits") : mark("warn", "met trouble")} ${why}</td>
    <td data-label="Tries" class="number">${attempts}</td>
    <td data-label="Next" class="number">${timeUntil(dueAt, now)}</td>
    <td data-label="Order">
      ${orderForm({
        path: "/health/retry",
        csrf,
        name: "Try now",
        says: "does not wait for its time",
        isQuiet: true,
        hidden: { key },
      })}
    </td>
  </tr>`;

function work({ work: all, slots, now }: HealthView): Html {
  return html`<p>
      ${slots.used} of ${slots.of} slots used, ${Math.max(0, slots.of - slots.used)} free; ${slots.waiting}
      ${slots.waiting === 1 ? "ticket waits" : "tickets wait"} for one.
      <meter min="0" max="${Math.max(1, slots.of)}" value="${slots.used}" aria-label="Slots used"></meter>
    </p>
    ${
      all.length === 0
        ? html`<p class="empty">Nobody is at work.</p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Ticket</th>
                <th scope="col">Does</th>
                <th scope="col" class="number">For</th>
                <th scope="col" class="number">Sign of life</th>
                <th scope="col">Last output</th>
              </tr>
            </thead>
            <tbody>
              ${all.map((one) => worker(one, now))}
            </tbody>
          </table>`
    }`;
}

const worker = (one: WorkView, now: number): Html =>
  html`<tr>
    <th scope="row"><a href="/tickets/${encodeURIComponent(one.ticket)}">${one.ref}</a></th>
    <td data-label="Does">
      ${one.workflow}${one.role === undefined ? "" : `: ${one.role}`}${one.runtime === undefined ? "" : ` on ${one.runtime}`}
    </td>
    <td data-label="For" class="number">${timeAgo(one.since, now)}</td>
    <td data-label="Sign of life" class="number">${timeAgo(one.heartbeatAt, now)} ago</td>
    <td data-label="Last output">
      ${
        one.outputAt === undefined
          ? "no agent speaks"
          : html`${timeAgo(one.outputAt, now)} ago
            ${one.isSilent ? mark("bad", "silent for more than 5 minutes") : html``}`
      }
    </td>
  </tr>`;

function day({ day: today, now }: HealthView, csrf: string): Html {
  const { host, namedUsd, raised, warnUsd, others, endsAt } = today;
  return html`<table>
      <thead>
        <tr>
          <th scope="col">Of</th>
          <th scope="col" class="number">Spent</th>
          <th scope="col" class="number">Set aside</th>
          <th scope="col" class="number">Cap</th>
          <th scope="col">Used</th>
        </tr>
      </thead>
      <tbody>
        ${[host, ...others].map(purse)}
      </tbody>
    </table>
    <p>
      ${
        raised === undefined
          ? html`The cap is what the settings say (<code>FORGEHAND_DAY_STOP_USD</code>); above
            ${money(warnUsd, false)} it is said once a day.`
          : html`The settings say ${money(namedUsd, false)}; <b>${raised.by}</b> set today's cap
              ${timeAgo(raised.at, now)} ago.`
      }
      The day ends ${timeUntil(endsAt, now)}, at midnight UTC.
    </p>
    <form method="post" action="/health/day" class="orders">
      <input type="hidden" name="csrf" value="${csrf}" />
      <input type="hidden" name="seen" value="${host.capUsd ?? 0}" />
      <label
        >Today everything may cost $
        <input name="usd" inputmode="decimal" size="7" required value="${host.capUsd ?? ""}"
      /></label>
      <button title="counts until midnight UTC, and is recorded with your name">Set today's cap</button>
    </form>`;
}

function purse({ name, spentUsd, reservedUsd, capUsd }: PurseView): Html {
  const used = spentUsd + reservedUsd;
  return html`<tr>
    <th scope="row">${name}</th>
    <td data-label="Spent" class="number">${money(spentUsd, false)}</td>
    <td data-label="Set aside" class="number">${money(reservedUsd, false)}</td>
    <td data-label="Cap" class="number">${capUsd === undefined ? "none" : money(capUsd, false)}</td>
    <td data-label="Used">
      ${
        capUsd === undefined
          ? ""
          : html`<meter
                min="0"
                max="${capUsd}"
                value="${Math.min(used, capUsd)}"
                aria-label="Used of the cap of ${name}"
              ></meter>
              ${Math.round((100 * used) / capUsd)}
              %${used >= capUsd ? html` ${mark("bad", "nothing new starts")}` : html``}`
      }
    </td>
  </tr>`;
}
