import type { Repo } from "../../ports.ts";
import type { Notice } from "../../ports-notices.ts";
import type { Writing } from "./app.ts";
import { findOwnIssue, openIssue } from "./issues.ts";
import { bears, capped, markerLine, sameText } from "./text.ts";
import { unless } from "./trouble.ts";

/** Has one issue of ours say this: found by its marker, else opened; edited when it says something else. */
export async function writeNotice(
  { github, octokit, key }: Writing,
  repo: Repo,
  marker: string,
  notice: Notice,
): Promise<number> {
  const number = await openIssue(github, octokit, key, repo, marker, notice);
  const place = { owner: repo.owner, repo: repo.name, issue_number: number };
  const found = await unless([404, 410], octokit.rest.issues.get(place));
  // Deleted by people, or made into something else: it said what it had to.
  if (found === undefined || !bears(found.data.body, markerLine(marker))) return number;
  const title = capped(github.scrub(notice.title), 250);
  const body = capped(`${markerLine(marker)}\n${github.scrub(notice.body)}`);
  if (sameText(found.data.body, body) && found.data.title === title) return number;
  await github.writing(key, "edit an issue", repo, number);
  await octokit.rest.issues.update({ ...place, title, body });
  return number;
}

/** Closes it as done, with a last word below it. */
export async function closeNotice(
  { github, octokit, key }: Writing,
  repo: Repo,
  marker: string,
  { tell }: { tell(number: number): Promise<unknown> },
): Promise<void> {
  const number = await findOwnIssue(github, octokit, repo, marker);
  if (number === undefined) return;
  const place = { owner: repo.owner, repo: repo.name, issue_number: number };
  const found = await unless([404, 410], octokit.rest.issues.get(place));
  if (found === undefined || found.data.state === "closed" || !(await github.isOurs(found.data))) return;
  await tell(number);
  await github.writing(key, "close or open an issue", repo, number);
  await octokit.rest.issues.update({ ...place, state: "closed", state_reason: "completed" });
}
