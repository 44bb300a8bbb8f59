import { z } from "zod";
import type { SpecHash } from "../state-machine/ticket.ts";
import { specHash } from "./spec-hash.ts";

/** Who did something, as a payload claims: a hint of whom to look up, never proof of what they may. */
export interface LinearActor {
  readonly is: "user" | "app" | "integration" | "stranger" | "linear";
  readonly id: string | undefined;
  readonly name: string | undefined;
}
/** An issue a payload speaks of; what it is now is fetched. */
export interface LinearIssueHint {
  readonly workspace: string;
  /** UUID: it stays when the issue moves to another team and takes another identifier. */
  readonly issue: string;
}
/** A word of a person or an agent below an issue. */
export interface LinearWord {
  readonly comment: string;
  readonly parent: string | undefined;
  readonly body: string;
  /** When it was written. */
  readonly at: number | undefined;
}
/** What a stored webhook says has happened. */
export type LinearHint =
  | (LinearIssueHint & {
      readonly is: "issue.created";
      readonly by: LinearActor;
      /** Where it was put, and the names of the labels it was given: what it has now may be somebody else's doing. */
      readonly state: string | undefined;
      readonly labels: readonly string[];
      readonly at: number | undefined;
      readonly spec: SpecHash | undefined;
    })
  | (LinearIssueHint & {
      readonly is: "issue.changed";
      readonly by: LinearActor;
      /** Names of what changed, as Linear calls them: `stateId`, `labelIds`, `description`… */
      readonly fields: readonly string[];
      readonly moved: { readonly from: string; readonly to: string } | undefined;
      /** When, as Linear says. */
      readonly at: number | undefined;
      /** Of the text that stood there then. */
      readonly spec: SpecHash | undefined;
      /** By id; `names` are those of the added ones, as far as they were told. */
      readonly labels:
        | {
            readonly added: readonly string[];
            readonly removed: readonly string[];
            readonly names: readonly string[];
          }
        | undefined;
    })
  | (LinearIssueHint & {
      readonly is: "issue.gone";
      readonly by: LinearActor;
      readonly how: "archived" | "deleted";
    })
  | (LinearIssueHint &
      LinearWord & { readonly is: "comment.created" | "comment.edited"; readonly by: LinearActor })
  | (LinearIssueHint & { readonly is: "comment.removed"; readonly comment: string; readonly by: LinearActor })
  | {
      readonly is: "label.changed";
      readonly workspace: string;
      readonly label: string;
      readonly name: string;
      readonly how: "created" | "changed" | "removed";
      readonly by: LinearActor;
    }
  | (LinearSessionHint & { readonly is: "session.created"; readonly body: string })
  | (LinearSessionHint & {
      readonly is: "session.prompted";
      readonly activity: string;
      readonly body: string;
      /** `stop` halts at once; `select` answers a question by one of its options. */
      readonly signal: "stop" | "select" | undefined;
    })
  | { readonly is: "access.revoked"; readonly workspace: string; readonly client: string | undefined }
  | {
      readonly is: "access.changed";
      readonly workspace: string;
      readonly appUser: string | undefined;
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly all: boolean | undefined;
    }
  | { readonly is: "nothing"; readonly why: string };
export interface LinearSessionHint {
  readonly workspace: string;
  readonly session: string;
  /** Our own user, as which we act there. */
  readonly appUser: string;
  /** Undefined for a session that hangs on no issue. */
  readonly issue: string | undefined;
  readonly by: LinearActor;
  /** The comment in whose thread it is held. */
  readonly thread: string | undefined;
  /** When it was begun, or prompted. */
  readonly at: number | undefined;
  /** Of the issue's text as it was then. */
  readonly spec: SpecHash | undefined;
}

const id = z.string().min(1).max(100);
const some = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
const ids = z.array(id).max(1000);
const instant = some(z.iso.datetime({ offset: true }));
const actorData = z.object({
  id: some(id),
  type: some(z.string()),
  name: some(z.string()),
  service: some(z.string()),
});
const envelope = z.object({
  type: z.string(),
  action: z.string(),
  organizationId: id,
  actor: some(actorData),
  createdAt: instant,
  data: some(z.record(z.string(), z.unknown())),
  updatedFrom: some(z.record(z.string(), z.unknown())),
});
type Envelope = z.output<typeof envelope>;

/**
 * Reads a stored webhook of Linear. Fields it does not know are passed over; a payload that does not hold what its type
 * promises says nothing, and why.
 */
export function readLinear(body: string): LinearHint {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { is: "nothing", why: "it is no JSON" };
  }
  const parsed = envelope.safeParse(json);
  if (!parsed.success) return unfit("webhook", parsed.error);
  // A table would find `constructor` too; a Map does not.
  const read = readers.get(parsed.data.type);
  return read === undefined
    ? { is: "nothing", why: `nobody reads ${parsed.data.type.slice(0, 64)}` }
    : read(parsed.data, json);
}

