/** Where people are told beside the forge: the URLs of FORGEHAND_NOTIFY, each with what it wants to hear in its query. */
import { createHash } from "node:crypto";
import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { nearest } from "./nearest.ts";
import { notifyServices, type Placed } from "./config-notify-services.ts";
import {
  notifyKinds,
  notifyWeights,
  weightOf,
  type Channel,
  type ChannelRules,
  type NotifyKind,
  type WallTime,
} from "./ports-notify.ts";

/** More places than this nobody reads. */
const mostChannels = 20;
const longestUrl = 2_000;

/** One or several URLs with white space between. What is wrong is told without any part of a URL but its scheme. */
export const notifySchema = () =>
  z.string().transform((text, context): readonly Channel[] => {
    const urls = text.split(/\s+/u).filter((url) => url !== "");
    if (urls.length === 0 || urls.length > mostChannels) {
      context.addIssue(`1 to ${mostChannels} URLs are expected, with white space between`);
      return z.NEVER;
    }
    const channels: Channel[] = [];
    for (const [index, url] of urls.entries()) {
      const read = readChannel(url);
      if ("wrong" in read) {
        context.addIssue(
          `URL ${index + 1} of ${urls.length} (${schemeOf(url) ?? "no scheme"}): ${read.wrong}`,
        );
        return z.NEVER;
      }
      if (channels.some(({ id }) => id === read.id)) {
        context.addIssue(`URL ${index + 1} of ${urls.length} (${schemeOf(url)}): it stands there twice`);
        return z.NEVER;
      }
      channels.push(read);
    }
    return channels;
  });

/** What is before `:`, where that can only be a scheme; a password pasted alone must not be taken for one. */
const schemeOf = (url: string): string | undefined =>
  /^([a-z][a-z0-9+]{1,20}):\/\//u.exec(url)?.[1] ?? (url.startsWith("mailto:") ? "mailto" : undefined);

/** Reads one URL; never throws. */
export function readChannel(url: string): Channel | { readonly wrong: string } {
  const scheme = schemeOf(url);
  if (url.length > longestUrl) return { wrong: `it is longer than ${longestUrl} characters` };
  const known = Object.keys(notifyServices);
  if (scheme === undefined || !(scheme in notifyServices)) {
    const meant = scheme === undefined ? undefined : nearest(scheme, known);
    const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
    return { wrong: `it must begin with one of ${known.map((one) => `${one}:`).join(" ")}${hint}` };
  }
  if (url.includes("#")) return { wrong: "a # must be written as %23" };
  const [, address = "", query = ""] = /^[^:]+:(?:\/\/)?([^?]*)(?:\?(.*))?$/su.exec(url) ?? [];
  const parameters = new URLSearchParams(query);
  const rules = readRules(parameters);
  if ("wrong" in rules) return rules;
  const name = parameters.get("name");
  parameters.delete("name");
  if (name !== null && !/^[\w .-]{1,40}$/u.test(name))
    return { wrong: "name= takes up to 40 letters, digits, blanks, dots and dashes" };
  const read = placeOf(scheme, address, parameters, url);
  if ("wrong" in read) return read;
  const [left] = parameters.keys();
  if (left !== undefined && read.target.service !== "webhook") return { wrong: strange(left, read.options) };
  const near = [...parameters.keys()].find((key) => isTypo(key));
  if (near !== undefined) return { wrong: strange(near, read.options) };
  return channelOf({ name: name ?? undefined, read, rules, scheme });
}

function placeOf(
  scheme: string,
  address: string,
  query: URLSearchParams,
  url: string,
): Placed | { readonly wrong: string } {
  try {
    return notifyServices[scheme]?.(address, query, url) ?? { wrong: "it has no service" };
  } catch (error) {
    if (error instanceof URIError) return { wrong: "a % must be written as %25" };
    throw error;
  }
}

function channelOf(parts: {
  readonly name: string | undefined;
  readonly read: Placed;
  readonly rules: ChannelRules;
  readonly scheme: string;
}): Channel {
  const { target, host, secrets } = parts.read;
  const digest = createHash("sha256")
    .update(JSON.stringify([target, parts.name]))
    .digest("hex")
    .slice(0, 8);
  const id = `${target.service}-${digest}`;
  const place = host === undefined ? target.service : `${target.service} at ${host}`;
  return {
    id,
    label: parts.name === undefined ? `${place} (${digest})` : `${parts.name} (${place})`,
    target,
    rules: parts.rules,
    secrets,
  };
}

