import type { InlineFinding, PullRef } from "../ports.ts";
import type { Writing } from "./github-app.ts";
import { findingMarker } from "./github-findings.ts";
import { bears, capped, linesInPatch, markerLine } from "./github-text.ts";
import { unless } from "./github-trouble.ts";

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
  const shown = await shownLines({ github, octokit, key }, { repo, number }, review.head);
  const inline = findings
    .filter(({ path, line: at }) => shown.get(path)?.has(at) === true)
    .slice(0, maxInline);
  const folded = findings.filter((finding) => !inline.includes(finding));
  const body = (rest: readonly InlineFinding[]): string =>
    capped([line, github.scrub(review.body), ...listed(rest)].join("\n"));
  const post = (text: string, comments: readonly InlineFinding[]): Promise<unknown> =>
    octokit.rest.pulls.createReview({
      ...at,
      commit_id: review.head,
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
  await github.writing(key, "post a review", repo, number);
  // GitHub takes all comments or none: when it dislikes one, everything is said in the body.
  if (inline.length > 0 && (await unless([422], post(body(folded), inline))) !== undefined) return;
  await post(body(findings), []);
}

/** Lines of the diff by path; empty once the pull request has moved on, since GitHub tells only its present diff. */
async function shownLines(
  { octokit }: Writing,
  { repo, number }: PullRef,
  head: string,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const at = { owner: repo.owner, repo: repo.name, pull_number: number };
  const { data: pull } = await octokit.rest.pulls.get(at);
  if (pull.head.sha !== head) return new Map();
  const files = await octokit.paginate(octokit.rest.pulls.listFiles, { ...at, per_page: 100 });
  return new Map(files.map((file) => [file.filename, linesInPatch(file.patch ?? "")]));
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
