import { addComment, deleteComment, editComment, react, resolveComment, unreact } from "./comments.ts";
import type { Asking } from "./derived.ts";
import { linearError } from "./errors.ts";
import { archiveIssue, changeIssue, createIssue, destroyIssue, type IssueChange } from "./issues.ts";
import { freshId, lookUp, lookUpIssue, lookUpOptional, lookUpUser } from "./lookup.ts";
import { actorOf, done, inputOf, liveIssue, textOf, type Args, type Mutations } from "./mutation.ts";
import { assertDelegable } from "./sessions.ts";
import { born, drop, type SimIssue, type SimLabel, type SimRelation } from "./world.ts";

const plainKeys = ["title", "description", "priority", "estimate", "dueDate", "sortOrder"];
const relationKeys = "state assignee delegate parent cycle project team"
  .split(" ")
  .map((name) => `${name}Id`);
const issueKeys = [...plainKeys, ...relationKeys, "labelIds", "subscriberIds"];
const updateKeys = [
  ...issueKeys,
  "addedLabelIds",
  "removedLabelIds",
  "subIssueSortOrder",
  "prioritySortOrder",
];
// Names of outsiders are accepted and not kept; the order of a board is nobody's concern here.
const createKeys = [
  ...issueKeys,
  "id",
  "createAsUser",
  "displayIconUrl",
  "createdAt",
  "prioritySortOrder",
  "subIssueSortOrder",
];

/** What an input asks of an issue; null empties a field. */
function changeOf(input: Args, asking: Asking, issue?: SimIssue): IssueChange {
  const change: Record<string, unknown> = {};
  for (const key of plainKeys) if (key in input) change[key] = input[key] ?? undefined;
  if (change["title"] === "" || ("title" in input && input["title"] === null))
    throw linearError("invalid", "title should not be empty");
  const relation = (key: string, to: string, find: (id: unknown) => unknown): void => {
    if (key in input) change[to] = input[key] === null ? undefined : find(input[key]);
  };
  relation("teamId", "team", (id) => lookUp(asking, "Team", id));
  relation("stateId", "state", (id) => lookUp(asking, "WorkflowState", id));
  relation("assigneeId", "assignee", (id) => lookUpUser(asking, id));
  relation("delegateId", "delegate", (id) => lookUpUser(asking, id));
  relation("parentId", "parent", (id) => lookUpIssue(asking, id));
  relation("cycleId", "cycle", (id) => lookUp(asking, "Cycle", id));
  relation("projectId", "project", (id) => lookUp(asking, "Project", id));
  if (Array.isArray(input["subscriberIds"]))
    change["subscribers"] = input["subscriberIds"].map((id) => lookUpUser(asking, id));
  const labels = (key: string): readonly SimLabel[] | undefined =>
    Array.isArray(input[key]) ? input[key].map((id) => lookUp(asking, "IssueLabel", id)) : undefined;
  const [all, added, removed] = [labels("labelIds"), labels("addedLabelIds"), labels("removedLabelIds")];
  if (all !== undefined || added !== undefined || removed !== undefined) {
    const kept = (all ?? issue?.labels ?? []).filter((label) => removed?.includes(label) !== true);
    change["labels"] = [...new Set([...kept, ...(added ?? [])])];
  }
  const wanted = change as IssueChange;
  const team = wanted.team ?? issue?.team;
  for (const user of [wanted.delegate, wanted.assignee?.app === true ? wanted.assignee : undefined])
    if (user !== undefined && team !== undefined) assertDelegable(asking.linear, user, { team });
  if (wanted.delegate?.app === false) throw linearError("invalid", "delegateId must be that of an agent");
  return wanted;
}

const update = (issue: SimIssue, input: Args, asking: Asking): SimIssue =>
  changeIssue(asking.linear, issue, changeOf(input, asking, issue), actorOf(asking));

const withLabels = (issue: SimIssue, labels: readonly SimLabel[], asking: Asking): Args =>
  done(asking, { issue: changeIssue(asking.linear, issue, { labels }, actorOf(asking)) });

const commentKeys = [
  "body",
  "issueId",
  "parentId",
  "id",
  "doNotSubscribeToIssue",
  "createAsUser",
  "displayIconUrl",
];

