/** A stored webhook of Linear: a hint, read against fresh facts by the same rules as one of the forge. */
import type { LinearFacts } from "../ports-linear-issues.ts";
import { linearIssueOf, linearTicketId } from "../state-machine/ticket-id.ts";
import type { Item } from "../store/inbox.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { readCommand } from "../webhooks/command.ts";
import type { Heard, Say, Sender } from "../webhooks/heard.ts";
import { readLinear, type LinearHint } from "../webhooks/read-linear.ts";
import { hearSession } from "./hear-session.ts";
import { holdForMore } from "./hear.ts";
import { automationWords, senderOf } from "./linear-people.ts";
import { askRepository, findRepository } from "./linear-repository.ts";
import { keepSession } from "./linear-greeting.ts";
import { isOurs, isReleased, isRepository, ownWords } from "./linear-words.ts";
import { lookItem } from "./look-item.ts";
import { placeOf, returnsIn, unknownText } from "./look-card.ts";
import { meaningOf } from "./meaning.ts";
import { keepPriority } from "./priority.ts";
import type { Read, Said } from "./said.ts";
import { sessionTools } from "./session-tools.ts";
import type { LinearSide, Workshop } from "./workshop.ts";

type IssueHint = Extract<LinearHint, { readonly is: `issue.${string}` | `comment.${string}` }>;

/** What one webhook of Linear comes to. */
export async function hearLinear(shop: Workshop, item: Item): Promise<Read> {
  const { linear } = shop;
  const hint = readLinear(item.body);
  switch (hint.is) {
    case "nothing":
      return { ignored: hint.why };
    case "access.revoked":
      await linear.tokens.revoked({ ...hint, at: item.receivedAt });
      return { ignored: "the app's access was revoked" };
    case "access.changed":
      await linear.tokens.teamsChanged({ ...hint, at: item.receivedAt });
      await lookAtAll(shop, hint.workspace, item);
      return { ignored: "the teams the app may see have changed" };
    case "label.changed":
      return { ignored: "labels are read with the issues that bear them" };
    case "session.created":
    case "session.prompted":
      return await hearSession(
        {
          shop,
          sessions: linear.sessions,
          keeper: {
            // Who keeps sessions says it: at the door already, as a rule.
            greet: (session) => keepSession(shop, session),
            poke: () => shop.poke("sessions"),
          },
        },
        hint,
        sessionTools(shop, linear, hint, (facts, stored, speak) =>
          tellOf(shop, item, { facts, stored }, speak),
        ),
      );
    default:
      return await hearIssue(shop, linear, item, hint);
  }
}

/** Who did it. Where we work with a person's own key, what they do themselves is not ours. */
async function moverOf(
  shop: Workshop,
  linear: LinearSide,
  hint: IssueHint,
  { facts, repo }: { readonly facts: LinearFacts; readonly repo: KnownRepo },
): Promise<Sender> {
  const { workspace, by } = hint;
  const moved = hint.is === "issue.changed" ? hint.moved : undefined;
  const isOurs = moved === undefined || (await linear.issues.isOurMove(facts, { to: moved.to, by: by.id }));
  return await senderOf(shop, linear, by, { repo, workspace, self: isOurs ? "ours" : "a person's" });
}

/** What the app was let into, or shut out of, is seen at once, and not by the next scan. */
async function lookAtAll({ store, clock, poke }: Workshop, workspace: string, item: Item): Promise<void> {
  for (const { id } of await store.openTicketNames()) {
    if (linearIssueOf(id)?.workspace !== workspace) continue;
    await store.receive(lookItem(id, item.id, clock.now()));
  }
  poke("intake");
}