const readers: ReadonlyMap<string, (payload: Envelope, json: unknown) => LinearHint> = new Map([
  ["Issue", readIssue],
  ["Comment", readComment],
  ["IssueLabel", readLabel],
  ["AgentSessionEvent", readSession],
  ["OAuthApp", readRevoked],
  ["PermissionChange", readAccess],
]);

const unfit = (what: string, error: z.ZodError): LinearHint => {
  const [first] = error.issues;
  return {
    is: "nothing",
    why: `a malformed ${what}: ${first?.path.join(".") ?? ""} ${first?.message ?? ""}`.trim(),
  };
};
const unknownAction = ({ type, action }: Envelope): LinearHint => ({
  is: "nothing",
  why: `nobody reads ${type}.${action.slice(0, 64)}`,
});

const kindsOfActor: ReadonlyMap<string, LinearActor["is"]> = new Map([
  ["user", "user"],
  ["oauthclient", "app"],
  ["app", "app"],
  ["integration", "integration"],
]);

/** Nobody at all is Linear itself; a kind of actor that is new to us is a stranger, whom nothing is granted. */
function actorOf(actor: Envelope["actor"]): LinearActor {
  if (actor === undefined) return { is: "linear", id: undefined, name: undefined };
  const is = kindsOfActor.get((actor.type ?? "").toLowerCase()) ?? "stranger";
  return { is, id: actor.id, name: actor.name ?? actor.service };
}

const issueData = z.object({
  id,
  archivedAt: some(z.string()),
  trashed: some(z.boolean()),
  stateId: some(id),
  labelIds: some(ids),
  labels: some(z.array(z.object({ id, name: z.string() })).max(1000)),
  title: some(z.string()),
  description: some(z.string()),
});
const issueBefore = z.object({ stateId: some(id), labelIds: some(ids) });

function readIssue(payload: Envelope): LinearHint {
  const data = issueData.safeParse(payload.data);
  if (!data.success) return unfit("issue", data.error);
  const before = issueBefore.safeParse(payload.updatedFrom ?? {});
  if (!before.success) return unfit("change of an issue", before.error);
  const about = { workspace: payload.organizationId, issue: data.data.id, by: actorOf(payload.actor) };
  const { title, description, stateId, labels = [] } = data.data;
  const when = {
    at: instantOf(payload.createdAt),
    // Without a title it is no whole issue; one without words has no description.
    spec: title === undefined ? undefined : specHash({ title, body: description ?? "" }),
  };
  switch (payload.action) {
    case "create":
      return {
        is: "issue.created",
        ...about,
        ...when,
        state: stateId,
        labels: labels.map(({ name }) => name),
      };
    case "remove":
      return { is: "issue.gone", ...about, how: "deleted" };
    case "update":
      if (data.data.archivedAt !== undefined || data.data.trashed === true)
        return { is: "issue.gone", ...about, how: data.data.trashed === true ? "deleted" : "archived" };
      return {
        is: "issue.changed",
        ...about,
        ...when,
        fields: Object.keys(payload.updatedFrom ?? {}).filter((name) => name !== "updatedAt"),
        moved: movedBetween(before.data.stateId, data.data.stateId),
        labels: labelsBetween(before.data.labelIds, data.data),
      };
    default:
      return unknownAction(payload);
  }
}

const instantOf = (written: string | undefined): number | undefined =>
  written === undefined ? undefined : Date.parse(written);

const movedBetween = (from: string | undefined, to: string | undefined) =>
  from === undefined || to === undefined || from === to ? undefined : { from, to };

function labelsBetween(
  before: readonly string[] | undefined,
  { labelIds: now, labels = [] }: z.output<typeof issueData>,
) {
  if (before === undefined || now === undefined) return undefined;
  const [had, has] = [new Set(before), new Set(now)];
  const added = now.filter((one) => !had.has(one));
  const names = labels.filter((one) => added.includes(one.id)).map(({ name }) => name);
  return { added, removed: before.filter((one) => !has.has(one)), names };
}

const commentData = z.object({
  id,
  body: some(z.string()),
  issueId: some(id),
  parentId: some(id),
  createdAt: instant,
  botActor: some(actorData),
});

