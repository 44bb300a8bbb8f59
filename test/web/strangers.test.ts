/** What somebody learns of a repository they may not see: nothing, at no address. */
import { describe, expect, test } from "vitest";
import { run } from "../../src/sql.ts";
import { hashed } from "../../src/web/door.ts";
import { forgeStage, publicUrl } from "./forge-stage.ts";
import { noon, secretModel, secretRun, secretTicket, secretTitle, vault, web } from "./stage.ts";

const { stage, app, visit, logIn } = forgeStage();

/** Every address of the dashboard with a repository's things guessed into it; a new room is covered by being mounted. */
describe("a stranger to a repository learns nothing of it", () => {
  const guesses = [
    secretTicket,
    `${secretTicket}/1`,
    "acme/vault#1",
    "acme/vault",
    "vault",
    String(vault),
    "1",
    "13",
    "a1",
    secretRun,
  ];
  const words = [secretTitle, secretModel, "acme/vault", `github:${vault}`, "1-rotate", "13.37", "payroll"];
  const open = /^\/(?:enter|login|assets|leave)(?:\/|$)/u;
  const routes = (): readonly { readonly method: string; readonly path: string }[] => {
    const all = app().app.routes.filter(({ method, path }) => method !== "ALL" && !open.test(path));
    return [...new Map(all.map(({ method, path }) => [`${method} ${path}`, { method, path }])).values()];
  };
  const filledIn = (path: string): readonly string[] =>
    path.includes(":")
      ? guesses.map((guess) =>
          path
            .replace(/:order(?:\{[^}]*\})?/u, "stop")
            .replaceAll(/:\w+(?:\{[^}]*\})?\??/gu, encodeURIComponent(guess)),
        )
      : [path];
  const left = async (): Promise<unknown> => ({
    halts: await stage().store.haltersOf(secretTicket),
    all: await stage().store.setting("halt-all"),
    lines: (await stage().store.linesOf(secretTicket)).length,
    inbox: await stage().store.inboxCounts(),
  });
  const textOf = async (answer: Response): Promise<string> => {
    if (answer.headers.get("content-type")?.includes("event-stream") !== true) return await answer.text();
    await answer.body?.cancel();
    return "";
  };

  test("there are routes to try", () => {
    expect(routes().length).toBeGreaterThan(8);
    expect(routes().map(({ path }) => path)).toEqual(expect.arrayContaining(["/tickets/:id", "/sessions"]));
  });

  test.each(["text/html", "application/json"])("nobody, asking for %s", async (accept) => {
    for (const { method, path } of routes())
      for (const at of filledIn(path)) {
        const answer = await visit(at, { method, headers: { accept, origin: publicUrl } });
        expect([method, at, answer.status]).toEqual([method, at, 401]);
        const text = await textOf(answer);
        // The way back names what was asked for, and no more.
        for (const word of [secretTitle, secretModel, "1-rotate", "acme/web#"])
          expect(text).not.toContain(word);
      }
  });

  test.each([
    ["a person who may push elsewhere", "text/html"],
    ["a person who may push elsewhere", "application/json"],
    ["a program with a token for elsewhere", "text/html"],
    ["a program with a token for elsewhere", "application/json"],
  ])("%s, asking for %s", async (who, accept) => {
    let headers: Record<string, string>;
    let csrf = "";
    if (who.startsWith("a program")) {
      const name = crypto.randomUUID();
      const token = {
        name,
        scope: "admin",
        repos: [web],
        madeBy: "x",
        madeAt: 0,
        expiresAt: undefined,
      } as const;
      await stage().store.keepApiToken(hashed(`fh_${name}`), token);
      headers = { authorization: `Bearer fh_${name}` };
    } else {
      const ada = await logIn("ada");
      headers = { cookie: ada.cookie };
      ({ csrf } = ada);
    }
    const before = await left();
    for (const { method, path } of routes().filter((one) => !one.path.startsWith("/sessions/")))
      for (const at of filledIn(path)) {
        stage().clock.now += 2_000;
        const answer = await visit(at, {
          method,
          headers: { ...headers, accept, origin: publicUrl },
          ...(method === "GET" ? {} : { body: new URLSearchParams({ csrf, seen: "2" }) }),
        });
        expect([method, at, answer.status < 500]).toEqual([method, at, true]);
        const text = await textOf(answer);
        for (const word of words) expect(`${method} ${at}: ${text}`.slice(at.length + 8)).not.toContain(word);
      }
    expect(await left()).toEqual(before);
  });

  test("lists that look through more than they show name no place of what is not shown", async () => {
    await stage().sql.commit(function* () {
      const many = "with recursive many (n) as (select 2 union all select n + 1 from many where n < 10100)";
      yield* run(
        `insert into ticket (id, repo, number, ref, version, state, body, since, updated_at, active)
           ${many} select 'github:${vault}#' || n, ${vault}, n, 'acme/vault#' || n, 1, 'Done', body, ${noon} + n, ${noon} + n, null
           from many join ticket on ticket.id = '${secretTicket}'`,
      );
      yield* run(
        `insert into run (id, workflow, input, status, created_at)
           ${many} select 'github:${vault}#' || n || '/1', 'build', '{}', 'finished', ${noon} + n from many`,
      );
    });
    const { cookie } = await logIn("ada");
    for (const path of ["/history", "/runs", "/api/v1/history", "/api/v1/runs"]) {
      const seen: string[] = [];
      let after: string | undefined;
      let pages = 0;
      do {
        const query = after === undefined ? "" : `?after=${encodeURIComponent(after)}`;
        const headers = { cookie, accept: "application/json" };
        const text = await (await visit(`${path}${query}`, { headers })).text();
        expect(text).not.toContain(`github:${vault}`);
        const {
          runs,
          rows = runs ?? [],
          next,
        } = JSON.parse(text) as {
          readonly runs?: readonly { readonly id: string }[];
          readonly rows?: readonly { readonly id: string }[];
          readonly next?: string | { readonly createdAt: number; readonly id: string };
        };
        seen.push(...rows.map(({ id }) => id));
        after = typeof next === "object" ? `${next.createdAt}~${next.id}` : next;
        pages += 1;
      } while (after !== undefined && pages < 10);
      expect(pages).toBeGreaterThan(1);
      expect(seen.length).toBeGreaterThan(0);
      expect(new Set(seen).size).toBe(seen.length);
      expect(after).toBeUndefined();
    }
  });

  test("a place to begin after is one that they see", async () => {
    const { cookie } = await logIn("ada");
    const at = (id: string) =>
      visit(`/api/v1/tickets?after=${encodeURIComponent(id)}`, { headers: { cookie } });
    expect((await at(secretTicket)).status).toBe(404);
    expect(await (await at(secretTicket)).text()).toBe(await (await at(`github:${vault}#999999`)).text());
  });

  test("whoever may see it does: the words are there to be found", async () => {
    const eve = await logIn("eve");
    const text = await (
      await visit(`/tickets/${encodeURIComponent(secretTicket)}`, { headers: { cookie: eve.cookie } })
    ).text();
    for (const word of words.filter((one) => one !== `github:${vault}` && one !== "payroll"))
      expect(text).toContain(word);
    // Whoever may only look is offered nothing to press.
    expect(text).not.toContain("<button\n");
    expect(await (await visit("/board", { headers: { cookie: eve.cookie } })).text()).not.toContain(
      "acme/web#",
    );
  });
});
