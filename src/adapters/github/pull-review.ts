/** A pull request seen with whatever token the caller holds: what it changes, and one review of ours on it. */
import type { Octokit } from "@octokit/rest";
import { z } from "zod";
import { Trouble, type Clock, type InlineFinding } from "../../ports.ts";
import { openGitHub, webUrlOf } from "./app.ts";
import { grants, grantText, type Operation } from "./permissions.ts";
import { sendReview, shownAt } from "./review.ts";
import { bears, capped, markerLine, sameText } from "./text.ts";
import { octokitMaker, type AuthStrategy } from "./tokens.ts";
import { asTrouble, unless } from "./trouble.ts";

export interface PullName {
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
}
/** What a pull request changes, by commits. */
export interface PullChange {
  readonly title: string;
  readonly body: string;
  /** Newest commit that base and head share. */
  readonly fork: string;
  readonly head: string;
}
export interface PullReview {
  readonly head: string;
  readonly body: string;
  /** Those whose line the pull request does not show are told in the body, as `listed` puts them. */
  readonly findings: readonly InlineFinding[];
  readonly listed: (findings: readonly InlineFinding[]) => string;
  /** Takes the place of what our review of another head said, as long as this head is the present one. */
  readonly outdated: string;
}
/** Access to one pull request. The token never leaves it but for `header`, which is for git alone. */
export interface PullAccess {
  change(): Promise<PullChange>;
  remote(): Promise<{ readonly url: string; readonly header: string }>;
  /** Leaves exactly one current review of ours, whatever came before; answers where it is. */
  post(review: PullReview): Promise<string>;
}
/** A token of the caller's, or the App whose key the operator has. */
export type PullCredentials =
  | { readonly is: "token"; readonly token: string }
  | { readonly is: "app"; readonly appId: number; readonly privateKey: string };

const marker = (head: string): string => markerLine(`review-of ${head}`);
const anyMarker = /^<!-- forgehand:review-of [0-9a-f]{40,64} -->$/u;

/** Opens the access; nothing is sent yet. */
export function openPullAccess(
  pull: PullName,
  credentials: PullCredentials,
  options: {
    readonly apiUrl: string;
    readonly clock: Pick<Clock, "now">;
    readonly scrub: (text: string) => string;
  },
): PullAccess {
  const { apiUrl, scrub } = options;
  const door =
    credentials.is === "token"
      ? tokenDoor(pull, credentials.token, options)
      : appDoor(pull, credentials, options);
  const at = { owner: pull.owner, repo: pull.repo, pull_number: pull.number };
  return {
    change: () => door.within("read a pull request", (octokit) => readChange(octokit, at)),
    remote: async () => ({
      url: `${webUrlOf(apiUrl)}/${pull.owner}/${pull.repo}.git`,
      header: `Basic ${Buffer.from(`x-access-token:${await door.token()}`).toString("base64")}`,
    }),
    post: (review) =>
      door.within("post a review", (octokit) =>
        post(octokit, at, {
          ...review,
          body: scrub(review.body),
          findings: review.findings.map((one) => ({ ...one, body: scrub(one.body) })),
          listed: (findings) => scrub(review.listed(findings)),
        }),
      ),
  };
}

interface Door {
  within<Result>(operation: Operation, work: (octokit: Octokit) => Promise<Result>): Promise<Result>;
  token(): Promise<string>;
}
type At = { readonly owner: string; readonly repo: string; readonly pull_number: number };

function tokenDoor(
  { owner, repo }: PullName,
  token: string,
  { apiUrl, clock }: { readonly apiUrl: string; readonly clock: Pick<Clock, "now"> },
): Door {
  const auth: AuthStrategy = () =>
    Object.assign(async () => ({ type: "token" }), {
      hook: (send: (request: object) => Promise<unknown>, request: { readonly headers?: object }) =>
        send({ ...request, headers: { ...request.headers, authorization: `bearer ${token}` } }),
    });
  const octokit = octokitMaker({ userAgent: "forgehand" }, apiUrl)("token", auth);
  return {
    token: async () => token,
    within: async (operation, work) => {
      try {
        return await work(octokit);
      } catch (error) {
        const call = { doing: operation, where: `in ${owner}/${repo}`, needs: grantText(grants[operation]) };
        throw asTrouble(error, { ...call, installation: undefined, now: clock.now() });
      }
    },
  };
}