function readComment(payload: Envelope): LinearHint {
  const parsed = commentData.safeParse(payload.data);
  if (!parsed.success) return unfit("comment", parsed.error);
  const { id: comment, body, issueId, parentId, createdAt, botActor } = parsed.data;
  if (issueId === undefined) return { is: "nothing", why: "the comment stands below no issue" };
  // What an integration writes may come under the name of a person it wrote for.
  const by: LinearActor =
    botActor === undefined
      ? actorOf(payload.actor)
      : { is: "integration", id: botActor.id, name: botActor.name ?? botActor.type };
  const about = { workspace: payload.organizationId, issue: issueId, comment, by };
  const words = { parent: parentId, body: body ?? "", at: instantOf(createdAt) };
  switch (payload.action) {
    case "create":
      return { is: "comment.created", ...about, ...words };
    case "update":
      // A thread that was resolved, or a reaction, leaves the words as they were.
      return "body" in (payload.updatedFrom ?? {})
        ? { is: "comment.edited", ...about, ...words }
        : { is: "nothing", why: "the comment says what it said" };
    case "remove":
      return { is: "comment.removed", ...about };
    default:
      return unknownAction(payload);
  }
}

const labelData = z.object({ id, name: z.string() });
const labelVerbs: ReadonlyMap<string, "created" | "changed" | "removed"> = new Map([
  ["create", "created"],
  ["update", "changed"],
  ["remove", "removed"],
]);

function readLabel(payload: Envelope): LinearHint {
  const parsed = labelData.safeParse(payload.data);
  if (!parsed.success) return unfit("label", parsed.error);
  const how = labelVerbs.get(payload.action);
  if (how === undefined) return unknownAction(payload);
  return {
    is: "label.changed",
    workspace: payload.organizationId,
    label: parsed.data.id,
    name: parsed.data.name,
    how,
    by: actorOf(payload.actor),
  };
}

const person = some(z.object({ id: some(id), name: some(z.string()) }));
const sessionPayload = z.object({
  agentSession: z.object({
    id,
    appUserId: id,
    createdAt: instant,
    issueId: some(id),
    issue: some(z.object({ id, title: z.string().optional(), description: z.string().nullish() })),
    commentId: some(id),
    comment: some(z.object({ body: some(z.string()) })),
    creatorId: some(id),
    creator: person,
  }),
  agentActivity: some(
    z.object({
      id,
      createdAt: instant,
      content: some(z.object({ type: some(z.string()), body: some(z.string()) })),
      body: some(z.string()),
      signal: z.enum(["stop", "select"]).optional().catch(undefined),
      userId: some(id),
      user: person,
    }),
  ),
});

function readSession(payload: Envelope, json: unknown): LinearHint {
  const parsed = sessionPayload.safeParse(json);
  if (!parsed.success) return unfit("agent session", parsed.error);
  const { agentSession: session, agentActivity: activity } = parsed.data;
  const { title, description } = session.issue ?? {};
  // Null where there are no words; left out, nobody told.
  const isTold = title !== undefined && description !== undefined;
  const about = {
    workspace: payload.organizationId,
    session: session.id,
    appUser: session.appUserId,
    issue: session.issueId ?? session.issue?.id,
    thread: session.commentId,
    body: session.comment?.body ?? "",
    at: instantOf(payload.action === "created" ? session.createdAt : activity?.createdAt),
    spec: isTold ? specHash({ title, body: description ?? "" }) : undefined,
  };
  if (payload.action === "created")
    return { is: "session.created", ...about, by: userActor(session.creatorId, session.creator) };
  if (payload.action !== "prompted") return unknownAction(payload);
  if (activity === undefined)
    return { is: "nothing", why: "a malformed agent session: nothing was prompted" };
  return {
    is: "session.prompted",
    ...about,
    activity: activity.id,
    body: activity.content?.body ?? activity.body ?? "",
    signal: activity.signal,
    by: userActor(activity.userId, activity.user),
  };
}

function userActor(known: string | undefined, data: z.output<typeof person>): LinearActor {
  const userId = known ?? data?.id;
  return { is: userId === undefined ? "linear" : "user", id: userId, name: data?.name };
}

function readRevoked(payload: Envelope, json: unknown): LinearHint {
  if (payload.action !== "revoked") return unknownAction(payload);
  const client = z.object({ oauthClientId: some(id) }).safeParse(json);
  return {
    is: "access.revoked",
    workspace: payload.organizationId,
    client: client.success ? client.data.oauthClientId : undefined,
  };
}

const accessPayload = z.object({
  appUserId: some(id),
  addedTeamIds: some(ids),
  removedTeamIds: some(ids),
  canAccessAllPublicTeams: some(z.boolean()),
});

function readAccess(payload: Envelope, json: unknown): LinearHint {
  if (payload.action !== "teamAccessChanged") return unknownAction(payload);
  const parsed = accessPayload.safeParse(json);
  if (!parsed.success) return unfit("change of access", parsed.error);
  return {
    is: "access.changed",
    workspace: payload.organizationId,
    appUser: parsed.data.appUserId,
    added: parsed.data.addedTeamIds ?? [],
    removed: parsed.data.removedTeamIds ?? [],
    all: parsed.data.canAccessAllPublicTeams,
  };
}
