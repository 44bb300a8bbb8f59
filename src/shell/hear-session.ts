/** What people say in agent sessions of Linear, and what it comes to by the same rules as on the forge. */
import { Trouble, type Permission } from "../ports.ts";
import type { LinearSessions } from "../ports-linear-sessions.ts";
import { linearTicketId, type LinearIssueRef } from "../state-machine/ticket-id.ts";
import type { TicketId } from "../state-machine/ticket.ts";
import { quoted } from "../says.ts";
import { statePrefix, type LinearSession, type NewWord } from "../store/linear-sessions.ts";
import type { Stored } from "../store/tickets.ts";
import { forbids } from "../webhooks/authorise.ts";
import { endsInQuestion, readCommand, type Command } from "../webhooks/command.ts";
import type { Say } from "../webhooks/heard.ts";
import type { LinearActor, LinearHint } from "../webhooks/read-linear.ts";
import { specHash } from "../webhooks/spec-hash.ts";
import { clean } from "../untrusted.ts";
import { leftSays, noIssueSays, refusedSays } from "./linear-session-says.ts";
import { readTold, stopId } from "./linear-session-view.ts";
import type { LinearSessionKeeper } from "./linear-sessions.ts";
import type { Read, Said } from "./said.ts";
import type { Workshop } from "./workshop.ts";

interface Text {
  readonly title: string;
  readonly body: string;
}
/** What hearing in a session needs beside what the workshop has. */
export interface SessionTools {
  /** What somebody of the workspace says about the issue, read against fresh facts by the same rules as on the forge. */
  told(by: LinearActor, says: Say): Promise<Read & { readonly refused?: string | undefined }>;
  /** What their linked account may on the forge, now. */
  permissionOf(by: LinearActor): Promise<{ readonly login: string; readonly permission: Permission }>;
  /** The issue as it reads now. */
  text(): Promise<Text>;
  /** Appends to the issue's description under this marker, once; answers the text as it stands then. */
  appendToSpec(marker: string, text: string): Promise<Text>;
}
export interface SessionRoom {
  readonly shop: Workshop;
  readonly sessions: Pick<LinearSessions, "unlabel">;
  readonly keeper: Pick<LinearSessionKeeper, "greet" | "poke">;
}
export type SessionHint = Extract<LinearHint, { is: "session.created" | "session.prompted" }>;
type Prompt = Extract<LinearHint, { is: "session.prompted" }>;
type Created = Extract<LinearHint, { is: "session.created" }>;

/** Longest answer that is taken into a spec; more belongs into the issue. */
const maxAnswer = 8_000;

/** A session began, or somebody spoke in one. Reading it again comes to the same. */
export async function hearSession(room: SessionRoom, hint: SessionHint, tools: SessionTools): Promise<Read> {
  const { keeper } = room;
  // Said already at the door, as a rule; then this changes nothing.
  await keeper.greet(hint);
  const session = await room.shop.store.linearSession(hint.session);
  if (session === undefined) throw new Error(`agent session ${hint.session} could not be kept`);
  // A workspace with a secret of its own may name what is not its own.
  if (session.workspace !== hint.workspace) return { ignored: "an agent session of another workspace" };
  if (isOutdated(session, hint)) return outdated;
  try {
    const read =
      hint.is === "session.created"
        ? await hearCreated(room, hint, tools)
        : await hearPrompt(room, hint, session, tools);
    // It may have been pressed while this was read.
    const now = await room.shop.store.linearSession(hint.session);
    return now !== undefined && isOutdated(now, hint) ? outdated : read;
  } catch (error) {
    if (error instanceof Trouble && error.permanent) await tellRefused(room, hint, error.message);
    throw error;
  } finally {
    keeper.poke();
  }
}

/** A stop waits for nothing that came before it, so what did may be read after it. */
const isOutdated = ({ stoppedAt }: LinearSession, hint: SessionHint): boolean =>
  stoppedAt !== undefined && hint.at !== undefined && hint.at < stoppedAt;

const outdated: Read = { ignored: "said before somebody pressed stop" };

