import { git } from "./git.ts";
import type { HubState, SimRepo } from "./state.ts";
import { iso } from "./time.ts";
import { userOf } from "./places.ts";

interface Signature {
  readonly name: string;
  readonly email: string;
  readonly date: string;
}
export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
}

const fields = ["%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B"].join("%x1f");

/** Commits of `to` that `from` lacks, oldest first. */
export async function commitsBetween(
  dir: string,
  from: string | undefined,
  to: string,
  limit: number,
): Promise<readonly Commit[]> {
  const range = from === undefined ? [to] : [to, `^${from}`];
  const text = await git(dir, ["log", "-z", `--max-count=${limit}`, `--format=${fields}`, ...range]);
  return text
    .split("\0")
    .filter((record) => record !== "")
    .map(parseCommit)
    .toReversed();
}

export async function readCommit(dir: string, name: string): Promise<Commit> {
  const text = await git(dir, ["log", "-z", "--max-count=1", `--format=${fields}`, name]);
  return parseCommit(text.replace(/\0$/, ""));
}

function parseCommit(record: string): Commit {
  const [sha = "", tree = "", parents = "", ...rest] = record.split("\x1f");
  const [name = "", email = "", at = "", byName = "", byEmail = "", byAt = "", message = ""] = rest;
  return {
    sha,
    tree,
    parents: parents.split(" ").filter((one) => one !== ""),
    author: { name, email, date: iso(Number(at) * 1_000) },
    committer: { name: byName, email: byEmail, date: iso(Number(byAt) * 1_000) },
    message: message.trim(),
  };
}

/** A commit as REST and the news of statuses carry it. */
export function commitOf(state: HubState, repo: SimRepo, commit: Commit) {
  const at = `${state.url}/repos/${repo.owner}/${repo.name}`;
  const page = (sha: string): string => `${state.url}/${repo.owner}/${repo.name}/commit/${sha}`;
  const person = ({ name }: Signature) => (state.people.has(name) ? userOf(state, name) : null);
  return {
    sha: commit.sha,
    node_id: `C_${commit.sha}`,
    url: `${at}/commits/${commit.sha}`,
    html_url: page(commit.sha),
    comments_url: `${at}/commits/${commit.sha}/comments`,
    commit: {
      author: commit.author,
      committer: commit.committer,
      message: commit.message,
      comment_count: 0,
      url: `${at}/git/commits/${commit.sha}`,
      tree: { sha: commit.tree, url: `${at}/git/trees/${commit.tree}` },
      verification: {
        verified: false,
        reason: "unsigned",
        payload: null,
        signature: null,
        verified_at: null,
      },
    },
    author: person(commit.author),
    committer: person(commit.committer),
    parents: commit.parents.map((sha) => ({ sha, url: `${at}/commits/${sha}`, html_url: page(sha) })),
  };
}

/** A commit as git keeps it. */
export function gitCommitOf(state: HubState, repo: SimRepo, commit: Commit) {
  const { node_id, html_url, commit: inner } = commitOf(state, repo, commit);
  const at = `${state.url}/repos/${repo.owner}/${repo.name}/git/commits`;
  return {
    sha: commit.sha,
    node_id,
    url: inner.url,
    html_url,
    author: commit.author,
    committer: commit.committer,
    message: commit.message,
    tree: inner.tree,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${at}/${sha}`,
      html_url: `${state.url}/${repo.owner}/${repo.name}/commit/${sha}`,
    })),
    verification: inner.verification,
  };
}

/** A commit as the news of a push or of a check suite carry it. */
export const simpleCommitOf = ({ sha, tree, message, author, committer }: Commit) => ({
  id: sha,
  tree_id: tree,
  message,
  timestamp: committer.date,
  author: { name: author.name, email: author.email },
  committer: { name: committer.name, email: committer.email },
});
