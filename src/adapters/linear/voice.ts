import { createHash } from "node:crypto";
import { Trouble } from "../../ports.ts";
import type { Key, Markdown, Voice } from "../../ports.ts";
import { capped } from "../github/text.ts";
import type { LinearLink } from "../../ports-linear-issues.ts";
import type { LinearIssueRef } from "../../state-machine/ticket-id.ts";
import type { LinearApi } from "./api.ts";
import {
  attachmentsQuery,
  commentQuery,
  commentReactionsQuery,
  createAttachment,
  createComment,
  createIssue,
  createReaction,
  issueQuery,
  issueReactionsQuery,
  updateComment,
  updateIssue,
} from "./documents.ts";
import { isHidden, unlessGone } from "./gone.ts";
import { isTaken } from "./trouble.ts";

/** How often another id is tried, when a person deleted what had the one before. */
const mostIds = 8;

/**
 * The UUID under which a thing of ours is made. It is the hidden marker: it follows from what the thing is for, so that
 * making it twice is refused by Linear itself, and nothing need stand in the text, which Linear's editor rewrites.
 */
export function idFor(...parts: readonly (string | number)[]): string {
  const bytes = createHash("sha256")
    .update(JSON.stringify(["forgehand", ...parts]))
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

interface Saying {
  readonly api: LinearApi;
  readonly key: Key;
  readonly on: LinearIssueRef;
}

/** Finds our comment by its remembered id, then by the ids this marker stands for, else writes it; undefined when the issue is gone. */
export async function upsertComment(
  at: Saying,
  marker: string,
  body: Markdown,
  parent: string | undefined,
): Promise<string | undefined> {
  const { api, key, on } = at;
  const text = capped(api.scrub(body));
  const digest = createHash("sha256").update(text).digest("hex");
  const memory = `linear comment ${on.workspace}/${on.issue} ${marker}`;
  const [remembered, said] = (await api.memory.get(memory))?.split(" ") ?? [];
  const settle = async (id: string): Promise<string> => {
    await api.memory.set(memory, `${id} ${digest}`);
    return id;
  };
  const known = remembered === undefined ? undefined : await ownComment(at, remembered);
  if (known === "gone") return undefined;
  if (known !== undefined && known !== "theirs") {
    // Linear keeps a text in its own spelling, so what was last said is compared, not what is read.
    if (said === digest || known.body === text) return await settle(known.id);
    return await settle(await rewrite(at, known.id, text));
  }
  for (let attempt = 0; attempt < mostIds; attempt++) {
    const id = idFor(on.workspace, on.issue, marker, attempt);
    const found = id === remembered ? known : await ownComment(at, id);
    // An id that a stranger took, knowing how ours are made, is passed over.
    if (found === "theirs") continue;
    if (found === "gone") return undefined;
    if (found !== undefined) return await settle(found.body === text ? id : await rewrite(at, id, text));
    await api.writing(key, "write a comment", on);
    try {
      const made = await unlessGone(() =>
        api.ask(on.workspace, createComment, {
          input: {
            id,
            issueId: on.issue,
            body: text,
            ...(parent === undefined ? {} : { parentId: parent }),
          },
        }),
      );
      return made === undefined ? undefined : await settle(id);
    } catch (error) {
      // Deleted by somebody, a comment may keep its id; or ours arrived after all, and its answer was lost.
      if (!isTaken(error)) throw error;
      const late = await ownComment(at, id);
      if (late === "gone") return undefined;
      if (late !== undefined && late !== "theirs") return await settle(id);
    }
  }
  throw new Trouble(
    "linear-comment-refused",
    `Linear took none of ${mostIds} ids for our comment "${marker}" on issue ${on.issue}: it was deleted each time.`,
    { permanent: true },
  );
}

async function rewrite({ api, key, on }: Saying, id: string, body: string): Promise<string> {
  await api.writing(key, "write a comment", on);
  await unlessGone(() => api.ask(on.workspace, updateComment, { id, input: { body } }), "Comment");
  return id;
}

async function ownComment(
  { api, on }: Saying,
  id: string,
): Promise<{ readonly id: string; readonly body: string } | "theirs" | "gone" | undefined> {
  const found = await unlessGone(
    async () => (await api.ask(on.workspace, commentQuery, { id })).comment,
    "Comment",
  );
  if (found === undefined || isHidden(found)) return undefined;
  const us = await api.identity(on.workspace);
  if (found.user?.id !== us.id || found.issue?.id !== on.issue) return "theirs";
  // The issue was archived, and what stands on it is left as it was.
  return isHidden(found.issue) ? "gone" : found;
}

/** As Linear names its emoji. */
const emojis = {
  eyes: "eyes",
  rocket: "rocket",
  hooray: "tada",
  confused: "confused",
  "+1": "+1",
} as const satisfies Record<Parameters<Voice["react"]>[3], string>;

/** Reacts once to a comment, or to the issue; what is gone needs no answer any more. */
export async function react(
  { api, key, on }: Saying,
  comment: string | undefined,
  content: keyof typeof emojis,
): Promise<void> {
  const { workspace } = on;
  const emoji = emojis[content];
  const what = comment === undefined ? "Issue" : "Comment";
  const found = await unlessGone(
    async () =>
      comment === undefined
        ? (await api.ask(workspace, issueReactionsQuery, { id: on.issue })).issue
        : (await api.ask(workspace, commentReactionsQuery, { id: comment })).comment,
    what,
  );
  if (found === undefined || isHidden(found)) return;
  const us = await api.identity(workspace);
  if (found.reactions.some((one) => one.emoji === emoji && one.user?.id === us.id)) return;
  await api.writing(key, "react", on);
  const input = { emoji, ...(comment === undefined ? { issueId: on.issue } : { commentId: comment }) };
  await unlessGone(() => api.ask(workspace, createReaction, { input }), what);
}

/** Attaches a link, or renews it; what is already so is left alone, and so is what another integration shows at that address. */
export async function attach({ api, key, on }: Saying, link: LinearLink): Promise<void> {
  if (!/^https?:\/\/[^\s@]+$/u.test(link.url))
    throw new Trouble(
      "linear-refused",
      "Only links to the web, without credentials, can be attached to an issue.",
      {
        permanent: true,
      },
    );
  const { workspace, issue } = on;
  const title = capped(api.scrub(link.title), 250);
  const subtitle = link.subtitle === undefined ? undefined : capped(api.scrub(link.subtitle), 250);
  const metadata = Object.fromEntries(
    Object.entries(link.metadata ?? {}).map(([name, value]) => [
      name,
      typeof value === "string" ? api.scrub(value) : value,
    ]),
  );
  const found = await unlessGone(
    async () => (await api.ask(workspace, attachmentsQuery, { id: issue, url: link.url })).issue,
  );
  if (found === undefined || isHidden(found)) return;
  const us = await api.identity(workspace);
  // Linear's own of a pull request follows it by itself, by metadata that ours would replace.
  const isTheirs = found.attachments.nodes.some(
    ({ creator, sourceType }) => sourceType !== undefined && sourceType !== "api" && creator?.id !== us.id,
  );
  if (isTheirs) return;
  const isSo = found.attachments.nodes.some(
    (one) =>
      one.title === title &&
      (one.subtitle ?? "") === (subtitle ?? "") &&
      Object.entries(metadata).every(([name, value]) => one.metadata?.[name] === value),
  );
  if (isSo) return;
  await api.writing(key, "attach a link", on);
  const input = { issueId: issue, url: link.url, title, subtitle: subtitle ?? "", metadata };
  await unlessGone(() => api.ask(workspace, createAttachment, { input }));
}

/** What a person answered, below what they had written; said under a heading that names what it is for, it stands there once. */
export async function appendToSpec(
  { api, key, on }: Saying,
  marker: string,
  text: Markdown,
): Promise<{ readonly title: string; readonly body: string } | undefined> {
  const { workspace, issue } = on;
  const read = async (): Promise<{ readonly title: string; readonly body: string } | undefined> => {
    const found = await unlessGone(async () => (await api.ask(workspace, issueQuery, { id: issue })).issue);
    if (found === undefined || isHidden(found)) return undefined;
    return { title: found.title, body: found.description ?? "" };
  };
  const before = await read();
  const memory = `linear spec ${workspace}/${issue} ${marker}`;
  if (before === undefined || before.body.includes(marker)) return before;
  // Written once and taken out again by a person, it is theirs to leave out.
  if ((await api.memory.get(memory)) === "written") return before;
  const description = `${before.body.trimEnd()}\n\n### ${marker}\n\n${api.scrub(text)}\n`;
  await api.writing(key, "append to an issue", on);
  await unlessGone(() => api.ask(workspace, updateIssue, { id: issue, input: { description } }));
  await api.memory.set(memory, "written");
  return await read();
}

/** Opens an issue of ours in a team, or finds the one that was opened for this marker; answers its UUID. */
export async function openIssue(
  api: LinearApi,
  key: Key,
  team: { readonly workspace: string; readonly id: string },
  marker: string,
  { title, body }: { readonly title: string; readonly body: Markdown },
): Promise<string> {
  const id = idFor(team.workspace, team.id, "issue", marker);
  // Archived or in the bin, it was opened all the same.
  const exists = await unlessGone(() => api.ask(team.workspace, issueQuery, { id }));
  if (exists !== undefined) return id;
  await api.writing(key, "open an issue", { workspace: team.workspace, issue: id });
  const input = {
    id,
    teamId: team.id,
    title: capped(api.scrub(title), 250),
    description: capped(api.scrub(body)),
  };
  try {
    await api.ask(team.workspace, createIssue, { input });
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  return id;
}