/** What is set aside for good is said: who waits in the session would wait for ever. */
async function tellRefused(
  { shop: { store, clock } }: SessionRoom,
  hint: SessionHint,
  why: string,
): Promise<void> {
  const word: NewWord =
    hint.is === "session.created"
      ? { key: "refused:created", word: { is: "says", says: refusedSays(why) } }
      : {
          key: `reply:${hint.activity}`,
          word: { is: "reply", text: `I could not do that: ${quoted(why, 600)}` },
        };
  await store.putLinearWord(hint.session, word, clock.now());
}

/**
 * Who calls us on an issue to say stop, instead of where we speak, means no new work. The comment that a session began
 * with may be Linear's own, or one that calls nobody.
 */
async function hearCreated(room: SessionRoom, hint: Created, tools: SessionTools): Promise<Read> {
  const { workspace, issue, session, body } = hint;
  const isStopped = body.trimStart().startsWith("@") && isStop(wordsOf(room, body));
  if (issue === undefined || !isStopped) return await begin(room, hint, tools);
  const ticket = linearTicketId({ workspace, issue });
  return await stop(room, { ...hint, activity: session }, ticket);
}

async function begin(room: SessionRoom, hint: SessionHint, tools: SessionTools): Promise<Read> {
  const { store, clock } = room.shop;
  const name = hint.is === "session.prompted" ? hint.activity : "created";
  const refuse = (says: typeof noIssueSays): Promise<void> =>
    store.putLinearWord(hint.session, { key: `refused:${name}`, word: { is: "says", says } }, clock.now());
  if (hint.issue === undefined) {
    await refuse(noIssueSays);
    return { ignored: "an agent session on no issue" };
  }
  const read = await tools.told(hint.by, { type: "released", how: "delegated", spec: hint.spec });
  if ("said" in read && read.said.length > 0) return read;
  const ticket = linearTicketId({ workspace: hint.workspace, issue: hint.issue });
  const isKnown = ((await store.load(ticket))?.version ?? 0) > 0;
  const why = read.refused ?? (isKnown ? undefined : "ignored" in read ? read.ignored : undefined);
  if (why !== undefined) await refuse(refusedSays(why));
  return read;
}

/** A prompt with what it is said about. */
interface Spoken {
  readonly room: SessionRoom;
  readonly tools: SessionTools;
  readonly hint: Prompt;
  readonly session: LinearSession;
  readonly issue: LinearIssueRef;
  readonly stored: Stored;
  readonly words: string;
}

async function hearPrompt(
  room: SessionRoom,
  hint: Prompt,
  session: LinearSession,
  tools: SessionTools,
): Promise<Read> {
  const { store } = room.shop;
  const issueId = hint.issue ?? session.issue;
  if (issueId === undefined) return await begin(room, hint, tools);
  const issue = { workspace: hint.workspace, issue: issueId };
  const ticket = linearTicketId(issue);
  const stored = await store.load(ticket);
  const words = wordsOf(room, hint.body);
  const offersStop =
    stored?.ticket.state === "Blocked" &&
    session.asking?.options.some(({ value }) => value === "stop") === true;
  if (hint.signal === "stop" || (isStop(words) && !offersStop)) return await stop(room, hint, ticket);
  if (hint.by.is !== "user") return { ignored: "not a person's words" };
  await store.reopenLinearSession(session.id, "over", hint.at);
  // What had stopped it is gone, or never was: it is told of again.
  if (stored?.ticket.halted !== true) await store.reopenLinearSession(session.id, "stopped", hint.at);
  // Nothing was released so far, for a reason that may be mended by now.
  if (stored === undefined || stored.version === 0)
    return await begin(room, { ...hint, issue: issueId }, tools);
  return await understand({ room, tools, hint, session, issue, stored, words });
}

/** What was said, without calling us by name first. Who says stop calls us by whatever name we have in Linear. */
function wordsOf({ shop }: SessionRoom, body: string): string {
  const name = shop.app.login.replace(/\[bot\]$/u, "");
  const called = /^\s*@([\w.-]+)[ \t]*[,:]?\s*/u.exec(body);
  const words = body.slice(called?.[0].length ?? 0).trim();
  return called?.[1]?.toLowerCase() === name.toLowerCase() || isStop(words) ? words : body.trim();
}
const isStop = (words: string): boolean => /^(?:stop|halt)[.!]*$/iu.test(words);

