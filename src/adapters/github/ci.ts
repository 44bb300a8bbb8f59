/** Continuous integration on GitHub: every try of every check, what it left to read, and running it again. */
import type { Octokit, RestEndpointMethodTypes } from "@octokit/rest";
import type { Key, Refused, Repo } from "../../ports.ts";
import type { CheckTry, Ci, RedRun } from "../../ports-ci.ts";
import type { Sha } from "../../state-machine/ticket.ts";
import type { GitHub } from "./app.ts";
import { runIs, statusIs } from "./pull-facts.ts";
import { saidBy, statusOf, unless } from "./trouble.ts";

type RawRun = RestEndpointMethodTypes["checks"]["get"]["response"]["data"];

/** The Ci on GitHub. */
export function githubCi(github: GitHub): Ci {
  return {
    tries: (repo, commit) =>
      github.within("read checks", repo, (octokit) => readTries(github, octokit, repo, commit)),
    tip: (repo, branch) =>
      github.within("read checks", repo, async (octokit) => {
        const found = await unless([404], octokit.rest.repos.getBranch({ ...placeOf(repo), branch }));
        return found?.data.commit.sha;
      }),
    log: (repo, id) => github.within("read a job's log", repo, (octokit) => readLog(octokit, repo, id)),
    rerun: (key, repo, head, runs) =>
      github.within("run checks again", repo, (octokit) => rerun(github, octokit, { key, repo, head, runs })),
  };
}

const placeOf = (repo: Repo) => ({ owner: repo.owner, repo: repo.name });

/** How many statuses of one commit are read: each check may have set many. */
const maxStatuses = 300;

async function readTries(
  github: GitHub,
  octokit: Octokit,
  repo: Repo,
  commit: Sha,
): Promise<readonly CheckTry[]> {
  const of = { ...placeOf(repo), ref: commit, per_page: 100 };
  const [runs, statuses] = await Promise.all([
    octokit.paginate(octokit.rest.checks.listForRef, { ...of, filter: "all" }),
    readStatuses(octokit, of),
  ]);
  return [
    ...runs
      .filter((run) => run.app?.id !== github.appId)
      .map((run) => ({
        id: run.id,
        name: run.name,
        is: runIs(run),
        conclusion: run.conclusion ?? undefined,
        endedAt: timeOf(run.completed_at),
        url: run.html_url ?? undefined,
      }))
      .toSorted((one, other) => one.id - other.id),
    ...statuses
      .toSorted((one, other) => one.id - other.id)
      .map((status) => ({
        id: undefined,
        name: status.context,
        is: statusIs(status.state),
        conclusion: status.state,
        endedAt: timeOf(status.updated_at),
        url: status.target_url ?? undefined,
      })),
  ];
}

/** The newest ones; GitHub lists them so. */
async function readStatuses(
  octokit: Octokit,
  of: { readonly owner: string; readonly repo: string; readonly ref: string; readonly per_page: number },
): Promise<RestEndpointMethodTypes["repos"]["listCommitStatusesForRef"]["response"]["data"]> {
  const found = [];
  for await (const { data } of octokit.paginate.iterator(octokit.rest.repos.listCommitStatusesForRef, of)) {
    found.push(...data);
    if (found.length >= maxStatuses) break;
  }
  return found;
}

const timeOf = (text: string | null | undefined): number | undefined =>
  text === null || text === undefined ? undefined : Date.parse(text);

/** Where a check run is a job of GitHub Actions, as its own page is named. The host in it is not ours to trust. */
function jobOf(run: RawRun): { readonly run: number; readonly job: number } | undefined {
  if (run.app?.slug !== "github-actions") return undefined;
  const found = /\/actions\/runs\/(\d{1,15})\/job\/(\d{1,15})/.exec(run.details_url ?? run.html_url ?? "");
  return found === null ? undefined : { run: Number(found[1]), job: Number(found[2]) };
}

/** What may not be read, or is gone, is nothing to read. */
const unreadable = [403, 404, 410] as const;
const maxAnnotations = 30;

