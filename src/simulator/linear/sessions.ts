import { by, enters, installOf, type Linear } from "./context.ts";
import { linearError } from "./errors.ts";
import { activityData, childOf, sessionData } from "./payloads.ts";
import { guidanceFor, promptContextOf } from "./prompt-context.ts";
import { tellApp } from "./telling.ts";
import { writeComment } from "./threads.ts";
import {
  born,
  drop,
  touch,
  type SessionMood,
  type SimActivity,
  type SimComment,
  type SimIssue,
  type SimSession,
  type SimUser,
} from "./world.ts";

/** Opens a session of an agent on an issue and tells the agent. Without a thread of its own it gets one. */
export function openSession(
  linear: Linear,
  spec: {
    readonly appUser: SimUser;
    readonly issue: SimIssue;
    readonly creator: SimUser | undefined;
    readonly thread?: SimComment;
    readonly sourceComment?: SimComment;
    /** An agent that begins by itself is not told. */
    readonly untold?: true;
    readonly externalLinks?: SimSession["externalLinks"];
  },
): SimSession {
  const { world } = linear;
  const { appUser, issue } = spec;
  const body = `This thread is for an agent session with ${appUser.displayName}.`;
  const session: SimSession = {
    ...born(world, "AgentSession", undefined),
    appUser,
    creator: spec.creator,
    issue,
    comment: spec.thread ?? writeComment(linear, { issue, body }, { is: "linear" }),
    sourceComment: spec.sourceComment,
    mood: "pending",
    lastActivityAt: world.clock.now(),
    plan: undefined,
    externalLinks: spec.externalLinks ?? [],
    summary: undefined,
    startedAt: undefined,
    endedAt: undefined,
    dismissedAt: undefined,
    dismissedBy: undefined,
  };
  world.tables.AgentSession.push(session);
  world.syncId += 1;
  if (spec.untold !== true)
    tellSession(linear, session, "created", {
      promptContext: promptContextOf(world, session),
      previousComments: world.tables.Comment.filter(
        (one) => one.issue === issue && one !== session.comment && (one.parent ?? one) === session.comment,
      ).map(childOf.comment),
    });
  return session;
}

/** What each kind of activity must say, and what becomes of its session. */
const kinds: Readonly<Record<string, { readonly says: readonly string[]; readonly mood: SessionMood }>> = {
  thought: { says: ["body"], mood: "active" },
  action: { says: ["action", "parameter"], mood: "active" },
  elicitation: { says: ["body"], mood: "awaitingInput" },
  response: { says: ["body"], mood: "complete" },
  error: { says: ["body"], mood: "error" },
};

/** An agent speaks in its session. What ends or pauses the work is written into the thread too. */
export function agentActs(
  linear: Linear,
  session: SimSession,
  spec: {
    readonly id?: string | undefined;
    readonly content: unknown;
    readonly ephemeral?: boolean | undefined;
    readonly signal?: string | undefined;
    readonly signalMetadata?: unknown;
  },
): SimActivity {
  const content = contentOf(spec.content);
  const kind = kinds[content.type];
  if (kind === undefined)
    throw linearError("invalid", `An agent cannot make an activity of type ${content.type}`);
  const ephemeral = spec.ephemeral === true;
  if (ephemeral && content.type !== "thought" && content.type !== "action")
    throw linearError("invalid", "Only thoughts and actions can be ephemeral");
  if (spec.signal !== undefined && !(content.type === "elicitation" && /^(auth|select)$/.test(spec.signal)))
    throw linearError(
      "invalid",
      `The signal ${spec.signal} does not go with an activity of type ${content.type}`,
    );
  session.startedAt ??= linear.world.clock.now();
  const isSaid = ["elicitation", "response", "error"].includes(content.type);
  const sourceComment = isSaid
    ? writeComment(
        linear,
        { issue: session.issue, parent: session.comment, body: String(content["body"]) },
        by(session.appUser),
      )
    : undefined;
  const { id, signal, signalMetadata } = spec;
  return act(linear, session, kind.mood, {
    id,
    user: session.appUser,
    content,
    ephemeral,
    signal,
    signalMetadata,
    sourceComment,
  });
}

