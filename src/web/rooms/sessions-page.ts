/** Who is in the dashboard. */
import { html } from "hono/html";
import { orderForm } from "../form.ts";
import { timeAgo, type Html } from "../words.ts";
import type { SessionsView } from "./sessions.ts";

const kinds = { link: "a link of forgehand open", github: "an account of GitHub" } as const;

export function sessionsPage({ sessions, isAll, now }: SessionsView, csrf: string): Html {
  return html`<div class="head">
      <h1>Sessions</h1>
      ${orderForm({
        path: "/sessions/end-all",
        csrf,
        name: isAll ? "End all, of everybody" : "End all of mine",
        says: "whoever is in has to come in again, you too; links that nobody followed yet are void",
        isQuiet: true,
      })}
    </div>
    <p>
      ${
        isAll
          ? "Everybody who is in. A session ends by itself after half a day; tokens of programs are told and revoked by `forgehand token`."
          : "Where you are in. A session ends by itself after half a day, or when you lose access."
      }
    </p>
    ${
      sessions.length === 0
        ? html`<p class="empty">Nobody is in: you came with a token.</p>`
        : html`<table>
            <thead>
              <tr>
                <th scope="col">Who</th>
                <th scope="col">Came with</th>
                <th scope="col" class="number">Came</th>
                <th scope="col" class="number">Last seen</th>
                <th scope="col">End</th>
              </tr>
            </thead>
            <tbody>
              ${sessions.map(
                (one) =>
                  html`<tr>
                    <th scope="row">${one.who}${one.isThis ? " (this one)" : ""}</th>
                    <td data-label="Came with">${kinds[one.kind]}</td>
                    <td data-label="Came" class="number">${timeAgo(one.openedAt, now)} ago</td>
                    <td data-label="Last seen" class="number">${timeAgo(one.seenAt, now)} ago</td>
                    <td data-label="End">
                      ${orderForm({
                        path: `/sessions/${one.id}`,
                        csrf,
                        name: "End",
                        says: "whoever uses it has to come in again",
                        isQuiet: true,
                      })}
                    </td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }`;
}
