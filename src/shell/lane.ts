import { forgeTicketId, linearTicketId } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { Item } from "../store/inbox.ts";
import type { Heard } from "../webhooks/heard.ts";
import { readGitHub } from "../webhooks/read-github.ts";
import { readLinear } from "../webhooks/read-linear.ts";
import { readLocal } from "../webhooks/read-local.ts";
import type { Workshop } from "./workshop.ts";

export const heardIn = (shop: Workshop, item: Item): readonly Heard[] =>
  item.source === "local"
    ? readLocal(item)
    : readGitHub({ name: item.name, body: item.body }, { appId: shop.app.id, botLogin: shop.app.login });

/** The tickets a hint may be about; none when it is about a whole repository or nothing of ours. */
export async function ticketsOf(shop: Workshop, heard: Heard): Promise<readonly TicketId[]> {
  const { store } = shop;
  const { repo, target } = heard;
  if ("issue" in target) return [forgeTicketId(repo, target.issue)];
  if ("pull" in target) {
    const id = await store.ticketOfPull(repo.id, target.pull, undefined);
    return id === undefined ? [] : [id];
  }
  if ("head" in target) {
    const byPull = await Promise.all(
      target.pulls.map((pull) => store.ticketOfPull(repo.id, pull, undefined)),
    );
    const ids = [
      ...(await store.ticketsOfHead(repo.id, target.head)),
      ...byPull.filter((id) => id !== undefined),
    ];
    return [...new Set(ids)];
  }
  return [];
}

/** The lane of the ticket that a webhook of Linear is about; undefined for one about something else. */
function linearLaneIn(body: string): string | undefined {
  const hint = readLinear(body);
  if (!("issue" in hint) || hint.issue === undefined) return undefined;
  const ticket = linearTicketId({ workspace: hint.workspace, issue: hint.issue });
  // Who presses stop does not wait behind what waits for Linear or the forge.
  return hint.is === "session.prompted" && hint.signal === "stop" ? `${ticket} stop` : ticket;
}

/** Items of one lane are read one after another, in order of arrival. */
export async function laneOf(shop: Workshop, item: Item): Promise<string> {
  if (item.ticket !== undefined) return item.ticket;
  if (item.source === "linear") return linearLaneIn(item.body) ?? item.id;
  if (item.source !== "github" && item.source !== "local") return item.id;
  const [first] = heardIn(shop, item);
  if (first === undefined) return item.id;
  const [ticket] = await ticketsOf(shop, first);
  return ticket ?? `repo:${first.repo.id}`;
}
