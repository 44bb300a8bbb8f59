import type { Hono } from "hono";
import { announceCheck, statusOf } from "./checks.ts";
import { readCommit, simpleCommitOf } from "./commits.ts";
import { inRepo, missing, type Ctx, type Env, type Hub } from "./context.ts";
import { pageOf } from "./page.ts";
import { actionsApp, minimalRepoOf } from "./places.ts";
import type { SimCheckRun, SimRepo } from "./state.ts";
import { iso } from "./time.ts";

/** What CI leaves to read, and running it again: jobs of GitHub Actions, checks of other Apps, older statuses. */
export function actionsRoutes(api: Hono<Env>, hub: Hub): void {
  const at = "/repos/:owner/:name";
  api.get(
    `${at}/commits/:ref/statuses`,
    inRepo(hub, (context, repo) =>
      pageOf(
        context,
        repo.statuses
          .filter(({ sha }) => sha === context.req.param("ref"))
          .toReversed()
          .map((status) => statusOf(hub, status)),
      ),
    ),
  );
  api.get(
    `${at}/check-runs/:id/annotations`,
    inRepo(hub, (context, repo) => {
      const run = runOf(context, repo);
      return run === undefined ? missing(context) : pageOf(context, run.annotations ?? []);
    }),
  );
  api.post(
    `${at}/check-runs/:id/rerequest`,
    inRepo(hub, async (context, repo) => {
      const run = runOf(context, repo);
      if (run === undefined) return missing(context);
      if (run.appId === actionsApp)
        return context.json({ message: "This check run is not rerequestable" }, 422);
      await beginAgain(hub, repo, run);
      return context.json({}, 201);
    }),
  );
  api.get(
    `${at}/actions/jobs/:id/logs`,
    inRepo(hub, (context, repo) => {
      const run = runOf(context, repo);
      if (run?.log === undefined) return missing(context);
      return context.redirect(`${hub.url}/${repo.owner}/${repo.name}/logs/${run.id}`, 302);
    }),
  );
  api.get("/:owner/:name/logs/:id", (context) => {
    const repo = hub.repo(context.req.param("owner"), context.req.param("name"));
    const run = repo && runOf(context, repo);
    return run?.log === undefined ? missing(context) : context.text(run.log);
  });
  api.get(
    `${at}/actions/runs/:id`,
    inRepo(hub, async (context, repo) => {
      const jobs = jobsOf(context, repo);
      const [first] = jobs;
      return first === undefined
        ? missing(context)
        : context.json(await workflowRunOf(hub, repo, first, jobs));
    }),
  );
  api.post(
    `${at}/actions/runs/:id/rerun-failed-jobs`,
    inRepo(hub, async (context, repo) => {
      const jobs = jobsOf(context, repo);
      if (jobs.length === 0) return missing(context);
      if (jobs.some(({ conclusion }) => conclusion === null))
        return context.json({ message: "This workflow is already running" }, 403);
      const newest = new Map(jobs.map((job) => [job.name, job]));
      for (const job of newest.values()) if (!isGreen(job)) await beginAgain(hub, repo, job);
      return context.json({}, 201);
    }),
  );
}

const runOf = (context: Ctx, repo: SimRepo): SimCheckRun | undefined =>
  repo.checkRuns.find((one) => one.id === Number(context.req.param("id")));
const jobsOf = (context: Ctx, repo: SimRepo): readonly SimCheckRun[] =>
  repo.checkRuns.filter((one) => one.workflowRun === Number(context.req.param("id")));
const isGreen = ({ conclusion }: SimCheckRun): boolean =>
  /^(success|neutral|skipped)$/.test(conclusion ?? "");

/** A new try is a new check run; what it comes to is CI's to say. */
async function beginAgain(hub: Hub, repo: SimRepo, run: SimCheckRun): Promise<void> {
  const again: SimCheckRun = {
    ...run,
    id: hub.id(),
    status: "queued",
    conclusion: null,
    log: undefined,
    createdAt: hub.now(),
  };
  repo.checkRuns.push(again);
  await announceCheck(hub, repo, again, "created", repo.owner);
}

async function workflowRunOf(hub: Hub, repo: SimRepo, first: SimCheckRun, jobs: readonly SimCheckRun[]) {
  const self = `${hub.url}/repos/${repo.owner}/${repo.name}`;
  const url = `${self}/actions/runs/${first.workflowRun}`;
  const newest = [...new Map(jobs.map((job) => [job.name, job])).values()];
  const isOver = newest.every(({ conclusion }) => conclusion !== null);
  return {
    id: first.workflowRun,
    name: "CI",
    node_id: `WFR_${first.workflowRun}`,
    head_branch: [...repo.branches].find(([, tip]) => tip === first.head)?.[0] ?? null,
    head_sha: first.head,
    path: ".github/workflows/ci.yml",
    display_title: "CI",
    run_number: 1,
    run_attempt: Math.max(...newest.map(({ name }) => jobs.filter((job) => job.name === name).length)),
    event: "pull_request",
    status: isOver ? "completed" : "in_progress",
    conclusion: isOver ? (newest.every(isGreen) ? "success" : "failure") : null,
    workflow_id: 1,
    check_suite_id: first.id,
    check_suite_node_id: `CS_${first.id}`,
    url,
    html_url: `${hub.url}/${repo.owner}/${repo.name}/actions/runs/${first.workflowRun}`,
    pull_requests: [],
    created_at: iso(first.createdAt),
    updated_at: iso(first.createdAt),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${self}/check-suites/${first.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    workflow_url: `${self}/actions/workflows/1`,
    head_commit: simpleCommitOf(await readCommit(repo.dir, first.head)),
    repository: minimalRepoOf(hub.state, repo),
    head_repository: minimalRepoOf(hub.state, repo),
  };
}