/** A person speaks to an agent in its session; `stop` asks it to halt at once. */
export function promptSession(
  linear: Linear,
  session: SimSession,
  spec: {
    readonly user: SimUser;
    readonly body: string;
    readonly signal?: "stop" | undefined;
    readonly sourceComment?: SimComment | undefined;
  },
): SimActivity {
  const activity = act(linear, session, spec.signal === "stop" ? "stopping" : "active", {
    id: undefined,
    user: spec.user,
    content: { __typename: "AgentActivityPromptContent", type: "prompt", body: spec.body },
    ephemeral: false,
    signal: spec.signal,
    signalMetadata: undefined,
    sourceComment: spec.sourceComment,
  });
  tellSession(linear, session, "prompted", { agentActivity: activityData(activity) });
  return activity;
}

/** A comment was made: an agent hears it when it stands in its thread or names it. Agents do not wake each other. */
export function heardInThread(linear: Linear, comment: SimComment): void {
  const { user, issue } = comment;
  if (user === undefined || user.app) return;
  const thread = comment.parent ?? comment;
  const sessions = linear.world.tables.AgentSession.filter((one) => one.comment === thread);
  for (const session of sessions)
    promptSession(linear, session, { user, body: comment.body, sourceComment: comment });
  const heard = new Set(sessions.map(({ appUser }) => appUser));
  for (const appUser of mentionedIn(linear, comment))
    if (!heard.has(appUser))
      openSession(linear, { appUser, issue, creator: user, thread, sourceComment: comment });
}

function mentionedIn(linear: Linear, { body, issue }: SimComment): readonly SimUser[] {
  return linear.installs
    .filter(
      (install) =>
        install.organization === issue.team.organization &&
        install.scopes.includes("app:mentionable") &&
        enters(install, issue.team) &&
        new RegExp(`(^|[^\\w@])@${install.user.displayName}(?![\\w-])`, "i").test(body),
    )
    .map(({ user }) => user);
}

function act(
  linear: Linear,
  session: SimSession,
  mood: SessionMood,
  spec: Omit<SimActivity, "__typename" | "createdAt" | "updatedAt" | "archivedAt" | "agentSession" | "id"> & {
    readonly id: string | undefined;
  },
): SimActivity {
  const { world } = linear;
  const { id, ...rest } = spec;
  for (const passing of world.tables.AgentActivity.filter(
    (one) => one.agentSession === session && one.ephemeral,
  ))
    drop(world, "AgentActivity", passing);
  const activity: SimActivity = { ...born(world, "AgentActivity", id), agentSession: session, ...rest };
  world.tables.AgentActivity.push(activity);
  session.mood = mood;
  session.lastActivityAt = world.clock.now();
  session.endedAt = mood === "complete" || mood === "error" ? world.clock.now() : undefined;
  touch(world, session);
  return activity;
}

function contentOf(content: unknown): SimActivity["content"] {
  // Whatever was sent: every field is looked at below.
  const said = (typeof content === "object" && content !== null ? content : {}) as Record<string, unknown>;
  const { type } = said;
  if (typeof type !== "string") throw linearError("invalid", "content.type is missing");
  for (const name of kinds[type]?.says ?? [])
    if (typeof said[name] !== "string" || (name === "body" && said[name].trim() === ""))
      throw linearError("invalid", `content.${name} is missing from an activity of type ${type}`);
  return { ...said, type, __typename: `AgentActivity${type[0]?.toUpperCase() ?? ""}${type.slice(1)}Content` };
}

function tellSession(
  linear: Linear,
  session: SimSession,
  action: "created" | "prompted",
  rest: Readonly<Record<string, unknown>>,
): void {
  const install = installOf(linear, session.appUser);
  if (install === undefined) return;
  tellApp(linear, install, "AgentSessionEvent", action, {
    appUserId: session.appUser.id,
    agentSession: sessionData(session, linear.world.clock.now()),
    guidance: guidanceFor(session.issue),
    ...rest,
  });
}

/** Says why an app cannot be given an issue, if it cannot. */
export function assertDelegable(linear: Linear, user: SimUser, issue: Pick<SimIssue, "team">): void {
  const install = installOf(linear, user);
  if (install === undefined || !user.active)
    throw linearError("invalid", `${user.displayName} is not installed here`);
  if (!install.scopes.includes("app:assignable"))
    throw linearError("invalid", `${user.displayName} is not assignable: it was not granted app:assignable`);
  if (!enters(install, issue.team))
    throw linearError("invalid", `${user.displayName} has no access to team ${issue.team.key}`);
}
