import { z } from "zod";
import type { Octokit } from "@octokit/rest";
import { Trouble } from "../../ports.ts";
import type { Repo } from "../../ports.ts";
import type { Hooks, MissedDelivery } from "../../ports-hooks.ts";
import type { GitHub } from "./app.ts";
import { oldestFirst, payloadOf, readAttempts, type Attempt } from "./delivery-log.ts";
import { statusOf, unless } from "./trouble.ts";

const maxFileBytes = 1_000_000;
/** Of a folder that is read as a whole: so many files, each so long. */
const maxFolderFiles = 30;
const maxFolderFileBytes = 64 * 1024;

/** GitHub's own memory of what it told us, and what it knows of our App. */
export function githubHooks(github: GitHub): Hooks {
  return {
    missed: (since, known) =>
      github.asApp("read its webhook deliveries", (octokit) => missed(octokit, since, known)),
    repos: () => readRepos(github),
    file: (repo, path, at) =>
      github.within("read a file", repo, (octokit) => readFile(octokit, repo, { path, at })),
    folder: (repo, path, at) =>
      github.within("read a file", repo, (octokit) => readFolder(octokit, repo, { path, at })),
    standing: async () => {
      const { slug, id, events, permissions } = await github.identity();
      return { app: slug, appId: id, events, permissions };
    },
  };
}

async function missed(
  octokit: Octokit,
  since: number,
  known: (guid: string) => boolean,
): Promise<readonly MissedDelivery[]> {
  const attempts = await readAttempts(octokit, since);
  const arrived = new Set(attempts.filter((attempt) => attempt.arrived).map((attempt) => attempt.guid));
  const lost = new Map<string, Attempt>();
  for (const attempt of oldestFirst(attempts)) {
    if (arrived.has(attempt.guid) || known(attempt.guid) || lost.has(attempt.guid)) continue;
    lost.set(attempt.guid, attempt);
  }
  const found: MissedDelivery[] = [];
  for (const { id, guid, name } of lost.values()) {
    const payload = await payloadOf(octokit, id);
    // What is gone is left to the reconciler.
    if (payload !== undefined) found.push({ guid, name, payload });
  }
  return found;
}

async function readRepos(github: GitHub): Promise<readonly Repo[]> {
  const installations = await github.asApp("list its installations", (octokit) =>
    octokit.paginate(octokit.rest.apps.listInstallations, { per_page: 100 }),
  );
  const found: Repo[] = [];
  for (const installation of installations) {
    // A suspended installation gives no tokens.
    if (installation.suspended_at !== null && installation.suspended_at !== undefined) continue;
    const repos = await github.across("list repositories", installation.id, (octokit) =>
      octokit.paginate(octokit.rest.apps.listReposAccessibleToInstallation, { per_page: 100 }),
    );
    for (const repo of repos) {
      found.push({
        id: repo.id,
        owner: repo.owner.login,
        name: repo.name,
        installation: installation.id,
        defaultBranch: repo.default_branch,
        private: repo.private,
      });
    }
  }
  return found;
}

const FileContent = z.object({
  type: z.literal("file"),
  encoding: z.string(),
  content: z.string(),
  size: z.number(),
});

async function readFile(
  octokit: Octokit,
  repo: Repo,
  { path, at: asked }: { readonly path: string; readonly at: string | undefined },
): ReturnType<Hooks["file"]> {
  const place = { owner: repo.owner, repo: repo.name };
  const at = asked ?? (await readTip(octokit, repo));
  const answer = await unless([404], octokit.rest.repos.getContent({ ...place, path, ref: at }));
  const file = FileContent.safeParse(answer?.data);
  // A folder, a submodule or nothing at all is no file.
  if (!file.success) return { text: undefined, at };
  if (file.data.size > maxFileBytes || file.data.encoding !== "base64") {
    throw new Trouble(
      "github-rejected",
      `${path} in ${repo.owner}/${repo.name} has ${file.data.size} bytes; at most ${maxFileBytes} are read.`,
      { permanent: true },
    );
  }
  return { text: Buffer.from(file.data.content, "base64").toString("utf8"), at };
}

const FolderContent = z.array(
  z.object({ type: z.string(), name: z.string(), path: z.string(), size: z.number() }),
);

async function readFolder(
  octokit: Octokit,
  repo: Repo,
  { path, at }: { readonly path: string; readonly at: string },
): ReturnType<Hooks["folder"]> {
  const place = { owner: repo.owner, repo: repo.name, ref: at };
  const answer = await unless([404], octokit.rest.repos.getContent({ ...place, path }));
  const folder = FolderContent.safeParse(answer?.data);
  if (!folder.success) return new Map();
  const listed = folder.data
    .filter(({ type, name }) => type === "file" && name.endsWith(".md"))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const read = listed.map(async (entry, index) => {
    const name = entry.name.slice(0, -".md".length);
    if (index >= maxFolderFiles || entry.size > maxFolderFileBytes) return [name, undefined] as const;
    const { data } = await octokit.rest.repos.getContent({ ...place, path: entry.path });
    const file = FileContent.safeParse(data);
    const text = file.success && file.data.encoding === "base64" ? file.data.content : undefined;
    return [name, text === undefined ? undefined : Buffer.from(text, "base64").toString("utf8")] as const;
  });
  return new Map(await Promise.all(read));
}

/** The tip of the default branch, whatever it is called by now. */
async function readTip(octokit: Octokit, repo: Repo): Promise<string> {
  const place = { owner: repo.owner, repo: repo.name };
  const tip = async (branch: string): Promise<string> =>
    (await octokit.rest.git.getRef({ ...place, ref: `heads/${branch}` })).data.object.sha;
  try {
    return await tip(repo.defaultBranch);
  } catch (error) {
    const status = statusOf(error);
    if (status === 409) {
      throw new Trouble("github-gone", `${repo.owner}/${repo.name} has no commits yet.`, {
        cause: error,
        permanent: true,
      });
    }
    if (status !== 404) throw error;
    const { data } = await octokit.rest.repos.get(place);
    if (data.default_branch === repo.defaultBranch) throw error;
    return tip(data.default_branch);
  }
}
