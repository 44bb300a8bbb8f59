/** GitHub's own log of what it tried to tell us: https://docs.github.com/en/rest/apps/webhooks */
import type { Octokit } from "@octokit/rest";
import type { Instant } from "../../ports.ts";
import type { DeliveryLog, RecordedNews } from "../../ports-hooks.ts";
import type { GitHub } from "./app.ts";
import { statusOf, unless } from "./trouble.ts";

/** How far back one walk goes: 100 deliveries a page. */
const maxPages = 100;

/** The log as a way to hear GitHub without being reachable. */
export function githubDeliveryLog(github: GitHub): DeliveryLog {
  return {
    since: (instant, tag) =>
      github.asApp("read its webhook deliveries", (octokit) => newsSince(octokit, instant, tag)),
    payload: (id) => github.asApp("read a webhook delivery", (octokit) => payloadOf(octokit, id)),
  };
}

/** One attempt to tell us something; a redelivery bears the same guid under another id. */
export interface Attempt {
  readonly id: number;
  readonly guid: string;
  readonly name: string;
  readonly at: number;
  readonly arrived: boolean;
}
interface Walk {
  readonly attempts: readonly Attempt[];
  readonly tag: string | undefined;
  readonly budget: RecordedNews["budget"];
}

async function newsSince(octokit: Octokit, since: Instant, tag: string | undefined): Promise<RecordedNews> {
  const walked = await walkAttempts(octokit, since, tag);
  if ("unchanged" in walked) return { deliveries: undefined, tag, budget: walked.unchanged };
  const first = new Map<string, Attempt>();
  for (const attempt of oldestFirst(walked.attempts))
    if (!first.has(attempt.guid)) first.set(attempt.guid, attempt);
  return {
    deliveries: [...first.values()].map(({ id, guid, name, at }) => ({ id, guid, name, at })),
    tag: walked.tag,
    budget: walked.budget,
  };
}

/** So that of several attempts the first keeps its place in the order of events. */
export const oldestFirst = (attempts: readonly Attempt[]): readonly Attempt[] =>
  attempts.toSorted((one, other) => one.at - other.at || one.id - other.id);

/** Every attempt since the instant. */
export async function readAttempts(octokit: Octokit, since: Instant): Promise<readonly Attempt[]> {
  const walked = await walkAttempts(octokit, since, undefined);
  return "unchanged" in walked ? [] : walked.attempts;
}

async function walkAttempts(
  octokit: Octokit,
  since: Instant,
  tag: string | undefined,
): Promise<Walk | { readonly unchanged: RecordedNews["budget"] }> {
  const attempts: Attempt[] = [];
  let first: Awaited<ReturnType<typeof pageOf>> | undefined;
  let cursor: string | undefined;
  // Newest first, by cursor: the walk ends at the first page that reaches back far enough.
  for (let pages = 0; pages < maxPages; pages += 1) {
    const page = await pageOf(octokit, cursor, pages === 0 ? tag : undefined);
    if (page.data === undefined) return { unchanged: budgetIn(page.headers) };
    first ??= page;
    for (const each of page.data) {
      const at = Date.parse(each.delivered_at);
      if (at < since) continue;
      const arrived = each.status_code >= 200 && each.status_code < 300;
      attempts.push({ id: each.id, guid: each.guid, name: each.event, at, arrived });
    }
    const last = page.data.at(-1);
    cursor = cursorIn(page.headers["link"]);
    if (cursor === undefined || last === undefined || Date.parse(last.delivered_at) < since) break;
  }
  return { attempts, tag: first?.headers["etag"], budget: budgetIn(first?.headers ?? {}) };
}

type Headers = Readonly<Record<string, string | undefined>>;

/** Undefined data: nothing changed since the answer of this tag, which costs nothing of the rate limit. */
async function pageOf(octokit: Octokit, cursor: string | undefined, tag: string | undefined) {
  try {
    const { data, headers } = await octokit.rest.apps.listWebhookDeliveries({
      per_page: 100,
      ...(cursor === undefined ? {} : { cursor }),
      ...(tag === undefined ? {} : { headers: { "if-none-match": tag } }),
    });
    return { data, headers: textHeaders(headers) };
  } catch (error) {
    if (statusOf(error) !== 304) throw error;
    // `statusOf` saw the response; its headers are as Octokit has them everywhere.
    const { response } = error as { readonly response: { readonly headers?: object } };
    return { data: undefined, headers: textHeaders(response.headers ?? {}) };
  }
}

const textHeaders = (headers: object): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

function cursorIn(link: string | undefined): string | undefined {
  const next = /<([^>]+)>;\s*rel="next"/u.exec(link ?? "")?.[1];
  return next === undefined ? undefined : (URL.parse(next)?.searchParams.get("cursor") ?? undefined);
}

function budgetIn(headers: Headers): RecordedNews["budget"] {
  const [left, reset] = [Number(headers["x-ratelimit-remaining"]), Number(headers["x-ratelimit-reset"])];
  return Number.isFinite(left) && reset > 0 ? { left, resetAt: reset * 1_000 } : undefined;
}

/** What one delivery said; undefined for one that GitHub forgot, as it does after some days. */
export async function payloadOf(octokit: Octokit, id: number): Promise<unknown> {
  const answer = await unless([404, 410], octokit.rest.apps.getWebhookDelivery({ delivery_id: id }));
  const payload: unknown = answer?.data.request.payload;
  // A webhook sent as a form carries its JSON as text.
  if (typeof payload !== "string") return payload;
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}
