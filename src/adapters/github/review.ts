import type { Octokit } from "@octokit/rest";
import type { InlineFinding, PullRef } from "../../ports.ts";
import type { Writing } from "./app.ts";
import { findingMarker } from "./findings.ts";
import { bears, capped, linesInPatch, markerLine } from "./text.ts";
import { unless } from "./trouble.ts";

/** One review to post: what it says in all, and what it says at single lines. */
export interface Review {
  readonly head: string;
  readonly body: string;
  readonly findings: readonly InlineFinding[];
}

/** GitHub drops a review with too many comments at once; the rest is said in the body. */
const maxInline = 50;

/** Posts one COMMENT review, found again by the hidden marker of its key; never APPROVE, never REQUEST_CHANGES. */
export async function postReview(
  { github, octokit, key }: Writing,
  { repo, number }: PullRef,
  review: Review,
): Promise<void> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: number };
  const line = markerLine(`review ${key}`);
  for await (const { data } of octokit.paginate.iterator(octokit.rest.pulls.listReviews, {
    ...at,
    per_page: 100,
  })) {
    for (const known of data) if (bears(known.body, line) && (await github.isOurs(known))) return;
  }
  const findings = review.findings.map((finding) => ({ ...finding, body: github.scrub(finding.body) }));
  const shown = await shownAt(octokit, at, { head: review.head, findings });
  await github.writing(key, "post a review", repo, number);
  await sendReview(octokit, at, {
    head: review.head,
    ...shown,
    body: (rest) => capped([line, github.scrub(review.body), ...listed(rest)].join("\n")),
  });
}

type At = { readonly owner: string; readonly repo: string; readonly pull_number: number };
interface Shown {
  /** Said at their lines. */
  readonly inline: readonly InlineFinding[];
  /** Said in the body. */
  readonly folded: readonly InlineFinding[];
}

/** Which findings GitHub can show at their lines: none once the pull request has moved on, since it tells only its present diff. */
export async function shownAt(
  octokit: Octokit,
  at: At,
  { head, findings }: { readonly head: string; readonly findings: readonly InlineFinding[] },
): Promise<Shown> {
  const { data: pull } = await octokit.rest.pulls.get(at);
  if (pull.head.sha !== head) return { inline: [], folded: findings };
  const files = await octokit.paginate(octokit.rest.pulls.listFiles, { ...at, per_page: 100 });
  const lines = new Map(files.map((file) => [file.filename, linesInPatch(file.patch ?? "")]));
  const inline = findings.filter(({ path, line }) => lines.get(path)?.has(line) === true).slice(0, maxInline);
  return { inline, folded: findings.filter((finding) => !inline.includes(finding)) };
}

/** Posts it, and answers where it is. GitHub takes all comments or none: when it dislikes one, everything is said in the body. */
export async function sendReview(
  octokit: Octokit,
  at: At,
  {
    head,
    inline,
    folded,
    body,
  }: Shown & { readonly head: string; readonly body: (rest: readonly InlineFinding[]) => string },
): Promise<string> {
  const send = async (text: string, comments: readonly InlineFinding[]): Promise<string> => {
    const { data } = await octokit.rest.pulls.createReview({
      ...at,
      commit_id: head,
      event: "COMMENT",
      body: text,
      comments: comments.map((finding) => ({
        path: finding.path,
        line: finding.line,
        side: "RIGHT",
        body: capped(
          finding.id === undefined ? finding.body : `${findingMarker(finding.id)}\n${finding.body}`,
        ),
      })),
    });
    return data.html_url;
  };
  const sent = inline.length === 0 ? undefined : await unless([422], send(body(folded), inline));
  return sent ?? (await send(body([...inline, ...folded]), []));
}

function listed(findings: readonly InlineFinding[]): readonly string[] {
  if (findings.length === 0) return [];
  return [
    "",
    ...findings.map(
      ({ path, line, body }) => `- \`${path.replaceAll("`", "'")}:${line}\` ${body.replaceAll("\n", "\n  ")}`,
    ),
  ];
}
