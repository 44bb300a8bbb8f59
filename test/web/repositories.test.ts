/** Repositories: whether work may begin there, what is wrong, and what may be asked for. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Viewer } from "../../src/ports-dashboard.ts";
import { Trouble } from "../../src/ports.ts";
import type { CiSeen, ForgeDesk } from "../../src/ports-host.ts";
import { noRules, type BranchRules } from "../../src/state-machine/landing.ts";
import { host, noon, openStage, operator, person, stranger, type Stage } from "./host-stage.ts";

const ci: CiSeen = { workflows: new Map(), checks: new Set(), heads: 1 };
let stage: Stage;
let rules: BranchRules | undefined;
let file: string | undefined;
let missing: string[];
let trouble: Error | undefined;
beforeEach(async () => {
  rules = { ...noRules, branch: "main", checks: ["forgehand / gate"], autoMerge: true };
  file = "commands:\n  test: npm test\n";
  missing = ["auto-merge"];
  trouble = undefined;
  const desk: ForgeDesk = {
    redeliver: async () => "forgotten",
    missingLabels: async () => missing,
    merging: async () => rules && { rules, ci },
  };
  const hooks = {
    file: async (_: unknown, path: string) => {
      if (trouble !== undefined) throw trouble;
      return { text: path === ".github/forgehand.yml" ? file : undefined, at: "c".repeat(40) };
    },
    folder: async () => new Map(),
  };
  stage = await openStage({ host: { ...host, desk }, hooks } as never);
});
afterEach(() => stage.close());

describe("a repository", () => {
  test("nobody looked at says so, and has the defaults", async () => {
    const text = await stage.text("/repositories");
    expect(text).toContain("acme/web");
    expect(text).toContain("forgehand bootstrap acme/web");
    expect(text).toContain("not looked at");
    expect(await stage.text("/repositories/77")).toContain("Nobody looked yet");
  });

  test("read again shows its commands, the labels it lacks and that a merge is possible", async () => {
    expect((await stage.post("/repositories/77/resync")).status).toBe(303);
    expect(await stage.json("/repositories/77")).toMatchObject({
      autoMerge: "possible",
      missingLabels: 1,
      commands: [{ name: "test", command: "npm test" }],
      onboarding: { is: "configured" },
      faults: 0,
    });
    const text = await stage.text("/repositories/77");
    expect(text).toContain(".github/forgehand.yml:2");
    expect(text).toContain("<code>auto-merge</code>");
    expect(await stage.store.deeds(100, 10)).toMatchObject([
      { what: "repository read again", about: "acme/web", actor: "operator:ada" },
    ]);
  });

  test("whose branch can never take a merge says why, and what to do", async () => {
    rules = rules && { ...rules, restricted: true };
    await stage.commands.repositories.resync(operator, 77);
    expect(await stage.json("/repositories")).toMatchObject({ rows: [{ autoMerge: "never" }] });
    expect(await stage.text("/repositories/77")).toContain("restricts updates of main");
  });

  test("whose rules may not be read is told as unknown", async () => {
    rules = undefined;
    await stage.commands.repositories.resync(operator, 77);
    expect(await stage.json("/repositories")).toMatchObject({ rows: [{ autoMerge: "unknown" }] });
    expect(await stage.text("/repositories/77")).toContain("may not read the rules");
  });

  test("with a fault tells its line with a link, and what somebody wrote stays text", async () => {
    file = 'commands:\n  test: npm test\n  "<b>x</b>": 1\n';
    await stage.commands.repositories.resync(operator, 77);
    const text = await stage.text("/repositories/77");
    expect(text).toMatch(/https:\/\/github\.example\/acme\/web\/blob\/c{40}\/\.github\/forgehand\.yml#L3/u);
    expect(text).not.toContain("<b>x</b>");
    expect(await stage.json("/repositories")).toMatchObject({ rows: [{ faults: 1 }] });
  });

  test("that was proposed waits for its pull request", async () => {
    await stage.store.set("onboarding:77", "open 12", "github", noon);
    expect(await stage.text("/repositories")).toContain("in #12");
    await stage.store.set("onboarding:77", "over 12", "github", noon);
    expect(await stage.text("/repositories")).toContain("declined");
  });

  test("that the forge refuses to show stays as it was, and the refusal is said", async () => {
    trouble = new Trouble("github-forbidden", "the App is suspended", { permanent: true });
    const answer = await stage.post("/repositories/77/resync");
    expect([answer.status, (await answer.text()).includes("the App is suspended")]).toEqual([409, true]);
    expect(await stage.json("/repositories/77")).toMatchObject({ autoMerge: "unknown" });
  });
});

describe("who may", () => {
  test("see: those with a right there, and nobody else", async () => {
    const { repositories } = stage.dashboard;
    expect((await repositories.list(person("see"), undefined)).rows).toHaveLength(1);
    expect((await repositories.list(stranger, undefined)).rows).toEqual([]);
    expect(await repositories.one(stranger, 77)).toBeUndefined();
    expect((await stage.get("/repositories/1")).status).toBe(404);
    expect((await stage.get("/repositories/x")).status).toBe(404);
  });

  test.each([
    ["see", "forbidden"],
    ["act", "forbidden"],
    ["administer", "done"],
  ] as const)("halt and read again with the right to %s: %s", async (right, is) => {
    const { repositories } = stage.commands;
    expect((await repositories.halt(person(right), 77, "raised")).is).toBe(is);
    expect((await repositories.resync(person(right), 77)).is).toBe(is);
    expect((await repositories.halt(stranger, 77, "raised")).is).toBe("unknown");
  });

  test("lift what an operator halted: only an operator", async () => {
    expect((await stage.post("/repositories/77/halt")).status).toBe(303);
    expect((await stage.post("/repositories/77/halt")).status).toBe(409);
    expect(await stage.text("/repositories")).toContain("halted");
    const { repositories } = stage.commands;
    expect(await repositories.halt(person("administer"), 77, "lifted")).toEqual({ is: "forbidden" });
    expect((await stage.post("/repositories/77/unhalt")).status).toBe(303);
    expect((await stage.post("/repositories/77/unhalt")).status).toBe(409);
  });

  test.each(["bob", "token:ci"])("whatever they are called who came in as one: %s", async (who) => {
    const { repositories } = stage.commands;
    const one = { who, rights: "operator" } as const;
    expect((await repositories.halt(one, 77, "raised")).is).toBe("done");
    expect(await repositories.halt(person("administer"), 77, "lifted")).toEqual({ is: "forbidden" });
    expect((await repositories.halt(one, 77, "lifted")).is).toBe("done");
    // What somebody halted who administers it, any of these lifts.
    expect((await repositories.halt(person("administer"), 77, "raised")).is).toBe("done");
    expect((await repositories.halt(person("administer"), 77, "lifted")).is).toBe("done");
  });

  test("read what another repository says: those who see that one too", async () => {
    const web = await stage.store.repoById(77);
    if (web === undefined) throw new Error("no repository");
    await stage.store.knowRepo({ ...web, id: 88, name: "house", private: true });
    const under = (repo: string, text: string) =>
      ({
        repo,
        path: ".forgehand/team.yml",
        text,
        at: "d".repeat(40),
        how: "extends",
        isHidden: false,
      }) as const;
    await stage.store.keepConfig(
      77,
      {
        config: "extends: acme/house/.forgehand/team.yml\ncommands:\n  lint: npm run lint\n",
        sources: {
          path: ".github/forgehand.yml",
          workflow: undefined,
          under: [
            under("acme/house", "commands:\n  test: ./house-test\npaths:\n  protected: [house/**]\n"),
            under("acme/deeper", "commands:\n  build: ./deeper-build\n"),
          ],
          asked: [],
          faults: [],
        },
        houseRules: undefined,
        personas: {},
        at: "c".repeat(40),
        wrong: undefined,
      },
      noon,
    );
    const { repositories } = stage.dashboard;
    const both: Viewer = {
      who: "bob",
      rights: new Map([
        [77, "see"],
        [88, "see"],
      ]),
    };
    const toldTo = async (viewer: Viewer): Promise<string> =>
      JSON.stringify(await repositories.one(viewer, 77));
    for (const word of [
      "npm run lint",
      "./house-test",
      "./deeper-build",
      "acme/deeper:.forgehand/team.yml:2",
    ])
      expect(await toldTo(operator)).toContain(word);
    expect(await toldTo(both)).toContain("./house-test");
    expect(await toldTo(both)).not.toContain("deeper");
    for (const word of ["house-test", "house/**", "deeper", "acme/house:"])
      expect(await toldTo(person("administer"))).not.toContain(word);
    expect(await toldTo(person("administer"))).toContain("npm run lint");
    await stage.store.knowRepo({ ...web, id: 88, name: "house", private: false });
    expect(await toldTo(person("see"))).toContain("./house-test");
  });
});

test("many repositories come page by page, each once", async () => {
  const web = await stage.store.repoById(77);
  if (web === undefined) throw new Error("no repository");
  for (let id = 100; id < 220; id += 1) await stage.store.knowRepo({ ...web, id, name: `r${id}` });
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await stage.dashboard.repositories.list(operator, after);
    seen.push(...page.rows.map(({ name }) => name));
    after = page.next;
  } while (after !== undefined && seen.length < 500);
  expect([seen.length, new Set(seen).size]).toEqual([121, 121]);
});
