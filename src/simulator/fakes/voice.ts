import { Trouble } from "../../ports.ts";
import type { InlineFinding, Key, Thread, Voice } from "../../ports.ts";
import { threadOf } from "./hub.ts";
import type { Hub, HubReaction } from "./hub.ts";
import { noticeVoice } from "./notices.ts";
import { threadTalk } from "./threads.ts";

/** The Voice on the in-memory hub. */
export function fakeVoice(hub: Hub): Voice {
  const write: Write = (key, operation, number, perform) => {
    const ref = `${hub.repo.owner}/${hub.repo.name}${number === undefined ? "" : `#${number}`}`;
    return hub.write({ key, operation, ref }, perform);
  };
  return { ...threadVoice(hub, write), ...pullVoice(hub, write), ...noticeVoice(hub), ...threadTalk(hub) };
}

type Write = <Result>(
  key: Key,
  operation: string,
  number: number | undefined,
  perform: () => Result,
) => Promise<Result>;

function threadVoice(hub: Hub, write: Write): Pick<Voice, "upsertComment" | "react"> {
  return {
    upsertComment: async (key, on, marker, body) => {
      const thread = threadOf(hub, on.number);
      if (thread === undefined) throw gone(`thread ${on.number}`);
      const line = `<!-- forgehand:${marker} -->`;
      const text = `${line}\n${body}`;
      const own = thread.comments.find((comment) => comment.by === hub.bot && bears(comment.body, line));
      if (own === undefined) {
        return write(key, "write a comment", on.number, () => {
          const id = hub.nextId();
          thread.comments.push({ id, by: hub.bot, body: text, reactions: [] });
          return id;
        });
      }
      if (own.body !== text) await write(key, "write a comment", on.number, () => void (own.body = text));
      return own.id;
    },
    react: async (key, on, comment, content) => {
      const reactions = reactionsOf(hub, on, comment);
      if (reactions === undefined) return;
      if (reactions.some((each) => each.by === hub.bot && each.content === content)) return;
      await write(key, "react to a comment", on.number, () => void reactions.push({ by: hub.bot, content }));
    },
  };
}

type PullVoice = Pick<Voice, "writeCheck" | "postReview" | "updateFindings">;
function pullVoice(hub: Hub, write: Write): PullVoice {
  return {
    writeCheck: async (key, _repo, head, check) => {
      const checks = hub.checks.get(head) ?? [];
      hub.checks.set(head, checks);
      const own = checks.find((each) => each.name === check.name && each.by === hub.bot);
      if (own !== undefined && JSON.stringify(own.said) === JSON.stringify(check)) return;
      const is = check.status !== "completed" ? "pending" : isGreen(check.conclusion) ? "green" : "red";
      await write(key, "write a check run", undefined, () => {
        if (own === undefined) checks.push({ name: check.name, by: hub.bot, is, said: check });
        else Object.assign(own, { is, said: check });
      });
    },
    postReview: async (key, ref, head, body, findings) => {
      const pull = hub.pulls.get(ref.number);
      if (pull === undefined) throw gone(`pull request ${ref.number}`);
      const line = `<!-- forgehand:review ${key} -->`;
      if (pull.reviews.some((review) => review.by === hub.bot && bears(review.body, line))) return;
      const shown = pull.head === head ? hub.branches.get(pull.headBranch)?.shown : undefined;
      const inline = findings.filter(({ path, line: at }) => at >= 1 && at <= (shown?.get(path) ?? 0));
      const folded = findings.filter((finding) => !inline.includes(finding));
      const listed = folded.map((finding) => `- \`${finding.path}:${finding.line}\` ${finding.body}`);
      await write(key, "post a review", ref.number, () => {
        const review = { id: hub.nextId(), by: hub.bot, state: "COMMENTED" as const, head, at: hub.now() };
        const hung = inline.map((finding) => ({ ...finding, body: marked(finding) }));
        pull.reviews.push({ ...review, body: [line, body, ...listed].join("\n"), inline: hung });
      });
    },
    updateFindings: async (key, ref, findings) => {
      const inline = hub.pulls.get(ref.number)?.reviews.flatMap((review) => review.inline) ?? [];
      for (const [index, hung] of inline.entries()) {
        const wanted = findings.find(({ id }) => bears(hung.body, `<!-- forgehand:finding ${id} -->`));
        if (wanted === undefined) continue;
        const now = { ...hung, body: marked(wanted), resolved: wanted.thread === "resolved" };
        if (hung.body === now.body && (hung.resolved ?? false) === now.resolved) continue;
        await write(key, "settle findings", ref.number, () => replace(hub, ref.number, index, now));
      }
    },
  };
}

const marked = ({ id, body }: { readonly id?: string | undefined; readonly body: string }): string =>
  id === undefined ? body : `<!-- forgehand:finding ${id} -->\n${body}`;

/** Puts another comment in the place of one, counted over all reviews of a pull request. */
function replace(
  hub: Hub,
  number: number,
  index: number,
  now: InlineFinding & { readonly resolved: boolean },
): void {
  let before = 0;
  for (const { inline } of hub.pulls.get(number)?.reviews ?? []) {
    if (index - before < inline.length) {
      inline[index - before] = now;
      return;
    }
    before += inline.length;
  }
}

function gone(what: string): Trouble {
  return new Trouble("github-gone", `There is no ${what}.`, { permanent: true });
}

function bears(text: string, line: string): boolean {
  return text.split("\n", 1)[0] === line;
}

function isGreen(conclusion: string | undefined): boolean {
  return conclusion === "success" || conclusion === "neutral";
}

/** Undefined when the comment is gone. A review's reactions are kept with its pull request. */
function reactionsOf(
  hub: Hub,
  on: Thread,
  comment: Parameters<Voice["react"]>[2],
): HubReaction[] | undefined {
  if (comment?.kind === "tracker") throw new RangeError("a comment of another tracker is none of the hub's");
  const found = threadOf(hub, comment?.thread ?? on.number);
  if (comment === undefined || comment.kind !== "comment") return found?.reactions;
  return found?.comments.find((each) => each.id === comment.id)?.reactions;
}