async function hearIssue(shop: Workshop, linear: LinearSide, item: Item, hint: IssueHint): Promise<Read> {
  const { store } = shop;
  const id = linearTicketId(hint);
  const stored = await store.load(id);
  const words = await ownWords(shop);
  // An issue that is no ticket may stop all the others.
  const isSwitch = stored === undefined && (await store.setting(`halt-all:${id}`)) !== undefined;
  if (stored === undefined && !isSwitch && !mayRelease(hint, words))
    return { ignored: "no ticket, and nothing that would make it one" };
  const facts = await linear.issues.ticket(hint);
  if (facts === undefined) {
    if (isSwitch) await store.liftHalt(id);
    return stored === undefined ? { ignored: "the issue is gone" } : await gone(shop, stored);
  }
  await store.doubtBlocker(facts.ref);
  shop.poke("schedule");
  const isAddressed =
    stored !== undefined || isSwitch || hint.is === "comment.created" || namesUs(hint, words);
  if (!isAddressed && !(await isReleased(shop, facts)))
    return { ignored: "no ticket, and nothing there releases it" };
  return await tellOf(shop, item, { facts, stored }, async (repo) => {
    const sender = await moverOf(shop, linear, hint, { facts, repo });
    const says = await saidIn(shop, linear, { hint, facts, stored, sender, repo, words });
    return { sender, says };
  });
}

/** What somebody says about an issue of Linear, once it is known where it belongs. */
export async function tellOf(
  shop: Workshop,
  item: Item,
  { facts, stored }: { readonly facts: LinearFacts; readonly stored: Stored | undefined },
  speak: (repo: KnownRepo) => Promise<{ readonly sender: Sender; readonly says: readonly Say[] }>,
): Promise<Read> {
  const found = await findRepository(shop, shop.linear, facts, stored);
  if (found.is === "unclear") {
    await askRepository(shop, facts, found.question);
    return { ignored: "it is not clear which repository it is about" };
  }
  const { repo } = found;
  const { sender, says } = await speak(repo);
  await keepPriority(shop, shop.rulesOf(repo).config, stored, facts);
  const said: Said[] = [];
  const notes: string[] = [];
  for (const one of says) {
    const heard: Heard = { repo, target: { issue: facts.number }, sender, says: one };
    const meaning = await meaningOf(shop, heard, facts.id, repo, { issue: facts, item: item.id });
    said.push(...meaning.said);
    notes.push(...meaning.notes);
  }
  await holdForMore(shop, said, repo);
  return said.length > 0 ? { said } : { ignored: notes.join("; ") || "nothing that concerns us" };
}

async function gone(shop: Workshop, stored: Stored): Promise<Read> {
  const repo = await shop.store.repoById(stored.repo);
  if (repo === undefined) return { ignored: "its repository is unknown" };
  const heard: Heard = {
    repo,
    target: { issue: stored.number },
    sender: { login: "nobody", id: 0, kind: "person" },
    says: { type: "issue.deleted" },
  };
  const { said, notes } = await meaningOf(shop, heard, stored.ticket.id, repo, { issue: undefined });
  return said.length > 0 ? { said } : { ignored: notes.join("; ") };
}

/** Whether what happened could make a ticket of an issue: anything else of a workspace is not even looked at. */
function mayRelease(hint: IssueHint, words: ReadonlySet<string>): boolean {
  switch (hint.is) {
    case "issue.created":
      return true;
    case "issue.changed":
      return hint.moved !== undefined || (hint.labels?.names ?? []).some((name) => isOurs(name, words));
    case "comment.created":
      return readCommand(hint.body) !== undefined;
    default:
      return false;
  }
}

/** Whether a label that was set says something to us beyond where the work would go. */
function namesUs(hint: IssueHint, words: ReadonlySet<string>): boolean {
  const set =
    hint.is === "issue.created" ? hint.labels : hint.is === "issue.changed" ? (hint.labels?.names ?? []) : [];
  return set.some((name) => isOurs(name, words) && !isRepository(name));
}

interface Speech {
  readonly hint: IssueHint;
  readonly facts: LinearFacts;
  readonly stored: Stored | undefined;
  readonly sender: Sender;
  readonly repo: KnownRepo;
  /** Our labels, by every name. */
  readonly words: ReadonlySet<string>;
}