const ruleNames = ["events", "repo", "quiet", "tz", "urgent", "min", "digest", "name"] as const;
const strange = (key: string, own: readonly string[]): string => {
  const known = [...ruleNames, ...own];
  // A name that is long, or no word, may be a secret in a wrong place.
  const shown = /^[a-z_]{1,20}$/u.test(key)
    ? `there is no option ${key}`
    : "it has an option that is not known";
  const meant = nearest(key, known);
  return `${shown}; ${meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`}`;
};
/** What else stands in the query of a webhook is its own, unless it is one letter away from ours. */
const isTypo = (key: string): boolean =>
  key.length >= 5 && ruleNames.some((name) => name !== key && distance(key, name) === 1);

/** `22:00` */
export function readWallTime(text: string): WallTime | undefined {
  const [, hour, minute] = /^([01]?\d|2[0-3]):([0-5]\d)$/u.exec(text) ?? [];
  return hour === undefined ? undefined : { hour: Number(hour), minute: Number(minute) };
}

/** Takes what is ours out of the query. */
function readRules(query: URLSearchParams): ChannelRules | { readonly wrong: string } {
  const take = (name: (typeof ruleNames)[number]): string | undefined => {
    const value = query.get(name)?.trim();
    query.delete(name);
    return value;
  };
  const events = kindsIn(take("events"));
  const urgent = kindsIn(take("urgent"));
  if (events === "wrong") return { wrong: `events= takes ${notifyKinds.join(", ")}, with commas between` };
  if (urgent === "wrong") return { wrong: `urgent= takes ${notifyKinds.join(", ")}, with commas between` };
  const least = take("min") ?? "info";
  const from = notifyWeights.findIndex((weight) => weight === least);
  if (from < 0) return { wrong: `min= takes one of ${notifyWeights.join(", ")}` };
  const timeZone = take("tz") ?? "UTC";
  if (!isTimeZone(timeZone)) return { wrong: "tz= takes the name of a time zone, such as Europe/Berlin" };
  const quiet = quietIn(take("quiet"));
  if (quiet === "wrong")
    return { wrong: "quiet= takes two different times of day, such as quiet=22:00-07:00" };
  const digestAt = readWallTime(take("digest") ?? "08:00");
  if (digestAt === undefined) return { wrong: "digest= takes a time of day, such as digest=08:30" };
  const repos = (take("repo") ?? "").split(",").filter((pattern) => pattern !== "");
  if (!repos.every((pattern) => /^[\w.*?-]{1,100}\/[\w.*?-]{1,100}$/u.test(pattern)))
    return { wrong: "repo= takes repositories such as acme/web or acme/*, with commas between" };
  // What concerns the whole host is for who hears of all of it, or asks.
  const usual = repos.length === 0 ? notifyKinds : (["waiting", "blocked", "merged", "digest"] as const);
  const kinds = (events ?? usual).filter((kind) => notifyWeights.indexOf(weightOf[kind]) >= from);
  if (kinds.length === 0) return { wrong: "events= and min= together leave nothing to tell" };
  return { kinds: new Set(kinds), repos, quiet, timeZone, urgent: new Set(urgent ?? []), digestAt };
}

function kindsIn(text: string | undefined): readonly NotifyKind[] | "wrong" | undefined {
  if (text === undefined) return undefined;
  const parsed = z
    .array(z.enum(notifyKinds))
    .min(1)
    .safeParse(text.split(",").map((kind) => kind.trim()));
  return parsed.success ? parsed.data : "wrong";
}

function quietIn(text: string | undefined): ChannelRules["quiet"] | "wrong" {
  if (text === undefined) return undefined;
  const [from, to, more] = text.split("-").map((time) => readWallTime(time.trim()));
  if (from === undefined || to === undefined || more !== undefined) return "wrong";
  return from.hour === to.hour && from.minute === to.minute ? "wrong" : { from, to };
}

function isTimeZone(name: string): boolean {
  try {
    // Offsets such as +02:00 know no summer time; nobody means that.
    Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/u.test(name);
  } catch {
    return false;
  }
}