function appDoor(
  { owner, repo: name }: PullName,
  { appId, privateKey }: Extract<PullCredentials, { is: "app" }>,
  { apiUrl, clock, scrub }: Parameters<typeof openPullAccess>[2],
): Door {
  const remember = { get: async () => undefined, set: async () => undefined };
  const github = openGitHub({ appId, privateKey, apiUrl, userAgent: "forgehand", clock, remember, scrub });
  const repo = async () => {
    const installation = await github.asApp("find its installation", async (octokit) => {
      const found = await unless([404], octokit.rest.apps.getRepoInstallation({ owner, repo: name }));
      if (found !== undefined) return found.data.id;
      throw new Trouble(
        "github-not-installed",
        `The App is not installed on ${owner}/${name}. Add the repository to its installation, or set GH_TOKEN to a token that may read it.`,
        { permanent: true },
      );
    });
    const id = await github.across("list repositories", installation, async (octokit) => {
      const { data } = await octokit.rest.repos.get({ owner, repo: name });
      return { id: data.id, branch: data.default_branch, isPrivate: data.private };
    });
    return { id: id.id, owner, name, installation, defaultBranch: id.branch, private: id.isPrivate };
  };
  return {
    token: async () => await github.pushToken(await repo(), "read"),
    within: async (operation, work) => await github.within(operation, await repo(), work),
  };
}

async function readChange(octokit: Octokit, at: At): Promise<PullChange> {
  const found = await unless([404], octokit.rest.pulls.get(at));
  if (found === undefined)
    throw new Trouble(
      "github-no-pull",
      `There is no pull request ${at.owner}/${at.repo}#${at.pull_number} that this token may see.`,
      { permanent: true },
    );
  const { base, head, title, body } = found.data;
  const { owner, repo } = at;
  const { data } = await octokit.rest.repos.compareCommitsWithBasehead({
    owner,
    repo,
    basehead: `${base.sha}...${head.sha}`,
    per_page: 1,
  });
  return {
    title,
    body: body ?? "",
    fork: data.merge_base_commit.sha,
    head: head.sha,
  };
}

const viewer = z.object({ viewer: z.object({ login: z.string() }) });

/** Whoever this token speaks as: a marker that anybody else copied is not ours. */
async function ownLogin(octokit: Octokit): Promise<string> {
  return viewer.parse(await octokit.graphql("query { viewer { login } }")).viewer.login;
}

async function post(octokit: Octokit, at: At, review: PullReview): Promise<string> {
  const me = await ownLogin(octokit);
  const ours: { readonly id: number; readonly url: string; readonly body: string }[] = [];
  for await (const { data } of octokit.paginate.iterator(octokit.rest.pulls.listReviews, {
    ...at,
    per_page: 100,
  }))
    for (const known of data)
      if (known.user?.login === me && anyMarker.test(known.body.split(/\r?\n/u, 1)[0]?.trim() ?? ""))
        ours.push({ id: known.id, url: known.html_url, body: known.body });
  const line = marker(review.head);
  const current = ours.find(({ body }) => bears(body, line));
  const url =
    current === undefined
      ? await create(octokit, at, review)
      : await bringUpToDate(octokit, at, review, current);
  const { data: pull } = await octokit.rest.pulls.get(at);
  // Another review of ours may have judged a newer head, and been quicker.
  if (pull.head.sha !== review.head) return url;
  for (const { id, body } of ours) {
    const first = body.split(/\r?\n/u, 1)[0] ?? "";
    const old = `${first}\n${review.outdated}`;
    if (bears(body, line) || sameText(body, old)) continue;
    await octokit.rest.pulls.updateReview({ ...at, review_id: id, body: old });
  }
  return url;
}

const bodyOf = (review: PullReview, rest: readonly InlineFinding[]): string => {
  const listed = rest.length === 0 ? [] : ["", review.listed(rest)];
  return capped([marker(review.head), review.body, ...listed].join("\n"));
};

async function create(octokit: Octokit, at: At, review: PullReview): Promise<string> {
  const shown = await shownAt(octokit, at, review);
  return await sendReview(octokit, at, { head: review.head, ...shown, body: (rest) => bodyOf(review, rest) });
}

/** The same head was reviewed before: its body says how it stands now, beside the comments that hang there already. */
async function bringUpToDate(
  octokit: Octokit,
  at: At,
  review: PullReview,
  { id, url, body }: { readonly id: number; readonly url: string; readonly body: string },
): Promise<string> {
  const said = await octokit.paginate(octokit.rest.pulls.listCommentsForReview, {
    ...at,
    review_id: id,
    per_page: 100,
  });
  const isSaid = (one: InlineFinding): boolean =>
    said.some(({ path, body: text }) => path === one.path && sameText(text, capped(one.body)));
  const now = bodyOf(
    review,
    review.findings.filter((one) => !isSaid(one)),
  );
  if (!sameText(body, now)) await octokit.rest.pulls.updateReview({ ...at, review_id: id, body: now });
  return url;
}