async function readLog(octokit: Octokit, repo: Repo, id: number): Promise<string | undefined> {
  const at = placeOf(repo);
  const found = await unless(unreadable, octokit.rest.checks.get({ ...at, check_run_id: id }));
  if (found === undefined) return undefined;
  const run = found.data;
  const job = jobOf(run);
  const log = job && (await readJobLog(octokit, repo, job.job));
  if (log !== undefined && log.trim() !== "") return log;
  const notes =
    run.output.annotations_count === 0
      ? undefined
      : await unless(
          unreadable,
          octokit.rest.checks.listAnnotations({ ...at, check_run_id: id, per_page: maxAnnotations }),
        );
  const parts = [
    run.output.title,
    run.output.summary,
    run.output.text,
    ...(notes?.data ?? []).map(
      (note) =>
        `${note.path}:${note.start_line}: ${note.annotation_level ?? "notice"}: ${note.message ?? ""}`,
    ),
  ].filter((part) => part !== null && part !== undefined && part.trim() !== "");
  return parts.length === 0 ? undefined : parts.join("\n\n");
}

/** A log may have gigabytes; what says why a job failed stands near its end. */
const keptLogBytes = 256 * 1024;
const readLogBytes = 64 * 1024 * 1024;

async function readJobLog(octokit: Octokit, repo: Repo, job: number): Promise<string | undefined> {
  const answer = await unless(
    unreadable,
    octokit.request("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", {
      ...placeOf(repo),
      job_id: job,
      request: { parseSuccessResponseBody: false },
    }),
  );
  if (answer === undefined) return undefined;
  const body: unknown = answer.data;
  if (typeof body === "string") return body.slice(-keptLogBytes);
  return body instanceof ReadableStream ? await endOf(body as ReadableStream<Uint8Array>) : undefined;
}

/** The end of a stream, holding no more of it than is kept. */
async function endOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let kept = Buffer.alloc(0);
  let read = 0;
  for await (const chunk of stream) {
    read += chunk.length;
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > 2 * keptLogBytes) kept = kept.subarray(-keptLogBytes);
    if (read > readLogBytes) break;
  }
  return kept.subarray(-keptLogBytes).toString("utf8");
}

interface Rerun {
  readonly key: Key;
  readonly repo: Repo;
  readonly head: Sha;
  readonly runs: readonly RedRun[];
}

/** Looks first whether they run again already, so that repeating it asks only once. */
async function rerun(github: GitHub, octokit: Octokit, order: Rerun): Promise<"asked" | Refused> {
  const { key, repo, runs } = order;
  const at = placeOf(repo);
  const waiting = await stillRed(octokit, order);
  const workflows = new Set<number>();
  for (const run of waiting) {
    const job = jobOf(run);
    if (job !== undefined) {
      workflows.add(job.run);
      continue;
    }
    await github.writing(key, "run checks again", repo);
    const refused = await asking(octokit.rest.checks.rerequestRun({ ...at, check_run_id: run.id }));
    if (refused !== undefined) return refused;
  }
  for (const run_id of workflows) {
    const { data } = await octokit.rest.actions.getWorkflowRun({ ...at, run_id });
    if (data.status !== "completed")
      return refuse(
        "pending",
        `The workflow run ${run_id} of ${runs.map(({ name }) => name).join(", ")} is not over.`,
      );
    await github.writing(key, "run checks again", repo);
    const refused = await asking(octokit.rest.actions.reRunWorkflowFailedJobs({ ...at, run_id }));
    if (refused !== undefined) return refused;
  }
  return "asked";
}

/** Those whose newest try is still the one that was red. */
async function stillRed(octokit: Octokit, { repo, head, runs }: Rerun): Promise<readonly RawRun[]> {
  const all = await octokit.paginate(octokit.rest.checks.listForRef, {
    ...placeOf(repo),
    ref: head,
    per_page: 100,
    filter: "all",
  });
  return runs.flatMap(({ name, id }) => {
    const newest = all
      .filter((run) => run.name === name)
      .toSorted((one, other) => one.id - other.id)
      .at(-1);
    return newest?.id === id && newest.status === "completed" ? [newest] : [];
  });
}

/** Undefined when it was taken; what GitHub will not do is an answer. */
async function asking(call: Promise<unknown>): Promise<Refused | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    const status = statusOf(error);
    const said = saidBy(error);
    if (status === undefined || ![403, 404, 409, 422].includes(status) || /rate limit|abuse/i.test(said))
      throw error;
    return refuse(/already (?:running|queued)|in progress/i.test(said) ? "pending" : "unavailable", said);
  }
}

function refuse(how: Refused["how"], why: string): Refused {
  return { is: "refused", how, why };
}
