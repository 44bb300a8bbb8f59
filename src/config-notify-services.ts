/** How each service is written as a URL of FORGEHAND_NOTIFY. */
import type { ChannelTarget } from "./ports-notify.ts";

/** A place, read. */
export interface Placed {
  readonly target: ChannelTarget;
  /** Where it is not the service's own; shown to people. */
  readonly host: string | undefined;
  readonly secrets: readonly string[];
  /** Options of its own. */
  readonly options: readonly string[];
}
type Wrong = { readonly wrong: string };
/** Reads the part between scheme and query; what it knows of the query it takes out. */
type Service = (address: string, query: URLSearchParams, url: string) => Placed | Wrong;

const mostReceivers = 20;

/** By scheme. */
export const notifyServices: Readonly<Record<string, Service>> = {
  slack: (address, query) => slack(address, query),
  discord: (address, query) => discord(address, query),
  tgram: (address, query) => telegram(address, query),
  telegram: (address, query) => telegram(address, query),
  ntfy: (address) => ntfy(address, "http"),
  ntfys: (address) => ntfy(address, "https"),
  gotify: (address) => gotify(address, "http"),
  gotifys: (address) => gotify(address, "https"),
  json: (address, query) => webhook(`http://${address}`, query),
  jsons: (address, query) => webhook(`https://${address}`, query),
  "webhook+http": (address, query) => webhook(`http://${address}`, query),
  "webhook+https": (address, query) => webhook(`https://${address}`, query),
  smtp: (address, query) => mail(address, query, "smtp"),
  smtps: (address, query) => mail(address, query, "smtps"),
  mailto: (address, query, url) =>
    url.startsWith("mailto://") ? mail(address, query, "smtp") : mailto(address, query),
  mailtos: (address, query) => mail(address, query, "smtps"),
  https: (address) => pasted(address),
};

const take = (query: URLSearchParams, name: string): string | undefined => {
  const value = query.get(name);
  query.delete(name);
  return value ?? undefined;
};

/** Short ones are words, and would be cut out of everything. */
const longEnough = (values: readonly (string | undefined)[]): readonly string[] =>
  values.filter((value) => value !== undefined && value.length >= 20).map(String);

/** A web address without credentials; undefined for anything else. */
function web(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/u.test(url.protocol) && url.hostname !== "" ? url : undefined;
}
const withoutSlash = (text: string): string => text.replace(/\/+$/u, "");

/** The server that speaks a service's API, where it is another one than the service's own. */
function apiIn(
  query: URLSearchParams,
  usual: string,
): { readonly root: string; readonly host: string | undefined } | Wrong {
  const named = take(query, "api");
  if (named === undefined) return { root: usual, host: undefined };
  const url = web(named);
  if (url === undefined || url.username !== "" || url.search !== "")
    return { wrong: "api= takes the http or https URL of a server that speaks the same API" };
  return { root: withoutSlash(url.href), host: url.host };
}

function slack(address: string, query: URLSearchParams): Placed | Wrong {
  const options = ["api"];
  const parts = address.split("/").filter((part) => part !== "");
  const [first = "", second = "", third = ""] = parts;
  if (/^xoxb-[\w-]{10,200}$/u.test(first)) {
    const api = apiIn(query, "https://slack.com/api");
    if ("wrong" in api) return api;
    if (parts.length !== 2 || !/^[\w.-]{1,80}$/u.test(second))
      return { wrong: "behind the bot's token the channel's id is expected: slack://xoxb-…/C0123456789" };
    return {
      target: { service: "slack-bot", api: api.root, token: first, channel: second },
      host: api.host,
      secrets: [first],
      options,
    };
  }
  if (parts.length !== 3 || !parts.every((part) => /^\w{3,60}$/u.test(part)))
    return {
      wrong:
        "the three parts of an incoming webhook are expected, slack://T…/B…/…, or a bot's token and a channel, slack://xoxb-…/C…",
    };
  const api = apiIn(query, "https://hooks.slack.com");
  if ("wrong" in api) return api;
  return {
    target: { service: "slack", url: `${api.root}/services/${first}/${second}/${third}` },
    host: api.host,
    secrets: [third, `${first}/${second}/${third}`],
    options,
  };
}

