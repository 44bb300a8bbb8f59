import { createHash } from "node:crypto";
import type { Octokit } from "@octokit/rest";
import type { Repo, Thread, Voice } from "../../ports.ts";
import type { Check } from "../../ports-notices.ts";
import type { GitHub, Writing } from "./app.ts";
import { updateFindings } from "./findings.ts";
import { closeNotice, writeNotice } from "./notices.ts";
import { postReview } from "./review.ts";
import { bears, capped, markerLine, sameText } from "./text.ts";
import { replyInThread, resolveThread } from "./threads.ts";
import { unless } from "./trouble.ts";

type Reaction = Parameters<Voice["react"]>[3];
type Comment = Parameters<Voice["react"]>[2];
type Sha = Parameters<Voice["writeCheck"]>[2];

/** The Voice on GitHub: comments, reactions, check runs and reviews. */
export function githubVoice(github: GitHub): Voice {
  return {
    upsertComment: (key, on, marker, body) =>
      github.within("write a comment", on.repo, (octokit) =>
        upsertComment({ github, octokit, key }, on, marker, body),
      ),
    react: (key, on, comment, content) => {
      const operation =
        comment === undefined || comment.kind === "comment" ? "react to a comment" : "react to a review";
      return github.within(operation, on.repo, (octokit) =>
        react({ github, octokit, key }, on, comment, content),
      );
    },
    writeCheck: (key, repo, head, check) =>
      github.within("write a check run", repo, (octokit) =>
        writeCheck({ github, octokit, key }, repo, head, check),
      ),
    writeNotice: (key, repo, marker, notice) =>
      github.within("open an issue", repo, (octokit) =>
        writeNotice({ github, octokit, key }, repo, marker, notice),
      ),
    closeNotice: (key, repo, marker, word) =>
      github.within("close or open an issue", repo, (octokit) =>
        closeNotice({ github, octokit, key }, repo, marker, {
          tell: (number) => upsertComment({ github, octokit, key }, { repo, number }, `${marker} over`, word),
        }),
      ),
    postReview: (key, pull, head, body, findings) =>
      github.within("post a review", pull.repo, (octokit) =>
        postReview({ github, octokit, key }, pull, { head, body, findings }),
      ),
    updateFindings: (key, pull, findings) =>
      github.within("settle findings", pull.repo, (octokit) =>
        updateFindings({ github, octokit, key }, pull, findings),
      ),
    replyInThread: (key, pull, root, marker, body) =>
      github.within("reply in a review thread", pull.repo, (octokit) =>
        replyInThread({ github, octokit, key }, pull, { root, marker, body }),
      ),
    resolveThread: (key, pull, thread) =>
      github.within("resolve a review thread", pull.repo, (octokit) =>
        resolveThread({ github, octokit, key }, pull, thread),
      ),
  };
}

async function upsertComment(
  { github, octokit, key }: Writing,
  on: Thread,
  marker: string,
  body: string,
): Promise<number> {
  const place = { owner: on.repo.owner, repo: on.repo.name };
  const line = markerLine(marker);
  const text = capped(`${line}\n${github.scrub(body)}`);
  const memory = `comment ${on.repo.id}#${on.number} ${line}`;
  const own = (await recall(github, octokit, on, line, memory)) ?? (await search(github, octokit, on, line));
  if (own === undefined) {
    await github.writing(key, "write a comment", on.repo, on.number);
    const { data } = await octokit.rest.issues.createComment({
      ...place,
      issue_number: on.number,
      body: text,
    });
    await github.memory.set(memory, String(data.id));
    return data.id;
  }
  await github.memory.set(memory, String(own.id));
  if (!sameText(own.body, text)) {
    await github.writing(key, "write a comment", on.repo, on.number);
    await octokit.rest.issues.updateComment({ ...place, comment_id: own.id, body: text });
  }
  return own.id;
}

interface OwnComment {
  readonly id: number;
  readonly body?: string | undefined;
}

async function recall(
  github: GitHub,
  octokit: Octokit,
  on: Thread,
  line: string,
  memory: string,
): Promise<OwnComment | undefined> {
  const id = Number(await github.memory.get(memory));
  if (!Number.isSafeInteger(id) || id <= 0) return undefined;
  const found = await unless(
    [404, 410],
    octokit.rest.issues.getComment({ owner: on.repo.owner, repo: on.repo.name, comment_id: id }),
  );
  return found !== undefined && bears(found.data.body, line) && (await github.isOurs(found.data))
    ? found.data
    : undefined;
}

/** The oldest comment that is ours and bears the marker: a stranger may copy the marker, not our name. */
async function search(
  github: GitHub,
  octokit: Octokit,
  on: Thread,
  line: string,
): Promise<OwnComment | undefined> {
  const of = { owner: on.repo.owner, repo: on.repo.name, issue_number: on.number, per_page: 100 };
  for await (const { data } of octokit.paginate.iterator(octokit.rest.issues.listComments, of)) {
    for (const comment of data) {
      if (bears(comment.body, line) && (await github.isOurs(comment))) return comment;
    }
  }
  return undefined;
}

