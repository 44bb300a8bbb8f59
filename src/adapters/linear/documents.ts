import { z } from "zod";

/** A question to Linear and what its answer must hold. Small on purpose: a query costs by what it may bring. */
export interface LinearDocument<Answer extends z.ZodType> {
  readonly name: string;
  readonly text: string;
  readonly answer: Answer;
}
/** A field that may be null counts as left out. */
export const some = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
const instant = z.string().transform((text, context) => {
  const at = Date.parse(text);
  if (Number.isNaN(at)) context.addIssue("no date");
  return at;
});
/** Where a connection goes on. */
export const page = z.object({ hasNextPage: z.boolean(), endCursor: some(z.string()) });
/** What a mutation must say of itself. */
export const success = z.object({ success: z.literal(true) });

/** A page costs as often as it may have nodes: 250 issues with their labels cost more than any query may. */
export const issuesPerPage = 100;
/** Labels that come with an issue; of one with more, all are read by themselves. */
export const labelsPerIssue = 20;
export const manyPerPage = 50;

const personFields = "id name displayName email app gitHubUserId";
const person = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  email: some(z.string()),
  app: z.boolean(),
  gitHubUserId: some(z.string()),
});

// Linear may add categories: a word that is new to us is a state that is neither done nor given up.
const state = z.object({ id: z.string(), name: z.string(), type: z.string() });
const team = z.object({ id: z.string(), key: z.string(), name: z.string() });
const label = z.object({
  id: z.string(),
  name: z.string(),
  parent: some(z.object({ id: z.string(), name: z.string() })),
});
export type RawLabel = z.output<typeof label>;

const issueFields = `id identifier title description url branchName priority createdAt updatedAt archivedAt trashed labelIds
  creator { ${personFields} } assignee { ${personFields} } delegate { ${personFields} }
  state { id name type } team { id key name }
  cycle { id number name startsAt endsAt } project { id name } parent { id identifier }
  labels(first: ${labelsPerIssue}) { nodes { id name parent { id name } } }`;
const issue = z.object({
  id: z.string(),
  identifier: z.string(),
  title: z.string(),
  description: some(z.string()),
  url: z.string(),
  branchName: z.string(),
  priority: z.number(),
  createdAt: instant,
  updatedAt: instant,
  archivedAt: some(z.string()),
  trashed: some(z.boolean()),
  labelIds: z.array(z.string()),
  creator: some(person),
  assignee: some(person),
  delegate: some(person),
  state,
  team,
  cycle: some(
    z.object({
      id: z.string(),
      number: z.number(),
      name: some(z.string()),
      startsAt: instant,
      endsAt: instant,
    }),
  ),
  project: some(z.object({ id: z.string(), name: z.string() })),
  parent: some(z.object({ id: z.string(), identifier: z.string() })),
  labels: z.object({ nodes: z.array(label) }),
});
export type RawIssue = z.output<typeof issue>;

/** A document whose answer is read by its schema. */
export const document = <Answer extends z.ZodType>(
  name: string,
  text: string,
  answer: Answer,
): LinearDocument<Answer> => ({
  name,
  text,
  answer,
});

export const viewerQuery = document(
  "forgehandViewer",
  "query forgehandViewer { viewer { id app } organization { id urlKey } }",
  z.object({
    viewer: z.object({ id: z.string(), app: z.boolean() }),
    organization: z.object({ id: z.string(), urlKey: z.string() }),
  }),
);
export const issueQuery = document(
  "forgehandIssue",
  `query forgehandIssue($id: String!) { issue(id: $id) { ${issueFields} } }`,
  z.object({ issue }),
);
export const issueLabelsQuery = document(
  "forgehandIssueLabels",
  `query forgehandIssueLabels($id: String!, $after: String) { issue(id: $id) {
    labels(first: ${issuesPerPage}, after: $after) { nodes { id name parent { id name } } pageInfo { hasNextPage endCursor } } } }`,
  z.object({ issue: z.object({ labels: z.object({ nodes: z.array(label), pageInfo: page }) }) }),
);
/** Oldest change first: what changes while the pages are read moves to their end and is met again, never missed. */
export const changedIssuesQuery = document(
  "forgehandChangedIssues",
  `query forgehandChangedIssues($filter: IssueFilter!, $after: String) {
    issues(first: ${issuesPerPage}, after: $after, filter: $filter, sort: [{ updatedAt: { order: Ascending } }]) {
      nodes { ${issueFields} } pageInfo { hasNextPage endCursor } } }`,
  z.object({ issues: z.object({ nodes: z.array(issue), pageInfo: page }) }),
);

