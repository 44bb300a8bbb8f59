import { z } from "zod";
import { readCommand, readMention } from "./command.ts";
import type { Hint, Say, Self } from "./heard.ts";
import { specHash } from "./spec-hash.ts";

const Issue = z.object({
  number: z.number().int().positive(),
  title: z.string().optional(),
  body: z.string().nullish(),
  state_reason: z.string().nullish(),
  /** Present when the issue is a pull request. */
  pull_request: z.unknown().optional(),
});

const IssuesEvent = z.object({
  action: z.string(),
  issue: Issue,
  label: z.object({ name: z.string() }).optional(),
  changes: z
    .object({
      title: z.unknown().optional(),
      body: z.unknown().optional(),
      new_issue: z.object({ number: z.number() }).optional(),
      new_repository: z.object({ full_name: z.string() }).optional(),
    })
    .optional(),
});

/** The text as it stood at that moment: what a person had before them when they released it. */
const specOf = ({ title, body }: z.infer<typeof Issue>): { readonly spec?: string } =>
  title === undefined ? {} : { spec: specHash({ title, body: body ?? "" }) };

/** `issues`: labels, edits, and whether it is still there. */
export function readIssues(payload: unknown): readonly Hint[] {
  const event = IssuesEvent.safeParse(payload);
  if (!event.success || event.data.issue.pull_request !== undefined) return [];
  const says = sayOf(event.data);
  return says === undefined ? [] : [{ target: { issue: event.data.issue.number }, says }];
}

function sayOf({ action, issue, label, changes }: z.infer<typeof IssuesEvent>): Say | undefined {
  switch (action) {
    case "labeled":
      return label && { type: "labelled", label: label.name, ...specOf(issue) };
    case "unlabeled":
      return label && { type: "unlabelled", label: label.name };
    case "edited":
      return changes?.title === undefined && changes?.body === undefined
        ? undefined
        : { type: "issue.edited" };
    case "closed":
      return { type: "issue.closed", how: issue.state_reason === "completed" ? "completed" : "declined" };
    case "reopened":
      return { type: "issue.reopened" };
    case "deleted":
      return { type: "issue.deleted" };
    case "transferred": {
      const { new_issue: moved, new_repository: to } = changes ?? {};
      return { type: "issue.transferred", to: moved && to ? `${to.full_name}#${moved.number}` : "elsewhere" };
    }
    default:
      return undefined;
  }
}

const CommentEvent = z.object({
  action: z.string(),
  issue: Issue,
  comment: z.object({
    id: z.number().int(),
    body: z.string().nullable(),
    created_at: z.iso.datetime({ offset: true }).optional(),
  }),
});

/**
 * `issue_comment`: a command in a new comment, on the issue or in the pull request's thread. An edited comment
 * is not read again: who edits need not be who wrote.
 */
export function readIssueComment(payload: unknown, self: Self): readonly Hint[] {
  const event = CommentEvent.safeParse(payload);
  if (!event.success || event.data.action !== "created") return [];
  const { issue, comment } = event.data;
  const command = readCommand(comment.body ?? "") ?? readMention(comment.body ?? "", self.botLogin);
  if (command === undefined) return [];
  return [
    {
      target: issue.pull_request === undefined ? { issue: issue.number } : { pull: issue.number },
      says: {
        type: "commented",
        comment: { kind: "comment", id: comment.id, thread: issue.number },
        command,
        wroteOn: undefined,
        at: comment.created_at === undefined ? undefined : Date.parse(comment.created_at),
        ...(issue.pull_request === undefined ? specOf(issue) : {}),
      },
    },
  ];
}
