/** The dashboard reached by its public address, people of a simulated forge, and what they may there. */
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { githubLogin } from "../../src/adapters/github/login.ts";
import { Trouble, type Permission } from "../../src/ports.ts";
import { openRights } from "../../src/shell/rights.ts";
import { startHub, type RunningHub } from "../../src/simulator/hub/hub.ts";
import type { Web, WebOptions } from "../../src/web/app.ts";
import { asking, csrfIn, noon, openStage, vault, web, type Stage } from "./stage.ts";

export const publicUrl = "https://forgehand.example";
const outside = { host: "forgehand.example" };

export interface In {
  readonly cookie: string;
  readonly csrf: string;
}
/** Ada may push to `acme/web`, Eve may read `acme/vault`, Bob is an operator; anew before each test. */
export function forgeStage() {
  const at = {
    /** By repository, what each login may there. */
    permissions: new Map<number, Map<string, Permission>>(),
    /** Each question for a permission. */
    asked: [] as string[],
    isUp: true,
  };
  let stage: Stage;
  let hub: RunningHub;
  let app: Web;
  beforeAll(async () => {
    [stage, hub] = await Promise.all([openStage(), startHub()]);
    hub.registration.logins.callbackUrls = [`${publicUrl}/login/github/callback`];
    for (const [login, id] of [
      ["ada", 501],
      ["bob", 502],
      ["eve", 503],
    ] as const)
      hub.state.people.set(login, { login, id, type: "User" });
  });
  afterAll(async () => {
    stage.close();
    await hub.close();
  });
  const reopen = (options: Partial<WebOptions>): Web => (app = stage.open(options));
  beforeEach(async () => {
    await stage.store.endWebSessions();
    stage.clock.now = noon;
    at.asked = [];
    at.isUp = true;
    at.permissions = new Map([
      [web, new Map<string, Permission>([["ada", "write"]])],
      [vault, new Map<string, Permission>([["eve", "read"]])],
    ]);
    const { client } = hub.registration.logins;
    reopen({
      publicUrl,
      hosts: ["127.0.0.1", "localhost", "forgehand.example"],
      login: githubLogin({ client, apiUrl: hub.url, fetch: globalThis.fetch }),
      people: openRights({
        forge: {
          permission: async ({ id }, login) => {
            at.asked.push(`${login} ${id}`);
            if (!at.isUp) throw new Trouble("github-unavailable", "no answer");
            return at.permissions.get(id)?.get(login) ?? (id === web ? "read" : "none");
          },
          loginOf: async (_repo, account) => {
            if (!at.isUp) throw new Trouble("github-unavailable", "no answer");
            return [...hub.state.people].find(([, person]) => person.id === account)?.[0];
          },
        },
        repos: stage.store.knownRepos,
        operators: ["Bob"],
        now: () => stage.clock.now,
      }),
    });
  });
  const ask = asking(() => app);
  /** As a browser that came by the public address. */
  const visit: typeof ask = (path, init) => ask(path, { ...init, headers: { ...outside, ...init?.headers } });
  /** To the forge, where somebody consents, and back to our door with what it says. */
  const begin = async (
    login: string,
    next = "/board",
  ): Promise<{ readonly back: string; readonly cookie: string }> => {
    hub.registration.logins.consent = { by: login };
    const away = await visit(`/login/github?next=${encodeURIComponent(next)}`);
    const consent = await fetch(away.headers.get("location") ?? "", { redirect: "manual" });
    const back = new URL(consent.headers.get("location") ?? "");
    expect(back.origin).toBe(publicUrl);
    return { back: `${back.pathname}${back.search}`, cookie: pairOf(cookiesOf(away)[0]) };
  };
  return {
    at,
    stage: () => stage,
    hub: () => hub,
    app: () => app,
    reopen,
    ask,
    visit,
    begin,
    logIn: async (login: string): Promise<In> => {
      const { back, cookie: onItsWay } = await begin(login);
      const answer = await visit(back, { headers: { cookie: onItsWay } });
      expect(answer.status).toBe(200);
      const cookie = pairOf(cookiesOf(answer).find((one) => one.startsWith("__Host-forgehand=")));
      return { cookie, csrf: await csrfIn(visit, cookie) };
    },
    order: (path: string, { cookie, csrf }: In, form: Readonly<Record<string, string>> = {}) =>
      visit(path, {
        method: "POST",
        body: new URLSearchParams({ csrf, ...form }),
        headers: { cookie, origin: publicUrl },
      }),
  };
}

export const cookiesOf = (answer: Response): readonly string[] => answer.headers.getSetCookie();
export const pairOf = (cookie: string | undefined): string => cookie?.split(";")[0] ?? "";