async function react(
  { github, octokit, key }: Writing,
  on: Thread,
  comment: Comment,
  content: Reaction,
): Promise<void> {
  const place = { owner: on.repo.owner, repo: on.repo.name };
  const { reactions, pulls } = octokit.rest;
  if (comment?.kind === "tracker") throw new RangeError("a comment of another tracker is none of GitHub's");
  const tell = (): Promise<void> => github.writing(key, "react to a comment", on.repo, on.number);
  if (comment?.kind === "review") {
    const review = await unless(
      [404],
      pulls.getReview({ ...place, pull_number: comment.thread, review_id: comment.id }),
    );
    if (review === undefined) return;
    await tell();
    // Only GraphQL reacts to a review; reacting again changes nothing there.
    await octokit.graphql(
      "mutation ($on: ID!, $content: ReactionContent!) { addReaction(input: { subjectId: $on, content: $content }) { clientMutationId } }",
      { on: review.data.node_id, content: graphqlReactions[content] },
    );
    return;
  }
  const issue = { ...place, content, issue_number: on.number };
  const said = { ...place, content, comment_id: comment?.id ?? 0 };
  const [look, write] =
    comment === undefined
      ? [() => octokit.paginate(reactions.listForIssue, issue), () => reactions.createForIssue(issue)]
      : comment.kind === "comment"
        ? [
            () => octokit.paginate(reactions.listForIssueComment, said),
            () => reactions.createForIssueComment(said),
          ]
        : [
            () => octokit.paginate(reactions.listForPullRequestReviewComment, said),
            () => reactions.createForPullRequestReviewComment(said),
          ];
  // A comment that was deleted needs no answer any more.
  const present = await unless([404, 410], look());
  if (present === undefined) return;
  for (const each of present) if (each.content === content && (await github.isOurs(each))) return;
  await tell();
  await unless([404, 410], write());
}

const graphqlReactions: Readonly<Record<Reaction, string>> = {
  eyes: "EYES",
  rocket: "ROCKET",
  hooray: "HOORAY",
  confused: "CONFUSED",
  "+1": "THUMBS_UP",
};

async function writeCheck(
  { github, octokit, key }: Writing,
  repo: Repo,
  head: Sha,
  check: Check,
): Promise<void> {
  const place = { owner: repo.owner, repo: repo.name };
  const wanted = checkBody(check, github.scrub);
  const runs = await octokit.paginate(octokit.rest.checks.listForRef, {
    ...place,
    ref: head,
    check_name: check.name,
    app_id: github.appId,
    filter: "latest",
    per_page: 100,
  });
  const own = runs.findLast((run) => run.name === check.name && run.app?.id === github.appId);
  // GitHub does not tell a run's buttons again, so what was last written is remembered whole.
  const memory = `check ${repo.id} ${head} ${check.name}`;
  const digest = createHash("sha256").update(JSON.stringify(wanted)).digest("hex");
  if (own !== undefined && (await github.memory.get(memory)) === `${own.id} ${digest}` && shows(own, check))
    return;
  await github.writing(key, "write a check run", repo);
  const { data } =
    own === undefined || check.annotations !== undefined
      ? await octokit.rest.checks.create({ ...place, ...wanted, head_sha: head })
      : await octokit.rest.checks.update({ ...place, ...wanted, check_run_id: own.id });
  await github.memory.set(memory, `${data.id} ${digest}`);
}

function shows(run: { readonly status: string; readonly conclusion: string | null }, check: Check): boolean {
  return run.status === check.status && run.conclusion === (check.conclusion ?? null);
}

/** What one check run says, within GitHub's limits. */
function checkBody(check: Check, scrub: (text: string) => string) {
  return {
    name: check.name,
    external_id: check.externalId,
    ...(check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl }),
    // Naming a conclusion completes the run; without one the status stands.
    ...(check.status === "completed"
      ? { status: "completed" as const, conclusion: check.conclusion ?? "neutral" }
      : { status: check.status }),
    output: {
      title: capped(scrub(check.title), 250),
      summary: capped(scrub(check.summary)),
      ...(check.text === undefined ? {} : { text: capped(scrub(check.text)) }),
      ...(check.annotations === undefined ? {} : { annotations: annotationsOf(check.annotations, scrub) }),
    },
    actions: check.buttons.slice(0, 3).map(({ label, description, identifier }) => ({
      label: label.slice(0, 20),
      description: description.slice(0, 40),
      identifier: identifier.slice(0, 20),
    })),
  };
}

/** GitHub takes no more with one request. */
const maxAnnotations = 50;

const annotationsOf = (annotations: NonNullable<Check["annotations"]>, scrub: (text: string) => string) =>
  annotations.slice(0, maxAnnotations).map(({ path, line, column, title, message }) => ({
    path,
    start_line: line,
    end_line: line,
    ...(column === undefined ? {} : { start_column: column, end_column: column }),
    annotation_level: "failure" as const,
    title: scrub(title).slice(0, 255),
    message: capped(scrub(message), 16_000),
  }));