async function saidIn(shop: Workshop, linear: LinearSide, speech: Speech): Promise<readonly Say[]> {
  const { hint, facts, stored, words } = speech;
  switch (hint.is) {
    case "issue.created": {
      const names = shop.rulesOf(speech.repo).config.labels;
      return [
        ...ordered(
          hint.labels.filter((name) => isOurs(name, words) && !isRepository(name)),
          names["agent-ready"],
        ).map((label): Say => ({ type: "labelled", label, spec: hint.spec })),
        ...(facts.means === "Ready" && hint.state === facts.state.id
          ? [await moved(shop, linear, speech, hint)]
          : []),
      ];
    }
    case "issue.changed": {
      // Naming the repository answers our question: what had asked for it counts now.
      const isAnswer = stored === undefined && (hint.labels?.names ?? []).some(isRepository);
      const isThere =
        (hint.moved !== undefined && hint.moved.to === facts.state.id) ||
        (isAnswer && facts.means === "Ready");
      const isText = hint.fields.some((field) => field === "title" || field.startsWith("description"));
      return [
        ...(isText ? [{ type: "issue.edited" } as const] : []),
        ...(await labelled(shop, linear, speech, hint)),
        ...(isThere ? [await moved(shop, linear, speech, hint)] : []),
      ];
    }
    case "comment.created": {
      const command = readCommand(hint.body);
      if (command === undefined) return [];
      // Said in the thread of an agent session, it comes to us once more as a prompt.
      const thread = hint.parent ?? hint.comment;
      if ((await shop.store.linearSessionIn(hint.workspace, thread)) !== undefined) return [];
      const comment = { kind: "tracker", id: hint.comment, root: hint.parent ?? hint.comment } as const;
      const { at } = hint;
      // A comment does not tell what the ticket read when it was written.
      const edited = command.name === "run" ? (await linear.issues.history(facts))?.textChangedAt : undefined;
      const spec = edited !== undefined && edited >= (at ?? 0) ? unknownText : undefined;
      return [{ type: "commented", comment, command, wroteOn: undefined, at: at ?? 0, spec }];
    }
    default:
      return [];
  }
}

/** Whatever else was set with it counts for the release. */
const ordered = (names: readonly string[], release: string): readonly string[] => [
  ...names.filter((name) => name !== release),
  ...names.filter((name) => name === release),
];

type Changed = Extract<LinearHint, { readonly is: "issue.changed" }>;

async function labelled(
  shop: Workshop,
  { issues }: LinearSide,
  { facts, repo, sender }: Speech,
  hint: Changed,
): Promise<readonly Say[]> {
  const { labels: changed, workspace, spec } = hint;
  if (changed === undefined || sender.kind === "forgehand") return [];
  const told = await issues.labelNames(workspace, [...changed.added, ...changed.removed]);
  const release = shop.rulesOf(repo).config.labels["agent-ready"];
  const added = changed.added.flatMap((one) => told.get(one) ?? []);
  const removed = changed.removed.flatMap((one) => told.get(one) ?? []);
  const isAnswer = added.some(isRepository);
  const again = isAnswer && facts.labels.includes(release) && !added.includes(release) ? [release] : [];
  return [
    ...removed.filter((name) => !isRepository(name)).map((label): Say => ({ type: "unlabelled", label })),
    ...ordered([...added.filter((name) => !isRepository(name)), ...again], release).map((label): Say => ({
      type: "labelled",
      label,
      spec,
    })),
  ];
}

async function moved(
  shop: Workshop,
  linear: LinearSide,
  { facts, stored, sender }: Speech,
  { by, at, spec }: Pick<Changed, "by" | "at" | "spec">,
): Promise<Say> {
  const lines = stored === undefined ? [] : await shop.store.linesOf(stored.ticket.id);
  return {
    type: "moved",
    to: facts.means,
    name: facts.state.name,
    belongs: await placeOf(linear, facts, stored?.ticket.state ?? "Backlog"),
    returns: returnsIn(lines),
    automation: sender.kind === "bot" ? automationWords(by.name) : undefined,
    at,
    spec,
  };
}