/** Anybody of the workspace may stop: that is the safe direction. */
async function stop(
  { shop: { store, clock } }: SessionRoom,
  { session, activity, by, at }: Pick<Prompt, "session" | "activity" | "by" | "at">,
  ticket: TicketId,
): Promise<Read> {
  await store.stopLinearSession(session, activity, at ?? clock.now());
  // Only then: what is being read just now may have made a ticket of it, and looks whether it was stopped after that.
  if ((await store.load(ticket)) === undefined) return { ignored: "stopped before anything had begun" };
  const actor = `linear:${(by.name ?? by.id ?? "somebody").slice(0, 100)}`;
  return { said: [{ ticket, event: { type: "halt.raised" }, actor, id: stopId({ stoppedBy: activity }) }] };
}

async function understand(spoken: Spoken): Promise<Read> {
  const { session, stored, words } = spoken;
  if (words === "") return await reply(spoken, "There were no words in that.");
  const command = readCommand(words);
  if (command !== undefined) return await commanded(spoken, command);
  const { asking } = session;
  const option = asking?.options.find(({ value, label }) => isSame(value, words) || isSame(label, words));
  if (asking !== undefined && option !== undefined) {
    if (asking.about === "choice") return await chosen(spoken, option.value);
    // What was picked is what it says: the number stands for nothing once the question is gone.
    if (asking.about === "spec" && option.value !== "run")
      return await answered({ ...spoken, words: option.label });
    if (option.value === "stop" && stored.ticket.state === "Blocked") return await left(spoken);
    return await commanded(spoken, readCommand(`/forgehand ${option.value}`));
  }
  const asksMoney = asking?.options.some(({ value }) => value.startsWith("budget ")) === true;
  if (asksMoney && /^\$?\d{1,4}(?:\.\d{1,2})?\$?$/u.test(words))
    return await commanded(spoken, readCommand(`/forgehand budget ${words.replaceAll("$", "")}`));
  // What the session told people to answer.
  if (/^retry[.!]*$/iu.test(words)) return await commanded(spoken, { name: "retry" });
  if (endsInQuestion(words)) return await commanded(spoken, readCommand(`/forgehand ask ${words}`));
  const isGap = asking?.about === "spec" && stored.ticket.state === "Backlog";
  return isGap ? await answered(spoken) : await commanded(spoken, readCommand(`/forgehand tell ${words}`));
}
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** Why this person may not; undefined where they may. */
async function refusalOf({ tools, hint }: Spoken): Promise<string | undefined> {
  const { login, permission } = await tools.permissionOf(hint.by);
  return forbids({ sender: { login, id: 0, kind: "person" }, permission, allowBots: [] }, "triage");
}

/** Answered by words of our own, where no line of the ledger answers. */
async function reply({ room, hint }: Spoken, text: string): Promise<Read> {
  const { store, clock } = room.shop;
  const word = { is: "reply", text } as const;
  await store.putLinearWord(hint.session, { key: `reply:${hint.activity}`, word }, clock.now());
  return { ignored: text.slice(0, 300) };
}

async function commanded(spoken: Spoken, command: Command | undefined): Promise<Read> {
  if (command === undefined) return await reply(spoken, "I could not make sense of that.");
  const { stored, room } = spoken;
  if (command.name !== "retry") return await ordered(spoken, command);
  const lifted = stored.ticket.halted ? await lift(spoken) : [];
  if ("refused" in lifted) return await reply(spoken, lifted.refused);
  const read = await ordered(spoken, command);
  if (stored.ticket.halted)
    await room.shop.store.reopenLinearSession(spoken.session.id, "stopped", spoken.hint.at);
  if ("said" in read) return { ...read, said: [...lifted, ...read.said] };
  return lifted.length > 0 ? { said: lifted } : read;
}

