/** What is asked of Linear about whole boards. */
import { z } from "zod";
import {
  boardState,
  document,
  issuesPerPage,
  manyPerPage,
  namedLabel,
  page,
  some,
  success,
} from "./documents.ts";

const boardTeam = z.object({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  inheritWorkflowStatuses: z.boolean(),
  parent: some(z.object({ key: z.string() })),
});
export const teamsQuery = document(
  "forgehandTeams",
  `query forgehandTeams($after: String) { teams(first: ${manyPerPage}, after: $after) {
    nodes { id key name inheritWorkflowStatuses parent { key } } pageInfo { hasNextPage endCursor } } }`,
  z.object({ teams: z.object({ nodes: z.array(boardTeam), pageInfo: page }) }),
);
export const teamStatesQuery = document(
  "forgehandTeamStates",
  `query forgehandTeamStates($id: String!, $after: String) { team(id: $id) {
    states(first: ${issuesPerPage}, after: $after) {
      nodes { id name type position archivedAt } pageInfo { hasNextPage endCursor } } } }`,
  z.object({ team: z.object({ states: z.object({ nodes: z.array(boardState), pageInfo: page }) }) }),
);
const automation = z.object({
  event: z.string(),
  state: some(z.object({ name: z.string() })),
  targetBranch: some(z.object({ branchPattern: z.string() })),
});
/** A rule of Linear's own GitHub integration: where it moves a card at a moment of its pull request. */
export type GitAutomation = z.output<typeof automation>;
export const automationsQuery = document(
  "forgehandAutomations",
  `query forgehandAutomations($id: String!, $after: String) { team(id: $id) {
    gitAutomationStates(first: ${manyPerPage}, after: $after) {
      nodes { event state { name } targetBranch { branchPattern } } pageInfo { hasNextPage endCursor } } } }`,
  z.object({
    team: z.object({ gitAutomationStates: z.object({ nodes: z.array(automation), pageInfo: page }) }),
  }),
);
export const labelsAmongQuery = document(
  "forgehandLabelsAmong",
  `query forgehandLabelsAmong($filter: IssueLabelFilter!, $after: String) {
    issueLabels(first: ${issuesPerPage}, after: $after, filter: $filter) {
      nodes { id name isGroup parent { id name } team { id } } pageInfo { hasNextPage endCursor } } }`,
  z.object({ issueLabels: z.object({ nodes: z.array(namedLabel), pageInfo: page }) }),
);
export const createState = document(
  "forgehandCreateState",
  "mutation forgehandCreateState($input: WorkflowStateCreateInput!) { workflowStateCreate(input: $input) { success } }",
  z.object({ workflowStateCreate: success }),
);
