import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { GitHub } from "../adapters/github/app.ts";
import type { GitHubSettings } from "../config-environment.ts";
import { Trouble, type Clock } from "../ports.ts";
import { bad, broken, ok, warn, type Finding } from "./doctor-finding.ts";
import type { Feed } from "../config-feed.ts";
import { checkFeed } from "./doctor-feed.ts";
import { checkInstallations, missingPermissions } from "./doctor-installations.ts";
import { troubleProblem } from "./trouble.ts";

/** How long GitHub may take to say anything at all. */
const reachMs = 10_000;
/** GitHub refuses a signature that is more than a minute off. */
const skewBadMs = 60_000;
const skewOddMs = 10_000;

const Manifest = z.object({
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});
export type Manifest = z.output<typeof Manifest>;

/** `app.yml` as it ships, found upwards from here: what the App must be granted. */
export function readManifest(from = import.meta.dirname): Manifest {
  const path = join(from, "app.yml");
  if (existsSync(path)) return Manifest.parse(parse(readFileSync(path, "utf8")));
  if (dirname(from) === from) throw new Error("app.yml is missing from this installation of forgehand");
  return readManifest(dirname(from));
}

/** Is there an API at all, and do its clock and ours agree? Asked without any credentials. */
export async function checkReach(
  { apiUrl }: GitHubSettings,
  clock: Pick<Clock, "now">,
  ask: typeof globalThis.fetch,
): Promise<{ readonly findings: readonly Finding[]; readonly isReached: boolean }> {
  let answer: Response;
  try {
    answer = await ask(`${apiUrl}/meta`, { signal: AbortSignal.timeout(reachMs), redirect: "manual" });
    await answer.body?.cancel();
  } catch (error) {
    return { findings: [unreachable(apiUrl, error)], isReached: false };
  }
  if (answer.status >= 500)
    return { findings: [unreachable(apiUrl, new Error(`it answers ${answer.status}`))], isReached: false };
  const date = Date.parse(answer.headers.get("date") ?? "");
  return { findings: [ok(`${apiUrl} answers`), skewOf(date, clock.now())], isReached: true };
}

function unreachable(apiUrl: string, error: unknown): Finding {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return {
    ...broken("github-url-wrong", { url: apiUrl, why }),
    what: `GitHub cannot be reached at ${apiUrl}: ${why}`,
    fix: `curl -sS ${apiUrl}/meta shows what stands between; behind a proxy start with NODE_USE_ENV_PROXY=1 and HTTPS_PROXY set`,
  };
}

function skewOf(theirs: number, ours: number): Finding {
  if (Number.isNaN(theirs))
    return warn("GitHub's answer carries no date, so the clock is unchecked", "date -u");
  // The header counts whole seconds.
  const skew = ours - theirs - 500;
  const text = `this clock is ${(Math.abs(skew) / 1000).toFixed(0)} s ${skew > 0 ? "ahead of" : "behind"} GitHub's`;
  const fix = "set the clock, for example `timedatectl set-ntp true`";
  if (Math.abs(skew) > skewBadMs) return bad("usage", `${text}: its signatures are refused`, fix);
  return Math.abs(skew) > skewOddMs ? warn(text, fix) : ok("the clock agrees with GitHub's");
}

/** Do key, permissions, events and webhook of the App fit? */
export async function checkApp(
  github: GitHub,
  settings: GitHubSettings & { readonly feed?: Feed | undefined },
  manifest: Manifest,
  now: number,
): Promise<{ readonly findings: readonly Finding[]; readonly isAccepted: boolean }> {
  try {
    const app = await github.identity();
    const missingEvents = manifest.default_events.filter((event) => !app.events.includes(event));
    const missing = missingPermissions(manifest.default_permissions, app.permissions);
    return {
      isAccepted: true,
      findings: [
        ok(`the App is ${app.slug}, its key is accepted`),
        missing.length === 0
          ? ok("its permissions are those of app.yml")
          : bad(
              "permission",
              `the App asks for less than it needs: ${missing.join(", ")}`,
              "App settings → Permissions & events: add them, then accept them for each installation",
            ),
        missingEvents.length === 0
          ? ok("it hears every event it reads")
          : bad(
              "usage",
              `the App does not subscribe to ${missingEvents.join(", ")}`,
              "App settings → Permissions & events → Subscribe to events: tick them",
            ),
        ...(await checkHook(github, settings.feed, now)),
        ...(await checkInstallations(github, {
          permissions: manifest.default_permissions,
          events: manifest.default_events,
        })),
      ],
    };
  } catch (error) {
    return { findings: [troubled(error, settings)], isAccepted: false };
  }
}

/** What GitHub refused, as a finding; anything that is no trouble of GitHub's goes on. */
export function troubled(error: unknown, settings: GitHubSettings): Finding {
  const problem = troubleProblem(error, settings);
  if (problem !== undefined)
    return { is: "fail", what: problem.told.what, fix: problem.told.do, exit: problem.exitCode };
  if (!(error instanceof Trouble)) throw error;
  const exit = error.code === "github-forbidden" || error.code === "github-gone" ? "permission" : "remote";
  return bad(
    exit,
    error.message,
    error.permanent ? "see above, then run `forgehand doctor` again" : "forgehand doctor, in a minute",
  );
}

const Deliveries = z.array(
  z.object({ event: z.string(), delivered_at: z.string(), status_code: z.number() }),
);
const deliveriesSeen = 50;

function ageOf(instant: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(instant)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Do deliveries reach us, and with the secret we know? GitHub remembers what we answered. */
async function checkHook(github: GitHub, feed: Feed | undefined, now: number): Promise<readonly Finding[]> {
  const { url, deliveries } = await github.asApp("read its webhook", async (octokit) => ({
    url: (await octokit.rest.apps.getWebhookConfigForApp()).data.url ?? "",
    deliveries: Deliveries.parse(
      (await octokit.rest.apps.listWebhookDeliveries({ per_page: deliveriesSeen })).data,
    ),
  }));
  const newest = deliveries[0] === undefined ? undefined : ageOf(deliveries[0].delivered_at, now);
  const pulled = checkFeed(feed, { url, newest });
  if (pulled !== undefined) return pulled;
  const place = /\/webhooks\/github\/?$/u.test(url)
    ? ok(`its webhook is ${url}`)
    : broken("webhook-url-wrong", { url: url === "" ? "not set" : url });
  const [last] = deliveries;
  if (last === undefined)
    return [
      place,
      warn("GitHub has not delivered anything yet", "label an issue `agent-ready`, then look again"),
    ];
  const refused = deliveries.filter(({ status_code: status }) => status === 401).length;
  const lost = deliveries.filter(({ status_code: status }) => status < 200 || status >= 300).length;
  // Only the newest tells whether the secret is wrong now.
  if (last.status_code === 401) return [place, broken("webhook-secret-wrong", { count: refused })];
  return [
    place,
    lost === 0
      ? ok(
          `the last ${deliveries.length} deliveries arrived, the newest ${ageOf(last.delivered_at, now)} ago`,
        )
      : warn(
          `${lost} of the last ${deliveries.length} deliveries did not arrive (the newest: ${last.event}, ${ageOf(last.delivered_at, now)} ago, ${last.status_code})`,
          "forgehand up, which fetches them by itself at start and every few minutes",
        ),
  ];
}