/** A command, told as one that stands in a comment. */
async function ordered(spoken: Spoken, command: Command): Promise<Read> {
  const { tools, hint } = spoken;
  const read = await tools.told(hint.by, {
    type: "commented",
    comment: { kind: "tracker", id: hint.activity, session: hint.session },
    command,
    wroteOn: undefined,
    // Who does not say when may have looked at another head.
    at: hint.at ?? 0,
    spec: hint.spec,
  });
  const isAnswered = "said" in read && read.said.length > 0;
  if (isAnswered) return read;
  return await reply(
    spoken,
    read.refused ?? ("ignored" in read ? read.ignored : "That changes nothing now."),
  );
}

/** Takes the halt away, its label too: what raised it may have been either. */
async function lift(spoken: Spoken): Promise<readonly Said[] | { readonly refused: string }> {
  const { room, tools, hint, issue, stored } = spoken;
  const { shop, sessions } = room;
  const refused = await refusalOf(spoken);
  if (refused !== undefined) return { refused };
  const repo = await shop.store.repoById(stored.repo);
  if (repo === undefined) return { refused: "its repository is no longer served" };
  const label = shop.rulesOf(repo).config.labels["forgehand:halt"];
  await sessions.unlabel(issue, [label]);
  const read = await tools.told(hint.by, { type: "unlabelled", label });
  return "said" in read ? read.said : { refused: read.refused ?? read.ignored };
}

/** One of the labels that contest: the others go, and the issue is released. */
async function chosen(spoken: Spoken, label: string): Promise<Read> {
  const { room, tools, hint, session, issue } = spoken;
  const refused = await refusalOf(spoken);
  if (refused !== undefined) return await reply(spoken, refused);
  const others = (session.asking?.options ?? []).map(({ value }) => value).filter((one) => one !== label);
  await room.sessions.unlabel(issue, others);
  const read = await tools.told(hint.by, { type: "released", how: "delegated", spec: hint.spec });
  if ("said" in read && read.said.length > 0) return read;
  return await reply(spoken, read.refused ?? "That changes nothing now.");
}

/** An answer to the spec gate: it becomes part of the spec, and the text with it is what this person releases. */
async function answered(spoken: Spoken): Promise<Read> {
  const { tools, hint, words } = spoken;
  const refused = await refusalOf(spoken);
  if (refused !== undefined) return await reply(spoken, refused);
  if (words.length > maxAnswer)
    return await reply(
      spoken,
      `An answer has at most ${maxAnswer} characters; write it into the issue instead.`,
    );
  const heading = headingOf(hint);
  const before = await tools.text();
  // Unless it is our own writing, of a reading that was cut short.
  const isUnseen = hint.spec !== undefined && specHash(before) !== hint.spec;
  if (isUnseen && !before.body.includes(heading))
    return await reply(
      spoken,
      "The issue was edited since you answered, so your answer released nothing: read it and answer again.",
    );
  // Nothing that a reader of the issue would not see may be released with it.
  const spec = await tools.appendToSpec(heading, clean(words));
  const read = await tools.told(hint.by, { type: "released", how: "delegated", spec: specHash(spec) });
  if ("said" in read && read.said.length > 0) return read;
  const why = read.refused ?? ("ignored" in read ? read.ignored : undefined);
  return await reply(
    spoken,
    `Your answer is in the issue's description, and did not release it: ${why ?? "nothing changed"}.`,
  );
}

/** Names the answer where people read it; no two of them are the same. */
function headingOf({ by, activity }: Prompt): string {
  const name = (by.name ?? "").replaceAll(/[^\p{L}\p{N} .'-]/gu, "").trim();
  return `Answer of ${name === "" ? "a person" : name.slice(0, 60)} (${activity.slice(0, 8)})`;
}

/** Who stays where they are, and says so, hears what is left. */
async function left(spoken: Spoken): Promise<Read> {
  const { room, hint, stored } = spoken;
  const { shop } = room;
  const refused = await refusalOf(spoken);
  if (refused !== undefined) return await reply(spoken, refused);
  const repo = await shop.store.repoById(stored.repo);
  if (repo === undefined) return await reply(spoken, "Its repository is no longer served.");
  const { told } = await readTold(shop, stored, repo, async () => []);
  await shop.store.putLinearWord(
    hint.session,
    {
      key: `${statePrefix}left:${hint.activity}`,
      word: { is: "says", says: leftSays(told), ends: "over" },
    },
    shop.clock.now(),
  );
  return { ignored: "left as it stands" };
}
