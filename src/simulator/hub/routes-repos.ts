import type { Hono } from "hono";
import { actionsRoutes } from "./routes-actions.ts";
import { announceCheck, combinedStatus, setStatus, simpleStatusOf, statusOf } from "./checks.ts";
import { changedFiles, entryOf } from "./changed-files.ts";
import { commitOf, commitsBetween, gitCommitOf, readCommit } from "./commits.ts";
import { checkOf } from "./format.ts";
import { git } from "./git.ts";
import { inRepo, missing, type Env, type Hub } from "./context.ts";
import { pageIn } from "./page.ts";
import { fullRepoOf, minimalRepoOf, userOf } from "./places.ts";
import { afterPush } from "./pushes.ts";
import { rulesetOf } from "./rulesets.ts";
import type { SimCheckRun } from "./state.ts";

/** The repository itself: branches, files, people, rules, checks and statuses. */
export function repoRoutes(api: Hono<Env>, hub: Hub): void {
  const { state } = hub;
  const at = "/repos/:owner/:name";
  api.get("/repositories/:id", (context) => {
    const repo = state.repos.find((one) => one.id === Number(context.req.param("id")));
    return repo === undefined ? missing(context) : context.json(fullRepoOf(state, repo));
  });
  api.get(
    at,
    inRepo(hub, (context, repo) => context.json(fullRepoOf(state, repo))),
  );
  api.get(
    `${at}/collaborators/:login/permission`,
    inRepo(hub, (context, repo) => {
      const login = context.req.param("login") ?? "";
      if (!state.people.has(login)) return missing(context);
      const role = repo.members.get(login) ?? "read";
      const permission = role === "triage" ? "read" : role === "maintain" ? "write" : role;
      return context.json({
        permission,
        role_name: role,
        user: { ...userOf(state, login), role_name: role, permissions: permissionsOf(role) },
      });
    }),
  );
  api.get(
    `${at}/branches/:branch`,
    inRepo(hub, async (context, repo) => {
      const name = decodeURIComponent(context.req.param("branch") ?? "");
      const sha = repo.branches.get(name);
      const rules = repo.rules.get(name);
      const required =
        rules === undefined
          ? undefined
          : {
              required_status_checks: {
                contexts: rules.checks,
                checks: rules.checks.map((check) => ({ context: check, app_id: null })),
                enforcement_level: "everyone",
                strict: rules.strict === true,
              },
            };
      if (sha === undefined) return missing(context);
      const self = `${hub.url}/repos/${repo.owner}/${repo.name}/branches/${encodeURIComponent(name)}`;
      return context.json({
        name,
        commit: commitOf(state, repo, await readCommit(repo.dir, sha)),
        _links: { self, html: `${hub.url}/${repo.owner}/${repo.name}/tree/${name}` },
        protected: rules !== undefined,
        protection: { enabled: rules !== undefined, ...required },
        protection_url: `${self}/protection`,
      });
    }),
  );
  api.get(
    `${at}/rules/branches/:branch`,
    inRepo(hub, (context, repo) =>
      context.json(rulesetOf(repo, decodeURIComponent(context.req.param("branch") ?? ""))),
    ),
  );
  api.get(
    `${at}/contents/:path{.+}`,
    inRepo(hub, async (context, repo) => {
      const ref = context.req.query("ref") ?? repo.defaultBranch;
      const path = context.req.param("path") ?? "";
      try {
        const text = await git(repo.dir, ["show", `${ref}:${path}`]);
        const sha = (await git(repo.dir, ["rev-parse", `${ref}:${path}`])).trim();
        if (context.req.header("accept")?.includes("raw") === true) return context.text(text);
        const self = `${hub.url}/repos/${repo.owner}/${repo.name}/contents/${path}?ref=${ref}`;
        const listing = await folderAt(repo.dir, `${ref}:${path}`);
        if (listing !== undefined)
          return context.json(
            listing.map((entry) => ({ ...entry, path: `${path}/${entry.name}`, url: self })),
          );
        const html = `${hub.url}/${repo.owner}/${repo.name}/blob/${ref}/${path}`;
        const blob = `${hub.url}/repos/${repo.owner}/${repo.name}/git/blobs/${sha}`;
        return context.json({
          type: "file",
          encoding: "base64",
          name: path.split("/").at(-1),
          path,
          url: self,
          html_url: html,
          git_url: blob,
          download_url: `${hub.url}/${repo.owner}/${repo.name}/raw/${ref}/${path}`,
          _links: { self, html, git: blob },
          sha,
          size: Buffer.byteLength(text),
          content: Buffer.from(text).toString("base64"),
        });
      } catch {
        return missing(context);
      }
    }),
  );
  api.get(
    `${at}/git/ref/heads/:branch{.+}`,
    inRepo(hub, (context, repo) => {
      const name = context.req.param("branch") ?? "";
      const sha = repo.branches.get(name);
      return sha === undefined
        ? missing(context)
        : context.json({
            ref: `refs/heads/${name}`,
            node_id: `REF_${repo.id}_${name}`,
            url: `${hub.url}/repos/${repo.owner}/${repo.name}/git/refs/heads/${name}`,
            object: {
              sha,
              type: "commit",
              url: `${hub.url}/repos/${repo.owner}/${repo.name}/git/commits/${sha}`,
            },
          });
    }),
  );
  api.get(
    `${at}/git/commits/:sha{[0-9a-f]+}`,
    inRepo(hub, async (context, repo) => {
      try {
        return context.json(
          gitCommitOf(state, repo, await readCommit(repo.dir, context.req.param("sha") ?? "")),
        );
      } catch {
        return missing(context);
      }
    }),
  );
  api.delete(
    `${at}/git/refs/heads/:branch{.+}`,
    inRepo(hub, async (context, repo) => {
      const name = context.req.param("branch") ?? "";
      if (!repo.branches.has(name)) return context.json({ message: "Reference does not exist" }, 422);
      const before = new Map(repo.branches);
      await git(repo.dir, ["update-ref", "-d", `refs/heads/${name}`]);
      await afterPush(hub, repo, before, context.get("caller").login);
      return context.body(null, 204);
    }),
  );
  api.get(
    `${at}/compare/:range{.+}`,
    inRepo(hub, async (context, repo) => {
      const [base = "", head = ""] = (context.req.param("range") ?? "").split("...");
      const tip = (name: string): string => repo.branches.get(name) ?? name;
      try {
        const counts = await git(repo.dir, [
          "rev-list",
          "--left-right",
          "--count",
          `${tip(base)}...${tip(head)}`,
        ]);
        const [behind = 0, ahead = 0] = counts.trim().split("\t").map(Number);
        const commits = await commitsBetween(repo.dir, tip(base), tip(head), commitsLimit);
        const fork = (await git(repo.dir, ["merge-base", tip(base), tip(head)])).trim();
        const files = await changedFiles(repo.dir, tip(base), tip(head));
        const page = `${hub.url}/${repo.owner}/${repo.name}/compare/${base}...${head}`;
        const one = ahead === 0 ? "identical" : "ahead";
        return context.json({
          url: `${hub.url}/repos/${repo.owner}/${repo.name}/compare/${base}...${head}`,
          html_url: page,
          permalink_url: page,
          diff_url: `${page}.diff`,
          patch_url: `${page}.patch`,
          base_commit: commitOf(state, repo, await readCommit(repo.dir, tip(base))),
          merge_base_commit: commitOf(state, repo, await readCommit(repo.dir, fork)),
          status: behind === 0 ? one : ahead === 0 ? "behind" : "diverged",
          ahead_by: ahead,
          behind_by: behind,
          total_commits: ahead,
          commits: commits.map((commit) => commitOf(state, repo, commit)),
          files: files.map((file) => entryOf(state, repo, file, tip(head))),
        });
      } catch {
        return missing(context);
      }
    }),
  );
  checkRoutes(api, hub, at);
  actionsRoutes(api, hub);
}

