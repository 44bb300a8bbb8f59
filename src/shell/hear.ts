import type { Repo } from "../ports.ts";
import type { TicketEvent } from "../state-machine/event.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import type { Item } from "../store/inbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Heard } from "../webhooks/heard.ts";
import type { Read, Said } from "./said.ts";
import { refOf } from "./depends-on.ts";
import { heardIn, ticketsOf } from "./lane.ts";
import { meaningOf } from "./meaning.ts";
import { aboutOnboarding } from "./onboarding.ts";
import { learnRepo, readConfig, syncRepos } from "./repo-sync.ts";
import type { Workshop } from "./workshop.ts";

/** A stored delivery: a hint, read against fresh facts. */
export async function hear(shop: Workshop, item: Item): Promise<Read> {
  const heards = heardIn(shop, item);
  if (heards.length === 0)
    return { ignored: `${item.name} ${item.action ?? ""} is none of our business`.trim() };
  const said: Said[] = [];
  const notes: string[] = [];
  if (heards.some(isInstalled)) {
    // Once for all that the delivery lists: what is installed now is read from the forge.
    await syncRepos(shop);
    notes.push("repositories synced");
  }
  for (const heard of heards.filter((one) => !isInstalled(one))) {
    const repo = await repoOf(shop, heard);
    if (repo === undefined) {
      notes.push("a repository without the App");
      continue;
    }
    if ("repo" in heard.target || aboutRepo.has(heard.says.type)) {
      notes.push(await aboutRepository(shop, heard, repo));
      continue;
    }
    await doubtAsBlocker(shop, heard, repo);
    await lookAtConfig(shop, heard, repo);
    const tickets = await ticketsOf(shop, heard);
    if (tickets.length === 0) {
      const onboarding = await aboutOnboarding(shop, heard, repo);
      if (onboarding !== undefined) notes.push(onboarding);
      notes.push(await aboutForeignPull(shop, heard, repo, item.id));
    }
    for (const ticket of tickets) {
      const meaning = await meaningOf(shop, heard, ticket, repo, { item: item.id });
      await hurryMerge(shop, ticket);
      await holdForMore(shop, meaning.said, repo);
      said.push(...meaning.said);
      notes.push(...meaning.notes);
    }
  }
  return said.length > 0 ? { said } : { ignored: notes.filter((note) => note !== "").join("; ") };
}

/** Who waits for an issue or pull request that was closed or opened again is asked about anew. */
async function doubtAsBlocker(shop: Workshop, { says, target }: Heard, { owner, name }: Repo): Promise<void> {
  if (!turning.has(says.type)) return;
  const number = "issue" in target ? target.issue : "pull" in target ? target.pull : undefined;
  if (number === undefined) return;
  await shop.store.doubtBlocker(refOf({ owner, name, number }));
  shop.poke("schedule");
}
const turning: ReadonlySet<Heard["says"]["type"]> = new Set([
  "issue.closed",
  "issue.reopened",
  "issue.deleted",
  "issue.transferred",
  "pull.closed",
  "pull.reopened",
]);

/** What a pull request would make of the configuration is said on its own head. */
async function lookAtConfig(shop: Workshop, { says, target }: Heard, { id: repo }: Repo): Promise<void> {
  const isNews = says.type === "pull.opened" || says.type === "pull.moved" || says.type === "pull.reopened";
  if (!isNews || !("pull" in target)) return;
  const { head } = says;
  await shop.store.sendForeign(
    `config:${repo}:${target.pull}:${head}`,
    { type: "config.check", repo, pull: target.pull, head },
    shop.clock.now(),
  );
  shop.poke("outbox");
}

const isInstalled = ({ says }: Heard): boolean => says.type === "installed";

const aboutRepo: ReadonlySet<Heard["says"]["type"]> = new Set([
  "config.changed",
  "uninstalled",
  "repo.renamed",
  "merge.grouped",
]);

