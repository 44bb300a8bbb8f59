import { z } from "zod";
import { hereInstallation } from "../state-machine/ticket-id.ts";
import type { Heard, Say, Target } from "./heard.ts";

const sha = z.string().regex(/^[0-9a-f]{40}$/u);
const label = z.string().min(1).max(50);

/** What may have happened beside a repository of this host: in its files of tickets, and to its branches. */
const News = z.discriminatedUnion("type", [
  z.object({ type: z.literal("labelled"), label, spec: z.string().optional() }),
  z.object({ type: z.literal("unlabelled"), label }),
  z.object({ type: z.literal("issue.edited") }),
  z.object({ type: z.literal("issue.closed"), how: z.enum(["completed", "declined"]) }),
  z.object({ type: z.literal("issue.reopened") }),
  z.object({ type: z.literal("issue.deleted") }),
  z.object({ type: z.literal("pull.moved"), head: sha }),
  z.object({ type: z.literal("pull.closed") }),
  z.object({ type: z.literal("config.changed"), at: sha }),
]);
export type LocalNews = z.infer<typeof News>;

/** The body of a delivery of source `local`. */
const LocalDelivery = z.object({
  repo: z.object({
    id: z.number().int().positive(),
    owner: z.string(),
    name: z.string(),
    defaultBranch: z.string(),
  }),
  /** Who works at this host. */
  by: z.string().min(1),
  /** A ticket or pull request by number; the whole repository where there is none. */
  ticket: z.number().int().positive().optional(),
  pull: z.number().int().positive().optional(),
  news: z.array(News).min(1).max(200),
});
export type LocalDelivery = z.infer<typeof LocalDelivery>;

/** What a stored delivery of this host hints at; empty when it is none we know. Never throws. */
export function readLocal({ body }: { readonly body: string }): readonly Heard[] {
  const delivery = LocalDelivery.safeParse(parseJson(body));
  if (!delivery.success) return [];
  const { repo, by, ticket, pull, news } = delivery.data;
  const target: Target =
    pull !== undefined ? { pull } : ticket !== undefined ? { issue: ticket } : { repo: "whole" };
  return news.map((one) => ({
    repo: { ...repo, installation: hereInstallation, private: true },
    target,
    sender: { login: by, id: 0, kind: "person" },
    says: sayOf(one),
  }));
}

/** Whether it was merged, the facts tell. */
const sayOf = (news: LocalNews): Say => (news.type === "pull.closed" ? { ...news, merge: undefined } : news);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