function discord(address: string, query: URLSearchParams): Placed | Wrong {
  const [id = "", token = "", more] = address.split("/").filter((part) => part !== "");
  if (!/^\d{5,30}$/u.test(id) || !/^[\w-]{10,200}$/u.test(token) || more !== undefined)
    return { wrong: "a webhook's number and token are expected: discord://123456789/TOKEN" };
  const api = apiIn(query, "https://discord.com/api");
  if ("wrong" in api) return api;
  const thread = take(query, "thread");
  if (thread !== undefined && !/^\d{5,30}$/u.test(thread))
    return { wrong: "thread= takes a thread's number" };
  const behind = thread === undefined ? "" : `&thread_id=${thread}`;
  return {
    // Without `wait` Discord says yes before it has looked.
    target: { service: "discord", url: `${api.root}/webhooks/${id}/${token}?wait=true${behind}` },
    host: api.host,
    secrets: [token],
    options: ["thread", "api"],
  };
}

function telegram(address: string, query: URLSearchParams): Placed | Wrong {
  const [token = "", chat = "", more] = address.split("/").filter((part) => part !== "");
  const [, room, topic] = /^(-?\d{1,20}|@\w{3,60})(?::(\d{1,12}))?$/u.exec(chat) ?? [];
  if (!/^\d{3,20}:[\w-]{10,100}$/u.test(token) || room === undefined || more !== undefined)
    return {
      wrong:
        "a bot's token and a chat are expected: tgram://123456:TOKEN/CHAT, with :TOPIC behind it for a topic",
    };
  const api = apiIn(query, "https://api.telegram.org");
  if ("wrong" in api) return api;
  return {
    target: {
      service: "telegram",
      api: api.root,
      token,
      chat: room,
      topic: topic === undefined ? undefined : Number(topic),
    },
    host: api.host,
    secrets: [token],
    options: ["api"],
  };
}

/** The words before `@` of an address, decoded. */
function loginIn(url: URL): { readonly user: string; readonly password: string } | undefined {
  if (url.username === "" && url.password === "") return undefined;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}