/** The repository as stored; a payload of a known installation refreshes its name. */
async function repoOf(shop: Workshop, heard: Heard): Promise<KnownRepo | undefined> {
  const { store } = shop;
  const { id, owner, name, installation, defaultBranch } = heard.repo;
  let known = await store.repoById(id);
  if (
    known?.removedAt === undefined &&
    known !== undefined &&
    (defaultBranch ?? known.defaultBranch) !== known.defaultBranch
  ) {
    // Which of the two is newer, only the forge can tell: deliveries come late.
    await syncRepos(shop);
    known = await store.repoById(id);
  }
  const isUninstall = heard.says.type === "uninstalled";
  if (
    known !== undefined &&
    ((known.owner === owner && known.name === name && known.removedAt === undefined) || isUninstall)
  )
    return known;
  const inst = installation ?? known?.installation;
  const branch = defaultBranch ?? known?.defaultBranch;
  if (inst === undefined || branch === undefined || isUninstall) return known;
  const repo: Repo = {
    id,
    owner,
    name,
    installation: inst,
    defaultBranch: branch,
    private: heard.repo.private,
  };
  await learnRepo(shop, repo);
  return await store.repoById(id);
}

async function aboutRepository(shop: Workshop, heard: Heard, repo: KnownRepo): Promise<string> {
  switch (heard.says.type) {
    case "config.changed":
      await readConfig(shop, repo);
      shop.poke("schedule");
      return `configuration of ${repo.owner}/${repo.name} read again`;
    case "uninstalled":
      await shop.store.removeRepo(repo.id, shop.clock.now());
      return `the App was removed from ${repo.owner}/${repo.name}`;
    case "merge.grouped":
      await sendForeign(shop, repo, heard.says.head, `group:${heard.says.head}`, heard.says.group);
      return "asked by the merge queue";
    default:
      return `${repo.owner}/${repo.name} is known by its new name`;
  }
}

/** Somebody else's pull request still gets the gate's answer, so that the check can be required. */
async function aboutForeignPull(
  shop: Workshop,
  heard: Heard,
  repo: KnownRepo,
  itemId: string,
): Promise<string> {
  const { says, target, sender } = heard;
  const isNews = says.type === "pull.opened" || says.type === "pull.moved" || says.type === "pull.reopened";
  if (!isNews || !("pull" in target)) return "about nothing of ours";
  if (sender.kind === "forgehand") return "our own pull request";
  const pull = await shop.forge.pull({ repo, number: target.pull });
  if (pull === undefined || !pull.open) return "the pull request is gone";
  const ours = await shop.store.ticketOfPull(repo.id, target.pull, pull.headBranch);
  if (ours !== undefined) return "our own pull request, not opened officially yet";
  await sendForeign(shop, repo, pull.head, itemId);
  return "not an agent's pull request";
}

async function sendForeign(
  shop: Workshop,
  repo: KnownRepo,
  head: string,
  cause: string,
  group?: string,
): Promise<void> {
  await shop.store.sendForeign(
    `foreign:${cause}`,
    { type: "check.foreign", repo: repo.id, head, group },
    shop.clock.now(),
  );
  shop.poke("outbox");
}

/** What was heard may be what a merge waits for: a review, a check, the verdict of a merge queue. */
async function hurryMerge(shop: Workshop, ticket: TicketId): Promise<void> {
  await shop.store.hurryMerge(ticket, shop.clock.now());
  shop.poke("outbox");
}

/** After these, more may follow. */
const pausing: ReadonlySet<TicketEvent["type"]> = new Set(["human.objected", "human.told"]);

/**
 * People who review write more than one comment. An objection stops what is under way at once; the rework waits until
 * they pause, and then has all they said for one work order.
 */
export async function holdForMore(shop: Workshop, said: readonly Said[], repo: KnownRepo): Promise<void> {
  const pauseMs = shop.rulesOf(repo).config.limits.feedback_seconds * 1_000;
  if (pauseMs === 0) return;
  for (const { ticket } of said.filter(({ event }) => pausing.has(event.type))) {
    await shop.store.setTimer({
      id: `objections:${ticket}`,
      ticket,
      name: "objections",
      body: "{}",
      dueAt: shop.clock.now() + pauseMs,
    });
    shop.poke("timers");
  }
}
