/** `forgehand halt`, `halt-all` and what lifts them: durable, and in force whether or not forgehand runs. */
import { randomUUID } from "node:crypto";
import { systemClock } from "../adapters/clock.ts";
import { isDead } from "../adapters/owner.ts";
import { nearest } from "../nearest.ts";
import { exitCodes, Problem } from "../problems.ts";
import { lookFirst } from "../shell/halt-marks.ts";
import { byOperator } from "../shell/halt-marks.ts";
import { haltItem } from "../shell/orders.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Store } from "../store/store.ts";
import { atDesk, ticketNamed } from "./database.ts";
import { operator } from "./operator.ts";
import { liftOf } from "./halts-told.ts";
import { Failure, type Answer } from "./output.ts";

interface HaltOptions {
  readonly database?: string | undefined;
}
/** Halts, or lifts the operator's halt of, one ticket or all of one repository. */
export async function halt(is: "raised" | "lifted", name: string, options: HaltOptions): Promise<Answer> {
  return await atDesk(options, "write", async ({ store }) => {
    const repo = await repoNamed(store, name);
    return repo === undefined ? await haltTicket(store, is, name) : await haltRepo(store, is, repo);
  });
}

/** Halts everything, or lifts what operators halted; a label is lifted by taking it off. */
export async function haltAll(is: "raised" | "lifted", options: HaltOptions): Promise<Answer> {
  return await atDesk(options, "write", async ({ store }) => {
    const actor = `operator:${operator()}`;
    if (is === "raised") await store.raiseHalt(byOperator, actor, systemClock().now());
    else for (const { id } of [byOperator, lookFirst]) await store.liftHalt(id);
    const left = (await store.halts()).everything;
    const text =
      is === "raised"
        ? "everything is halted: nothing starts, is sent or pushed until `forgehand unhalt-all`"
        : left.length === 0
          ? "everything goes on"
          : `it stays halted: ${left.map(liftOf).join("; ")}`;
    return {
      schema: "halt-all/1",
      data: { is, halts: left.map(({ key, value, actor: by, at }) => ({ key, value, by, at })) },
      text,
      ...(await servingHint(store)),
    };
  });
}

async function repoNamed(store: Store, name: string): Promise<KnownRepo | undefined> {
  if (!/^[\w.-]+\/[\w.-]+$/u.test(name)) return undefined;
  const repos = await store.knownRepos();
  const found = repos.find((one) => refOf(one).toLowerCase() === name.toLowerCase());
  if (found !== undefined || (await store.findTickets(name)).length > 0) return found;
  const meant = nearest(name, repos.map(refOf));
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new Failure(
    exitCodes.notFound,
    `there is no ticket ${name}, and the App serves no such repository${hint}`,
  );
}
const refOf = ({ owner, name }: KnownRepo): string => `${owner}/${name}`;

async function haltRepo(store: Store, is: "raised" | "lifted", repo: KnownRepo): Promise<Answer> {
  const ref = refOf(repo);
  let text: string;
  if (is === "raised") {
    await store.haltRepo({ id: repo.id, ref }, `operator:${operator()}`, systemClock().now());
    text = `${ref} is halted: nothing of it starts, is sent or pushed until \`forgehand unhalt ${ref}\``;
  } else text = (await store.liftRepoHalt(repo.id)) ? `${ref} goes on` : `${ref} was not halted`;
  return { schema: "halt/1", data: { repository: ref, is }, text, ...(await servingHint(store)) };
}

async function haltTicket(store: Store, is: "raised" | "lifted", name: string): Promise<Answer> {
  const { ref, ticket } = await ticketNamed(store, name);
  const halters = await store.haltersOf(ticket.id);
  const isMine = halters.some(({ by }) => by === "operator");
  if (is === "lifted" && !isMine)
    throw new Problem("halt-not-ours", { ticket: ref, ...liftBy(ticket.halted) });
  const actor = `operator:${operator()}`;
  const item = haltItem(ticket.id, is, { actor, id: `op:${randomUUID()}`, at: systemClock().now() });
  await store.sayHalt(item, { is, actor });
  const others = halters.filter(({ by }) => by === "people");
  const text =
    is === "raised"
      ? `${ref} is halted: its run is ended, branch and worktree are kept, until \`forgehand unhalt ${ref}\``
      : others.length > 0
        ? `${ref} stays halted: ${others.map((one) => one.actor).join(", ")} halted it too; take the label forgehand:halt off`
        : `${ref} is not halted any more; where it was at work \`forgehand retry ${ref}\` goes on`;
  return { schema: "halt/1", data: { ticket: ref, is, item: item.id }, text, ...(await servingHint(store)) };
}

const liftBy = (halted: boolean) =>
  halted
    ? {
        why: "people halted it",
        fix: "Take the label forgehand:halt off, or answer `retry` in its agent session.",
      }
    : { why: "it is not halted", fix: "`forgehand ps` tells what it waits for." };

async function servingHint(store: Store): Promise<{ readonly hint?: string }> {
  const owner = await store.instanceOwner();
  return owner !== undefined && !isDead(owner)
    ? {}
    : { hint: "forgehand is not running; it holds from the next start, before anything begins" };
}