const basic = ({ user, password }: { readonly user: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${user}:${password}`, "utf8").toString("base64")}`;

function ntfy(address: string, protocol: "http" | "https"): Placed | Wrong {
  const expected = {
    wrong: "a server and a topic are expected: ntfys://ntfy.example.com/TOPIC, or ntfy://TOPIC for ntfy.sh",
  };
  const isTopic = (text: string): boolean => /^[\w-]{1,64}$/u.test(text);
  if (isTopic(address))
    return {
      target: { service: "ntfy", root: "https://ntfy.sh", topic: address, authorization: undefined },
      host: "ntfy.sh",
      // Whoever knows a topic there reads it; one that is a plain word is none to hide everywhere.
      secrets: longEnough([address]),
      options: [],
    };
  const url = web(`${protocol}://${address}`);
  const topic = url?.pathname.split("/").at(-1) ?? "";
  if (url === undefined || !isTopic(topic)) return expected;
  const login = loginIn(url);
  const token = login?.password === "" ? login.user : undefined;
  const authorization = login && (token === undefined ? basic(login) : `Bearer ${token}`);
  return {
    target: {
      service: "ntfy",
      root: withoutSlash(`${url.origin}${url.pathname.slice(0, -topic.length)}`),
      topic,
      authorization,
    },
    host: url.host,
    secrets: [...(login === undefined ? [] : [token ?? login.password]), ...longEnough([authorization])],
    options: [],
  };
}

function gotify(address: string, protocol: "http" | "https"): Placed | Wrong {
  const url = web(`${protocol}://${withoutSlash(address)}`);
  const token = url?.pathname.split("/").at(-1) ?? "";
  if (url === undefined || url.username !== "" || !/^[\w.-]{8,100}$/u.test(token))
    return { wrong: "a server and an application's token are expected: gotifys://gotify.example.com/TOKEN" };
  return {
    target: {
      service: "gotify",
      root: withoutSlash(`${url.origin}${url.pathname.slice(0, -token.length)}`),
      token,
    },
    host: url.host,
    secrets: [token],
    options: [],
  };
}

const leastSecret = 16;

function webhook(address: string, query: URLSearchParams): Placed | Wrong {
  const url = web(address);
  if (url === undefined)
    return { wrong: "the address of a server is expected: jsons://hooks.example.com/path" };
  const secret = take(query, "secret");
  if (secret !== undefined && secret.length < leastSecret)
    return { wrong: `secret= takes at least ${leastSecret} characters` };
  const login = loginIn(url);
  url.username = "";
  url.password = "";
  url.search = query.toString();
  const authorization = login && basic(login);
  return {
    target: { service: "webhook", url: url.href, secret, authorization },
    host: url.host,
    // Such paths hold tokens more often than not.
    secrets: [
      ...[secret, login?.password].filter((one) => one !== undefined),
      ...longEnough([authorization, url.pathname, ...query.values()]),
    ],
    options: ["secret"],
  };
}

const isAddress = (text: string): boolean => /^[^\s@<>(),;:"\\[\]]{1,64}@[A-Za-z0-9.-]{1,200}$/u.test(text);
const isHere = (host: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/u.test(host);

function mail(address: string, query: URLSearchParams, scheme: "smtp" | "smtps"): Placed | Wrong {
  const url = web(`http://${address}`);
  if (url === undefined || !/^\/?$/u.test(url.pathname))
    return { wrong: "a mail server is expected: smtps://USER:PASSWORD@mail.example.com/?from=…&to=…" };
  const from = take(query, "from");
  const to = (take(query, "to") ?? "").split(",").filter((one) => one !== "");
  if (from === undefined || !isAddress(from))
    return { wrong: "from= takes an address: from=forgehand@example.com" };
  if (to.length === 0 || to.length > mostReceivers || !to.every(isAddress))
    return { wrong: `to= takes 1 to ${mostReceivers} addresses, with commas between` };
  const login = loginIn(url);
  // What logs in must not cross a network in the clear.
  const security =
    scheme === "smtps" ? "tls" : login === undefined || isHere(url.hostname) ? "plain" : "starttls";
  // The parser takes port 80 away from what it believes to be the web.
  const port =
    url.port === "" ? (/:80(?:\/|$)/u.test(address) ? 80 : scheme === "smtps" ? 465 : 587) : Number(url.port);
  return {
    target: {
      service: "mail",
      host: url.hostname.replace(/^\[|\]$/gu, ""),
      port,
      security,
      login,
      from,
      to,
    },
    host: url.hostname,
    secrets: login === undefined ? [] : [login.password, encodeURIComponent(login.password)],
    options: ["from", "to"],
  };
}

/** `mailto:ops@example.com?server=smtps://…&from=…` */
function mailto(address: string, query: URLSearchParams): Placed | Wrong {
  const server = take(query, "server");
  const [, scheme, place] = /^(smtps?):\/\/([^/?]+)\/?$/u.exec(server ?? "") ?? [];
  if (scheme === undefined || place === undefined)
    return {
      wrong:
        "who is to send it? server=smtps://USER:PASSWORD@mail.example.com and from=… are expected in its query",
    };
  query.set("to", decodeURIComponent(address));
  return mail(place, query, scheme === "smtps" ? "smtps" : "smtp");
}

/** The URL of an incoming webhook as its service shows it. */
function pasted(address: string): Placed | Wrong {
  const none = new URLSearchParams();
  const [, ofSlack] = /^hooks\.slack\.com\/services\/(.+)$/u.exec(address) ?? [];
  if (ofSlack !== undefined) return slack(ofSlack, none);
  const [, ofDiscord] = /^(?:discord|discordapp)\.com\/api\/webhooks\/(.+)$/u.exec(address) ?? [];
  if (ofDiscord !== undefined) return discord(ofDiscord, none);
  return {
    wrong: "only webhooks of Slack and Discord are known by their own URL; for any other write jsons://",
  };
}