/** Issues, what is said on them, and how they stand to each other. */
export const issueMutations: Mutations = {
  issueCreate: (args, asking) => {
    const input = inputOf(args, createKeys, "IssueCreateInput");
    const { team, title, ...change } = changeOf(input, asking);
    if (team === undefined || title === undefined)
      throw linearError("invalid", "teamId and title are needed");
    const issue = createIssue(
      asking.linear,
      { ...change, team, title, id: freshId(asking, "Issue", input["id"]) },
      actorOf(asking),
    );
    return done(asking, { issue });
  },
  issueUpdate: (args, asking) => {
    const input = inputOf(args, updateKeys, "IssueUpdateInput");
    return done(asking, { issue: update(liveIssue(asking, args["id"]), input, asking) });
  },
  issueBatchUpdate: (args, asking) => {
    const input = inputOf(args, updateKeys, "IssueUpdateInput");
    const issues = (args["ids"] as readonly string[]).map((id) => liveIssue(asking, id));
    return done(asking, { issues: issues.map((issue) => update(issue, input, asking)) });
  },
  issueAddLabel: ({ id, labelId }, asking) => {
    const issue = liveIssue(asking, id);
    const label = lookUp(asking, "IssueLabel", labelId);
    return withLabels(issue, [...new Set([...issue.labels, label])], asking);
  },
  issueRemoveLabel: ({ id, labelId }, asking) => {
    const issue = liveIssue(asking, id);
    return withLabels(
      issue,
      issue.labels.filter((label) => label.id !== labelId),
      asking,
    );
  },
  issueArchive: ({ id, trash }, asking) => {
    const issue = lookUpIssue(asking, id);
    archiveIssue(asking.linear, issue, trash === true ? "trashed" : "archived", actorOf(asking));
    return done(asking, { entity: issue });
  },
  issueUnarchive: ({ id }, asking) => {
    const issue = lookUpIssue(asking, id);
    archiveIssue(asking.linear, issue, "active", actorOf(asking));
    return done(asking, { entity: issue });
  },
  issueDelete: ({ id, permanentlyDelete }, asking) => {
    const issue = lookUpIssue(asking, id);
    if (permanentlyDelete === true) destroyIssue(asking.linear, issue, actorOf(asking));
    else archiveIssue(asking.linear, issue, "trashed", actorOf(asking));
    return done(asking, { entity: issue });
  },
  issueRelationCreate: (args, asking) => {
    const input = inputOf(args, ["id", "issueId", "relatedIssueId", "type"], "IssueRelationCreateInput");
    const [issue, relatedIssue] = [
      liveIssue(asking, input["issueId"]),
      liveIssue(asking, input["relatedIssueId"]),
    ];
    if (issue === relatedIssue) throw linearError("invalid", "An issue cannot be related to itself");
    const { world } = asking.linear;
    const issueRelation: SimRelation = {
      ...born(world, "IssueRelation", freshId(asking, "IssueRelation", input["id"])),
      issue,
      relatedIssue,
      type: String(input["type"]),
    };
    world.tables.IssueRelation.push(issueRelation);
    world.syncId += 1;
    return done(asking, { issueRelation });
  },
  issueRelationDelete: ({ id }, asking) => {
    drop(asking.linear.world, "IssueRelation", lookUp(asking, "IssueRelation", id));
    return done(asking, { entityId: id });
  },
  commentCreate: (args, asking) => {
    const input = inputOf(args, commentKeys, "CommentCreateInput");
    const parent = lookUpOptional(asking, "Comment", input["parentId"]);
    const issue = liveIssue(asking, input["issueId"] ?? parent?.issue.id);
    if (parent !== undefined && parent.issue !== issue)
      throw linearError("invalid", "The parent comment belongs to another issue");
    const body = textOf(input["body"]);
    if (body === undefined || body.trim() === "") throw linearError("invalid", "body should not be empty");
    const id = freshId(asking, "Comment", input["id"]);
    return done(asking, { comment: addComment(asking.linear, { id, issue, parent, body }, actorOf(asking)) });
  },
  commentUpdate: (args, asking) => {
    const input = inputOf(args, ["body", "doNotSubscribeToIssue"], "CommentUpdateInput");
    const comment = lookUp(asking, "Comment", args["id"]);
    if (comment.user !== asking.caller.user)
      throw linearError("forbidden", "Only its author can edit a comment");
    const body = textOf(input["body"]);
    if (body !== undefined) editComment(asking.linear, comment, body, actorOf(asking));
    return done(asking, { comment });
  },
  commentDelete: ({ id }, asking) => {
    const comment = lookUp(asking, "Comment", id);
    if (comment.user !== asking.caller.user && !asking.caller.user.admin)
      throw linearError("forbidden", "Only its author or an admin can delete a comment");
    deleteComment(asking.linear, comment, actorOf(asking));
    return done(asking, { entityId: id });
  },
  commentResolve: ({ id }, asking) => {
    const comment = lookUp(asking, "Comment", id);
    resolveComment(asking.linear, comment, "resolved", actorOf(asking));
    return done(asking, { comment });
  },
  commentUnresolve: ({ id }, asking) => {
    const comment = lookUp(asking, "Comment", id);
    resolveComment(asking.linear, comment, "open", actorOf(asking));
    return done(asking, { comment });
  },
  reactionCreate: (args, asking) => {
    const input = inputOf(args, ["id", "emoji", "commentId", "issueId"], "ReactionCreateInput");
    const comment = lookUpOptional(asking, "Comment", input["commentId"]);
    const issue = input["issueId"] === undefined ? undefined : liveIssue(asking, input["issueId"]);
    if (comment === undefined && issue === undefined)
      throw linearError("invalid", "A reaction needs a comment or an issue");
    const { user } = asking.caller;
    const emoji = String(input["emoji"]);
    const same = asking.linear.world.tables.Reaction.find(
      (one) => one.user === user && one.emoji === emoji && one.comment === comment && one.issue === issue,
    );
    const id = freshId(asking, "Reaction", input["id"]);
    const reaction = same ?? react(asking.linear, { id, emoji, comment, issue }, actorOf(asking));
    return done(asking, { reaction });
  },
  reactionDelete: ({ id }, asking) => {
    unreact(asking.linear, lookUp(asking, "Reaction", id), actorOf(asking));
    return done(asking, { entityId: id });
  },
};
