import { z } from "zod";
import type { Repo } from "../../src/ports.ts";
import type { People } from "../../src/simulator/fakes/people.ts";

/** One request as a person; undefined for 404. */
export type Ask = (login: string, method: string, path: string, body?: unknown) => Promise<unknown>;

const Numbered = z.object({ number: z.number() });
const Identified = z.object({ id: z.number() });
const Ref = z.object({ object: z.object({ sha: z.string() }) });
const Tree = z.object({ tree: z.object({ sha: z.string() }) });
const Made = z.object({ sha: z.string() });
const Said = z.object({ id: z.number(), body: z.string().nullable(), user: z.object({ login: z.string() }) });
const Head = z.object({ head: Made });
const Review = Said.extend({ state: z.string() });

/** People on a GitHub, each with a token of their own. */
export function restPeople(ask: Ask, { owner, name, defaultBranch }: Repo): People {
  const at = `/repos/${owner}/${name}`;
  const tipOf = async (branch: string): Promise<string | undefined> => {
    const found = await ask(owner, "GET", `${at}/git/ref/heads/${branch}`);
    return found === undefined ? undefined : Ref.parse(found).object.sha;
  };
  return {
    join: async (login, permission) => {
      const role = { write: "push", read: "pull" }[permission as string] ?? permission;
      await ask(owner, "PUT", `${at}/collaborators/${login}`, { permission: role });
    },
    openIssue: async (by, issue) => Numbered.parse(await ask(by, "POST", `${at}/issues`, issue)).number,
    dependOn: async (by, number, other) => {
      const { id } = Identified.parse(await ask(by, "GET", `${at}/issues/${other}`));
      await ask(by, "POST", `${at}/issues/${number}/dependencies/blocked_by`, { issue_id: id });
    },
    label: async (by, number, label) =>
      void (await ask(by, "POST", `${at}/issues/${number}/labels`, { labels: [label] })),
    unlabel: async (by, number, label) =>
      void (await ask(by, "DELETE", `${at}/issues/${number}/labels/${label}`)),
    comment: async (by, number, body) =>
      Identified.parse(await ask(by, "POST", `${at}/issues/${number}/comments`, { body })).id,
    removeComment: async (by, id) => void (await ask(by, "DELETE", `${at}/issues/comments/${id}`)),
    push: async (by, branch, { path, lines }) => {
      const tip = await tipOf(branch);
      const parent = tip ?? (await tipOf(defaultBranch));
      const base = Tree.parse(await ask(by, "GET", `${at}/git/commits/${parent}`)).tree.sha;
      const content = Array.from({ length: lines }, (_, n) => `line ${n + 1} of ${path} on ${branch}\n`).join(
        "",
      );
      const entry = { path, mode: "100644", type: "blob", content };
      const tree = Made.parse(
        await ask(by, "POST", `${at}/git/trees`, { base_tree: base, tree: [entry] }),
      ).sha;
      const commit = { message: `Write ${path}`, tree, parents: [parent] };
      const { sha } = Made.parse(await ask(by, "POST", `${at}/git/commits`, commit));
      if (tip === undefined) await ask(by, "POST", `${at}/git/refs`, { ref: `refs/heads/${branch}`, sha });
      else await ask(by, "PATCH", `${at}/git/refs/heads/${branch}`, { sha });
      return sha;
    },
    review: async (by, pull, event, body) =>
      Identified.parse(await ask(by, "POST", `${at}/pulls/${pull}/reviews`, { event, body })).id,
    remark: async (by, pull, { path, line }, body) => {
      const { head } = Head.parse(await ask(by, "GET", `${at}/pulls/${pull}`));
      const remark = { path, line, side: "RIGHT", body, commit_id: head.sha };
      return Identified.parse(await ask(by, "POST", `${at}/pulls/${pull}/comments`, remark)).id;
    },
    reply: async (by, pull, to, body) =>
      Identified.parse(await ask(by, "POST", `${at}/pulls/${pull}/comments/${to}/replies`, { body })).id,
    editRemark: async (by, _pull, id, body) =>
      void (await ask(by, "PATCH", `${at}/pulls/comments/${id}`, { body })),
    dismiss: async (by, pull, review) =>
      void (await ask(by, "PUT", `${at}/pulls/${pull}/reviews/${review}/dismissals`, {
        message: "No longer true",
      })),
    check: async (head, check, is) => {
      const conclusion = { pending: undefined, green: "success", red: "failure" }[is];
      const state =
        conclusion === undefined ? { status: "in_progress" } : { status: "completed", conclusion };
      await ask(owner, "POST", `${at}/check-runs`, { name: check, head_sha: head, ...state });
    },
    requireChecks: async (contexts) =>
      void (await ask(owner, "PUT", `${at}/branches/${defaultBranch}/protection`, {
        required_status_checks: { strict: false, contexts },
        enforce_admins: false,
        required_pull_request_reviews: null,
        restrictions: null,
      })),
    ...restEyes(ask, owner, at),
    seeBranch: tipOf,
  };
}

type Eyes = Omit<Pick<People, Extract<keyof People, `see${string}`>>, "seeBranch">;

function restEyes(ask: Ask, owner: string, at: string): Eyes {
  const get = (path: string): Promise<unknown> => ask(owner, "GET", `${at}${path}`);
  return {
    seeIssue: async (number) => {
      const Issue = z.object({
        state: z.enum(["open", "closed"]),
        state_reason: z.string().nullable().optional(),
        labels: z.array(z.object({ name: z.string() })),
      });
      const issue = Issue.parse(await get(`/issues/${number}`));
      const closed = issue.state_reason === "not_planned" ? "not_planned" : "completed";
      return {
        is: issue.state === "open" ? "open" : closed,
        labels: issue.labels.map((label) => label.name),
      };
    },
    seeComments: async (number) =>
      z
        .array(Said)
        .parse(await get(`/issues/${number}/comments`))
        .map(({ id, body, user }) => ({ id, by: user.login, body: body ?? "" })),
    seeReactions: async (number) =>
      z
        .array(z.object({ content: z.string() }))
        .parse(await get(`/issues/${number}/reactions`))
        .map((reaction) => reaction.content),
    seePull: async (number) => {
      const Pull = z.object({
        body: z.string().nullable(),
        draft: z.boolean(),
        state: z.string(),
        requested_reviewers: z.array(z.object({ login: z.string() })),
      });
      const pull = Pull.parse(await get(`/pulls/${number}`));
      const reviewers = pull.requested_reviewers.map((person) => person.login);
      return { body: pull.body ?? "", draft: pull.draft, open: pull.state === "open", reviewers };
    },
    seeReviews: async (number) =>
      z
        .array(Review)
        .parse(await get(`/pulls/${number}/reviews`))
        .map(({ id, body, user, state }) => ({ id, by: user.login, state, body: body ?? "" })),
    seeInline: async (number) =>
      z
        .array(z.object({ path: z.string(), line: z.number(), body: z.string() }))
        .parse(await get(`/pulls/${number}/comments`)),
    seeChecks: async (head) =>
      z
        .object({
          check_runs: z.array(
            z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullable() }),
          ),
        })
        .parse(await get(`/commits/${head}/check-runs`))
        .check_runs.map((run) => ({ ...run, conclusion: run.conclusion ?? undefined })),
  };
}
