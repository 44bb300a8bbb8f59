/** What came in, as a list and one by one, and having it again. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Trouble } from "../../src/ports.ts";
import type { ForgeDesk } from "../../src/ports-host.ts";
import { host, noon, openStage, person, type Stage } from "./host-stage.ts";

const guid = "0b9a1d3c-1111-4222-8333-444455556666";
let stage: Stage;
let asked: { readonly guid: string; readonly since: number }[];
let answers: () => "asked" | "forgotten";
beforeEach(async () => {
  asked = [];
  answers = () => "asked";
  const desk: ForgeDesk = {
    redeliver: async (one, since) => {
      asked.push({ guid: one, since });
      return answers();
    },
    missingLabels: async () => [],
    merging: async () => undefined,
  };
  stage = await openStage({ host: { ...host, desk } });
});
afterEach(() => stage.close());

const payload = {
  action: "opened",
  repository: { id: 77, full_name: "acme/web" },
  issue: { number: 1, title: "</pre><script>alert(1)</script>\u001B[2J", token: `ghp_${"a1B2".repeat(10)}` },
};
async function receive(id: string, body: unknown = payload): Promise<number> {
  await stage.store.receive({
    id,
    source: "github",
    name: "issues",
    action: "opened",
    body: JSON.stringify(body),
    receivedAt: noon - 5_000,
  });
  return await stage.store.newestItem();
}

describe("the list", () => {
  test("tells of each delivery what it is about, what became of it and how long that took", async () => {
    const seq = await receive(guid);
    await stage.store.markItem(seq, "ignored", "no row: nothing changed", noon - 4_600);
    const text = await stage.text("/webhooks");
    expect(text).toContain("github: issues.opened");
    expect(text).toContain("acme/web#1");
    expect(text).toContain("no row: nothing changed");
    expect(text).toContain("400 ms");
    expect(text).toContain(`/webhooks/${guid}`);
  });

  test("is filtered by source, event, state and ticket, and says how many it looked at", async () => {
    await receive(guid);
    type List = { rows: { id: string }[]; lookedAt: number };
    for (const query of ["source=github", "event=issues", "state=new&source=github"])
      expect(((await stage.json(`/webhooks?${query}`)) as List).rows.map(({ id }) => id)).toEqual([guid]);
    const none = (await stage.json("/webhooks?source=linear")) as List;
    expect([none.rows.length, none.lookedAt]).toEqual([0, await stage.store.newestItem()]);
    expect(((await stage.json("/webhooks?ticket=nobody")) as List).rows).toEqual([]);
  });

  test("goes on page by page by number, without a row twice", async () => {
    for (let index = 0; index < 120; index += 1) await receive(`d${index}`);
    const seen: string[] = [];
    let before: number | undefined;
    for (let pages = 0; pages < 10; pages += 1) {
      const page = (await stage.json(
        `/webhooks?source=github${before === undefined ? "" : `&before=${before}`}`,
      )) as { rows: { id: string }[]; next?: number };
      seen.push(...page.rows.map(({ id }) => id));
      before = page.next;
      if (before === undefined) break;
    }
    expect(seen).toHaveLength(120);
    expect(new Set(seen).size).toBe(120);
  });

  test("is for operators alone", async () => {
    const ask = { source: undefined, name: undefined, state: undefined, ticket: undefined };
    const { webhooks } = stage.dashboard;
    expect(await webhooks.list(person("administer"), { ...ask, before: undefined })).toBeUndefined();
    expect(await webhooks.item(person("administer"), guid)).toBeUndefined();
    expect(await stage.commands.webhooks.reread(person("administer"), guid)).toBe("forbidden");
    expect(await stage.commands.webhooks.redeliver(person("administer"), guid)).toEqual({
      is: "forbidden",
    });
    expect(asked).toEqual([]);
  });
});

describe("one of them", () => {
  test("shows its payload escaped, without escape sequences and without a secret", async () => {
    await receive(guid);
    const text = await stage.text(`/webhooks/${guid}`);
    expect(text).toContain("&lt;/pre&gt;&lt;script&gt;");
    expect(text).not.toContain("<script>alert");
    expect(text).not.toContain("ghp_");
    expect(text).not.toContain("\u001B");
    expect(text).toContain("removed]");
  });

  test("is cut where it is long, and says so", async () => {
    await receive(guid, { text: "x".repeat(500_000) });
    const text = await stage.text(`/webhooks/${guid}`);
    expect(text.length).toBeLessThan(300_000);
    expect(text).toContain("only its beginning is shown");
  });

  test("that is not there is not found", async () => {
    expect((await stage.get("/webhooks/nothing")).status).toBe(404);
  });
});

describe("having it again", () => {
  test("what was set aside is read again under its own id, behind everything that came since", async () => {
    const seq = await receive(guid);
    await stage.store.parkItem(seq, "repo:77", "GitHub answered 422", noon);
    const last = await receive("later");
    expect(await stage.text("/webhooks?state=parked")).toContain(guid);
    expect((await stage.post(`/webhooks/${guid}/reread`)).status).toBe(303);
    const [again] = await stage.store.unread(last, 10);
    expect(again).toMatchObject({ id: guid, attempts: 0, dueAt: 0 });
    expect(stage.poked).toContain("intake");
    expect(await stage.store.deeds(100, 10)).toMatchObject([{ what: "item read again", about: guid }]);
    expect((await stage.post(`/webhooks/${guid}/reread`)).status).toBe(409);
  });

  test("GitHub is asked to deliver again, from when it came on, and who asked is written down", async () => {
    await receive(guid);
    const answer = await stage.post("/webhooks/redeliver", { guid });
    expect([answer.status, asked]).toEqual([200, [{ guid, since: noon - 5_000 }]]);
    expect(await answer.text()).toContain("GitHub was asked");
    expect(await stage.store.deeds(100, 10)).toMatchObject([
      { what: "delivery asked for again", about: guid, note: "asked", actor: "operator:ada" },
    ]);
  });

  test("what GitHub forgot or refuses is said as such", async () => {
    answers = () => "forgotten";
    expect((await stage.post("/webhooks/redeliver", { guid })).status).toBe(409);
    answers = () => {
      throw new Trouble("github-forbidden", "the key is of another App", { permanent: true });
    };
    const refused = await stage.post("/webhooks/redeliver", { guid });
    expect([refused.status, (await refused.text()).includes("the key is of another App")]).toEqual([
      409,
      true,
    ]);
  });

  test.each(["", "42", "../hook", `${guid}x`])(
    "%j names no delivery, and GitHub is not asked",
    async (bad) => {
      expect((await stage.post("/webhooks/redeliver", { guid: bad })).status).toBe(409);
      expect(asked).toEqual([]);
    },
  );
});