const otherFields = "id identifier archivedAt trashed state { id name type }";
const other = z.object({
  id: z.string(),
  identifier: z.string(),
  archivedAt: some(z.string()),
  trashed: some(z.boolean()),
  state,
});
export type RawOther = z.output<typeof other>;
export const blockersQuery = document(
  "forgehandBlockers",
  `query forgehandBlockers($id: String!, $after: String) { issue(id: $id) {
    inverseRelations(first: ${manyPerPage}, after: $after) {
      nodes { id type issue { ${otherFields} } } pageInfo { hasNextPage endCursor } } } }`,
  z.object({
    issue: z.object({
      inverseRelations: z.object({
        nodes: z.array(z.object({ id: z.string(), type: z.string(), issue: other })),
        pageInfo: page,
      }),
    }),
  }),
);
export const childrenQuery = document(
  "forgehandChildren",
  `query forgehandChildren($id: String!, $after: String) { issue(id: $id) {
    children(first: ${manyPerPage}, after: $after, includeArchived: true) {
      nodes { ${otherFields} } pageInfo { hasNextPage endCursor } } } }`,
  z.object({ issue: z.object({ children: z.object({ nodes: z.array(other), pageInfo: page }) }) }),
);

const names = some(z.array(z.object({ name: z.string() })));
const change = z.object({
  id: z.string(),
  createdAt: instant,
  updatedAt: instant,
  actor: some(person),
  botActor: some(z.object({ name: some(z.string()), type: some(z.string()) })),
  addedLabels: names,
  removedLabels: names,
  updatedDescription: some(z.boolean()),
  fromTitle: some(z.string()),
  toTitle: some(z.string()),
  fromState: some(state),
  toState: some(state),
});
export type RawChange = z.output<typeof change>;
export const historyQuery = document(
  "forgehandHistory",
  `query forgehandHistory($id: String!, $after: String) { issue(id: $id) {
    history(first: ${manyPerPage}, after: $after) {
      nodes { id createdAt updatedAt actor { ${personFields} } botActor { name type } addedLabels { name } removedLabels { name }
        updatedDescription fromTitle toTitle fromState { id name type } toState { id name type } }
      pageInfo { hasNextPage endCursor } } } }`,
  z.object({ issue: z.object({ history: z.object({ nodes: z.array(change), pageInfo: page }) }) }),
);

/** A column of a board. */
export const boardState = state.extend({ position: z.number(), archivedAt: some(z.string()) });
export type BoardState = z.output<typeof boardState>;
export const boardQuery = document(
  "forgehandBoard",
  `query forgehandBoard($id: String!) { issue(id: $id) { id archivedAt trashed state { id name type }
    team { id key name states(first: ${issuesPerPage}) { nodes { id name type position archivedAt } } } } }`,
  z.object({
    issue: z.object({
      id: z.string(),
      archivedAt: some(z.string()),
      trashed: some(z.boolean()),
      state,
      team: team.extend({ states: z.object({ nodes: z.array(boardState) }) }),
    }),
  }),
);
export const updateIssue = document(
  "forgehandUpdateIssue",
  "mutation forgehandUpdateIssue($id: String!, $input: IssueUpdateInput!) { issueUpdate(id: $id, input: $input) { success } }",
  z.object({ issueUpdate: success }),
);
export const createIssue = document(
  "forgehandCreateIssue",
  "mutation forgehandCreateIssue($input: IssueCreateInput!) { issueCreate(input: $input) { success } }",
  z.object({ issueCreate: success }),
);

