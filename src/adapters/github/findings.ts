import type { PullRef, SpokenFinding } from "../../ports.ts";
import type { Writing } from "./app.ts";
import { bears, capped, markerLine, sameText } from "./text.ts";
import { endThread, threadNodes } from "./threads.ts";

/** The hidden line by which the comment on a finding is found again. */
export const findingMarker = (id: string): string => markerLine(`finding ${id}`);

/** Brings our comments on these findings up to date, and resolves their threads or opens them again. */
export async function updateFindings(
  { github, octokit, key }: Writing,
  { repo, number }: PullRef,
  findings: readonly SpokenFinding[],
): Promise<void> {
  if (findings.length === 0) return;
  const at = { owner: repo.owner, repo: repo.name };
  const wanted = new Map(findings.map((finding) => [findingMarker(finding.id), finding]));
  const states = new Map<number, SpokenFinding["thread"]>();
  const of = { ...at, pull_number: number, per_page: 100 };
  for await (const { data } of octokit.paginate.iterator(octokit.rest.pulls.listReviewComments, of)) {
    for (const comment of data) {
      const [line, finding] = [...wanted].find(([marker]) => bears(comment.body, marker)) ?? [];
      // A stranger may copy the marker, not our name.
      if (line === undefined || finding === undefined || !(await github.isOurs(comment))) continue;
      states.set(comment.id, finding.thread);
      const text = capped(`${line}\n${github.scrub(finding.body)}`);
      if (sameText(comment.body, text)) continue;
      await github.writing(key, "settle findings", repo, number);
      await octokit.rest.pulls.updateReviewComment({ ...at, comment_id: comment.id, body: text });
    }
  }
  if (states.size === 0) return;
  for (const { id, isResolved, comments } of await threadNodes(octokit, { repo, number })) {
    const state = states.get(comments.nodes[0]?.databaseId ?? 0);
    if (state === undefined || (state === "resolved") === isResolved) continue;
    await github.writing(key, "settle findings", repo, number);
    await endThread(octokit, id, state);
  }
}
