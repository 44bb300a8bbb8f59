/** What is asked of agent sessions. */
import { z } from "zod";
import type { LinearDocument } from "./documents.ts";

const some = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
const success = z.object({ success: z.literal(true) });
const document = <Answer extends z.ZodType>(
  name: string,
  text: string,
  answer: Answer,
): LinearDocument<Answer> => ({ name, text, answer });

export const createActivity = document(
  "forgehandSay",
  "mutation forgehandSay($input: AgentActivityCreateInput!) { agentActivityCreate(input: $input) { success } }",
  z.object({ agentActivityCreate: success }),
);
export const activityQuery = document(
  "forgehandSaid",
  "query forgehandSaid($id: String!) { agentActivity(id: $id) { id user { id } agentSession { id } } }",
  z.object({
    agentActivity: z.object({
      id: z.string(),
      user: z.object({ id: z.string() }),
      agentSession: z.object({ id: z.string() }),
    }),
  }),
);
export const updateSession = document(
  "forgehandUpdateSession",
  `mutation forgehandUpdateSession($id: String!, $input: AgentSessionUpdateInput!) {
    agentSessionUpdate(id: $id, input: $input) { success } }`,
  z.object({ agentSessionUpdate: success }),
);
export const delegateQuery = document(
  "forgehandDelegate",
  "query forgehandDelegate($id: String!) { issue(id: $id) { id archivedAt trashed delegate { id } } }",
  z.object({
    issue: z.object({
      id: z.string(),
      archivedAt: some(z.string()),
      trashed: some(z.boolean()),
      delegate: some(z.object({ id: z.string() })),
    }),
  }),
);