/** A label with whose it is; undefined: the workspace's. */
export const namedLabel = label.extend({ isGroup: z.boolean(), team: some(z.object({ id: z.string() })) });
export type NamedLabel = z.output<typeof namedLabel>;
export const labelsNamedQuery = document(
  "forgehandLabelsNamed",
  `query forgehandLabelsNamed($name: String!, $after: String) {
    issueLabels(first: ${manyPerPage}, after: $after, filter: { name: { eqIgnoreCase: $name } }) {
      nodes { id name isGroup parent { id name } team { id } } pageInfo { hasNextPage endCursor } } }`,
  z.object({ issueLabels: z.object({ nodes: z.array(namedLabel), pageInfo: page }) }),
);
export const labelsByIdQuery = document(
  "forgehandLabelsById",
  `query forgehandLabelsById($ids: [ID!]!) {
    issueLabels(first: ${manyPerPage}, filter: { id: { in: $ids } }) { nodes { id name } } }`,
  z.object({
    issueLabels: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string() })) }),
  }),
);
export const personQuery = document(
  "forgehandPerson",
  `query forgehandPerson($id: String!) { user(id: $id) { ${personFields} } }`,
  z.object({ user: person }),
);
export const createLabel = document(
  "forgehandCreateLabel",
  "mutation forgehandCreateLabel($input: IssueLabelCreateInput!) { issueLabelCreate(input: $input) { success } }",
  z.object({ issueLabelCreate: success }),
);

const comment = z.object({
  id: z.string(),
  body: z.string(),
  archivedAt: some(z.string()),
  user: some(z.object({ id: z.string() })),
  issue: some(z.object({ id: z.string(), archivedAt: some(z.string()), trashed: some(z.boolean()) })),
});
export const commentQuery = document(
  "forgehandComment",
  "query forgehandComment($id: String!) { comment(id: $id) { id body archivedAt user { id } issue { id archivedAt trashed } } }",
  z.object({ comment }),
);
export const createComment = document(
  "forgehandCreateComment",
  "mutation forgehandCreateComment($input: CommentCreateInput!) { commentCreate(input: $input) { success } }",
  z.object({ commentCreate: success }),
);
export const updateComment = document(
  "forgehandUpdateComment",
  "mutation forgehandUpdateComment($id: String!, $input: CommentUpdateInput!) { commentUpdate(id: $id, input: $input) { success } }",
  z.object({ commentUpdate: success }),
);

const reactions = z.array(z.object({ emoji: z.string(), user: some(z.object({ id: z.string() })) }));
export const issueReactionsQuery = document(
  "forgehandIssueReactions",
  "query forgehandIssueReactions($id: String!) { issue(id: $id) { archivedAt reactions { emoji user { id } } } }",
  z.object({ issue: z.object({ archivedAt: some(z.string()), reactions }) }),
);
export const commentReactionsQuery = document(
  "forgehandCommentReactions",
  "query forgehandCommentReactions($id: String!) { comment(id: $id) { archivedAt reactions { emoji user { id } } } }",
  z.object({ comment: z.object({ archivedAt: some(z.string()), reactions }) }),
);
export const createReaction = document(
  "forgehandCreateReaction",
  "mutation forgehandCreateReaction($input: ReactionCreateInput!) { reactionCreate(input: $input) { success } }",
  z.object({ reactionCreate: success }),
);

export const attachmentsQuery = document(
  "forgehandAttachments",
  `query forgehandAttachments($id: String!, $url: String!) { issue(id: $id) { archivedAt
    attachments(first: 10, filter: { url: { eq: $url } }) { nodes { id title subtitle metadata sourceType creator { id } } } } }`,
  z.object({
    issue: z.object({
      archivedAt: some(z.string()),
      attachments: z.object({
        nodes: z.array(
          z.object({
            id: z.string(),
            title: z.string(),
            subtitle: some(z.string()),
            metadata: some(z.record(z.string(), z.unknown())),
            sourceType: some(z.string()),
            creator: some(z.object({ id: z.string() })),
          }),
        ),
      }),
    }),
  }),
);
export const createAttachment = document(
  "forgehandCreateAttachment",
  "mutation forgehandCreateAttachment($input: AttachmentCreateInput!) { attachmentCreate(input: $input) { success } }",
  z.object({ attachmentCreate: success }),
);
