/** The App before anything serves: is it the one its key belongs to, where is it installed, where do its webhooks go. */
import { openGitHub, type GitHub } from "../adapters/github/app.ts";
import { githubHooks } from "../adapters/github/hooks.ts";
import type { Clock } from "../ports.ts";
import { Trouble } from "../ports.ts";
import { Problem } from "../problems.ts";
import { redact } from "../secrets.ts";
import { checkReach } from "./doctor-github.ts";
import { troubleProblem } from "./trouble.ts";

export interface AppKey {
  readonly appId: number;
  /** PEM. */
  readonly privateKey: string;
  readonly apiUrl: string;
}
export interface AppAccess {
  readonly id: number;
  readonly slug: string;
  readonly owner: string;
  readonly htmlUrl: string;
  installations(): Promise<number>;
  /** `owner/name`, sorted. */
  repositories(): Promise<readonly string[]>;
  hookUrl(): Promise<string>;
  setHook(config: { readonly url: string } | { readonly secret: string }): Promise<void>;
}
export interface Outside {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
}

/** Asks GitHub with this key. Throws a `Problem` when it is another App's, when the clock is off, or when nobody answers. */
export async function openApp(key: AppKey, outside: Outside): Promise<AppAccess> {
  const github = openGitHub({
    ...key,
    userAgent: "forgehand-init",
    clock: outside.clock,
    // Nothing is written on GitHub that would have to be found again.
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const asked = <Result>(work: () => Promise<Result>): Promise<Result> => translated(key, outside, work);
  const app = await asked(() => readApp(github));
  if (app.id !== key.appId)
    throw new Problem("github-app-other", { appId: key.appId, other: `${app.slug} (${app.id})` });
  return {
    ...app,
    installations: () =>
      asked(
        async () =>
          (
            await github.asApp("list its installations", (octokit) =>
              octokit.rest.apps.listInstallations({ per_page: 100 }),
            )
          ).data.length,
      ),
    repositories: () =>
      asked(async () =>
        (await githubHooks(github).repos()).map(({ owner, name }) => `${owner}/${name}`).toSorted(),
      ),
    hookUrl: () =>
      asked(
        async () =>
          (await github.asApp("read its webhook", (octokit) => octokit.rest.apps.getWebhookConfigForApp()))
            .data.url ?? "",
      ),
    setHook: (config) =>
      asked(async () => {
        // As a body of its own: among the parameters of the method `url` would be where the request goes.
        const data = { ...config, content_type: "json" };
        await github.asApp("set its webhook", (octokit) =>
          octokit.request("PATCH /app/hook/config", { data }),
        );
      }),
  };
}

async function readApp(github: GitHub) {
  const { data } = await github.asApp("read the settings", (octokit) => octokit.rest.apps.getAuthenticated());
  if (data === null)
    throw new Trouble("github-auth", "GitHub knows no App by this key.", { permanent: true });
  const owner = "login" in data.owner ? data.owner.login : data.owner.slug;
  return { id: data.id, slug: data.slug ?? data.name, owner, htmlUrl: data.html_url };
}

/** GitHub refuses a signature of tomorrow with the same words as a stranger's: its Date header tells them apart. */
async function translated<Result>(
  key: AppKey,
  { clock, fetch }: Outside,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (error.code === "github-auth") {
      const { findings } = await checkReach({ ...key, webhookSecrets: [""] }, clock, fetch);
      const skew = findings.find(({ is, what }) => is === "fail" && what.includes("clock"));
      if (skew !== undefined) throw new Problem("clock-wrong", { what: skew.what }, { cause: error });
    }
    throw troubleProblem(error, { ...key, webhookSecrets: [""] }) ?? error;
  }
}