/** A role as the standard rights it stands on. */
function permissionsOf(role: string) {
  const from = ["read", "triage", "write", "maintain", "admin"].indexOf(role);
  return { pull: from >= 0, triage: from >= 1, push: from >= 2, maintain: from >= 3, admin: from >= 4 };
}

/** A comparison lists no more commits. */
const commitsLimit = 250;

function checkRoutes(api: Hono<Env>, hub: Hub, at: string): void {
  const { state } = hub;
  api.get(
    `${at}/commits`,
    inRepo(hub, async (context, repo) => {
      const name = context.req.query("sha") ?? repo.defaultBranch;
      const list = await git(repo.dir, ["rev-list", "--max-count=100", repo.branches.get(name) ?? name]);
      const commits = await Promise.all(
        list
          .trim()
          .split("\n")
          .map((sha) => readCommit(repo.dir, sha)),
      );
      return context.json(commits.map((commit) => commitOf(state, repo, commit)));
    }),
  );
  api.get(
    `${at}/commits/:ref/check-runs`,
    inRepo(hub, (context, repo) => {
      const name = context.req.query("check_name");
      const appId = context.req.query("app_id");
      const runs = repo.checkRuns.filter(
        (run) =>
          run.head === context.req.param("ref") &&
          (name === undefined || run.name === name) &&
          (appId === undefined || run.appId === Number(appId)),
      );
      return pageIn(
        context,
        "check_runs",
        runs.toReversed().map((run) => checkOf(state, repo, run)),
      );
    }),
  );
  api.get(
    `${at}/commits/:ref/status`,
    inRepo(hub, (context, repo) => {
      const sha = repo.branches.get(context.req.param("ref") ?? "") ?? context.req.param("ref") ?? "";
      const { state: is, newest } = combinedStatus(repo, sha);
      const at = `${hub.url}/repos/${repo.owner}/${repo.name}/commits/${sha}`;
      return context.json({
        state: is,
        sha,
        total_count: newest.length,
        statuses: newest.map((status) => simpleStatusOf(hub, status)),
        repository: minimalRepoOf(state, repo),
        commit_url: at,
        url: `${at}/status`,
      });
    }),
  );
  api.post(
    `${at}/statuses/:sha`,
    inRepo(hub, async (context, repo) => {
      const body = context.get("body") as { state: string; context?: string; description?: string };
      const status = {
        sha: context.req.param("sha") ?? "",
        context: body.context ?? "default",
        state: body.state,
        description: body.description ?? null,
        by: context.get("caller").login,
      };
      return context.json(statusOf(hub, await setStatus(hub, repo, status)), 201);
    }),
  );
  type CheckBody = {
    name?: string;
    head_sha?: string;
    status?: string;
    conclusion?: string;
    output?: SimCheckRun["output"] & { readonly annotations?: readonly object[] };
    actions?: unknown[];
    external_id?: string;
  };
  api.post(
    `${at}/check-runs`,
    inRepo(hub, async (context, repo) => {
      const body = context.get("body") as CheckBody;
      const run: SimCheckRun = {
        id: hub.id(),
        head: body.head_sha ?? "",
        name: body.name ?? "",
        appId: state.app.id,
        status: body.conclusion === undefined ? (body.status ?? "queued") : "completed",
        conclusion: body.conclusion ?? null,
        output: body.output ?? {},
        actions: body.actions ?? [],
        externalId: body.external_id ?? "",
        createdAt: hub.now(),
        annotations: body.output?.annotations ?? [],
      };
      repo.checkRuns.push(run);
      await announceCheck(
        hub,
        repo,
        run,
        run.conclusion === null ? "created" : "completed",
        context.get("caller").login,
      );
      return context.json(checkOf(state, repo, run), 201);
    }),
  );
  api.patch(
    `${at}/check-runs/:id`,
    inRepo(hub, async (context, repo) => {
      const run = repo.checkRuns.find((one) => one.id === Number(context.req.param("id")));
      if (run === undefined) return missing(context);
      const body = context.get("body") as CheckBody;
      run.status = body.conclusion === undefined ? (body.status ?? run.status) : "completed";
      run.conclusion =
        body.conclusion ??
        (body.status === "in_progress" || body.status === "queued" ? null : run.conclusion);
      run.output = body.output ?? run.output;
      // They only ever grow.
      run.annotations = [...(run.annotations ?? []), ...(body.output?.annotations ?? [])];
      run.actions = body.actions ?? run.actions;
      run.externalId = body.external_id ?? run.externalId;
      // An update that does not end it is no news.
      if (run.conclusion !== null)
        await announceCheck(hub, repo, run, "completed", context.get("caller").login);
      return context.json(checkOf(state, repo, run));
    }),
  );
  api.get(
    `${at}/check-runs/:id`,
    inRepo(hub, (context, repo) => {
      const run = repo.checkRuns.find((one) => one.id === Number(context.req.param("id")));
      return run === undefined ? missing(context) : context.json(checkOf(state, repo, run));
    }),
  );
}

/** What lies right in a folder; undefined when this is none. */
async function folderAt(dir: string, object: string) {
  if ((await git(dir, ["cat-file", "-t", object])).trim() !== "tree") return undefined;
  const lines = (await git(dir, ["ls-tree", "-l", object])).split("\n").filter((line) => line !== "");
  return lines.flatMap((line) => {
    const found = /^\d+ (\w+) ([0-9a-f]+) +(\d+|-)\t(.+)$/u.exec(line);
    if (found === null) return [];
    const [, type, sha, size, name] = found;
    return [{ type: type === "tree" ? "dir" : "file", sha, size: size === "-" ? 0 : Number(size), name }];
  });
}
