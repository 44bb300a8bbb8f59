/** What somebody learns of a repository they may not see: nothing, at no address. */
import { describe, expect, test } from "vitest";
import { hashed } from "../../src/web/door.ts";
import { forgeStage, publicUrl } from "./forge-stage.ts";
import { secretModel, secretTicket, secretTitle, vault, web } from "./stage.ts";

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
  ];
  const words = [secretTitle, secretModel, "acme/vault", `github:${vault}`, "1-rotate", "13.37"];
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

  test("whoever may see it does: the words are there to be found", async () => {
    const eve = await logIn("eve");
    const text = await (
      await visit(`/tickets/${encodeURIComponent(secretTicket)}`, { headers: { cookie: eve.cookie } })
    ).text();
    for (const word of words.filter((one) => one !== `github:${vault}`)) expect(text).toContain(word);
    // Whoever may only look is offered nothing to press.
    expect(text).not.toContain("<button\n");
    expect(await (await visit("/board", { headers: { cookie: eve.cookie } })).text()).not.toContain(
      "acme/web#",
    );
  });
});
