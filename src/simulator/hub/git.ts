import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Git on this host, for the simulator's own bare repositories; always in another process, because we serve it too. */
const environment = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: tmpdir(),
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "forge",
  GIT_AUTHOR_EMAIL: "forge@localhost",
  GIT_COMMITTER_NAME: "forge",
  GIT_COMMITTER_EMAIL: "forge@localhost",
};

export function git(
  dir: string,
  args: readonly string[],
  over: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      "git",
      ["-C", dir, ...args],
      { env: { ...environment, ...over.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(Object.assign(new Error(`git ${args.join(" ")}: ${stderr}`), { stdout, exit: error.code }));
      },
    );
    // A git that needs no input may be gone before it is offered.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(over.input ?? "");
  });
}

/** A bare repository with one commit of these files on its default branch. */
export async function seedBare(
  dir: string,
  branch: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  await mkdir(dir, { recursive: true });
  await git(dir, ["init", "-q", "--bare", `--initial-branch=${branch}`]);
  await git(dir, ["config", "http.receivepack", "true"]);
  return await commitFiles(dir, branch, undefined, files, "First commit", "forge");
}

/** Commits files on top of a branch, as a person's push does; answers the new tip. `null` deletes a file. */
export async function commitFiles(
  dir: string,
  branch: string,
  parent: string | undefined,
  files: Readonly<Record<string, string | null>>,
  message: string,
  by: string,
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "forge-"));
  try {
    const env = {
      GIT_INDEX_FILE: join(work, "index"),
      GIT_WORK_TREE: work,
      GIT_AUTHOR_NAME: by,
      GIT_AUTHOR_EMAIL: `${by}@localhost`,
    };
    if (parent !== undefined) await git(dir, ["read-tree", parent], { env });
    for (const [path, text] of Object.entries(files)) {
      if (text === null) {
        await git(dir, ["update-index", "--force-remove", path], { env });
        continue;
      }
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
      const blob = (await git(dir, ["hash-object", "-w", "--stdin"], { env, input: text })).trim();
      await git(dir, ["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], { env });
    }
    const tree = (await git(dir, ["write-tree"], { env })).trim();
    const commit = (
      await git(dir, ["commit-tree", tree, ...(parent === undefined ? [] : ["-p", parent]), "-m", message], {
        env,
      })
    ).trim();
    await git(dir, ["update-ref", `refs/heads/${branch}`, commit]);
    return commit;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export async function branchesOf(dir: string): Promise<Map<string, string>> {
  const text = await git(dir, ["for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]);
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" ") as [string, string]),
  );
}

export async function isAncestor(dir: string, older: string, newer: string): Promise<boolean> {
  try {
    await git(dir, ["merge-base", "--is-ancestor", older, newer]);
    return true;
  } catch (error) {
    if ((error as { exit?: unknown }).exit === 1) return false;
    throw error;
  }
}

/** The tree of a three-way merge, or undefined when it conflicts. */
export async function mergeTree(dir: string, base: string, head: string): Promise<string | undefined> {
  try {
    return (await git(dir, ["merge-tree", "--write-tree", base, head])).split("\n")[0]?.trim();
  } catch (error) {
    if ((error as { exit?: unknown }).exit === 1) return undefined;
    throw error;
  }
}

/** Serves one request of git's smart HTTP; resolves after git has ended, before the answer is finished by `finish`. */
export async function serveGit(
  root: string,
  path: string,
  query: string,
  user: string,
  request: IncomingMessage,
  response: ServerResponse,
  beforeEnd: () => Promise<void>,
): Promise<void> {
  const child = spawn("git", ["http-backend"], {
    env: {
      ...environment,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: user,
    },
  });
  request.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  await beforeEnd();
  const all = Buffer.concat(chunks);
  const split = all.indexOf("\r\n\r\n");
  const head = all.subarray(0, split).toString("utf8");
  let status = 200;
  for (const line of head.split("\r\n")) {
    const [name = "", value = ""] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else if (name !== "") response.setHeader(name, value);
  }
  response.statusCode = status;
  response.end(all.subarray(split + 4));
}
