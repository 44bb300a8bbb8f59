/** `forgehand resume-automerge`: what a merge that broke the base suspended is lifted by a person, and told. */
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fillDatabase, issueIn, type Filled } from "./filled.ts";
import { run } from "./run.ts";

let filled: Filled;
const at = Date.UTC(2026, 0, 6);
const acme = 77;
const suspensionsOf = (repo: number) => filled.look((store) => store.suspensionsOf(repo));
const forgehand = (...argv: string[]) => run(argv, { FORGEHAND_DATABASE: filled.database });
beforeEach(async () => {
  filled = await fillDatabase();
  await filled.look(async (store) => {
    const other = { id: 777, owner: "acme", name: "docs", installation: 5, defaultBranch: "main" };
    await store.knowRepo({ ...other, private: false });
    for (const [repo, merge] of [
      [acme, "c"],
      [acme, "d"],
      [777, "e"],
    ] as const)
      await store.suspendAutoMerge(repo, {
        merge: merge.repeat(40),
        ref: "acme/web#10",
        paths: ["src/a.ts", `src/${merge}.ts`],
        at,
      });
  });
});
afterEach(() => filled.close());

test("it names each merge it lifts, leaves other repositories alone, and has nothing to lift twice", async () => {
  const first = await forgehand("resume-automerge", "Acme/Web");
  expect(first).toMatchObject({
    code: 0,
    out: "auto-merge counts again in acme/web for what was suspended:\nacme/web#10\tccccccc\t2 paths\nacme/web#10\tddddddd\t2 paths\n",
  });
  expect(await suspensionsOf(acme)).toEqual([]);
  expect(await suspensionsOf(777)).toHaveLength(1);
  const again = await forgehand("resume-automerge", "acme/web");
  expect(again).toMatchObject({ code: 0, out: "auto-merge is not suspended in acme/web\n" });
});

test("a program is told what was lifted", async () => {
  const { out, code } = await forgehand("resume-automerge", "acme/docs", "--json");
  const lifted = [{ merge: "e".repeat(40), ref: "acme/web#10", paths: ["src/a.ts", "src/e.ts"], at }];
  expect(JSON.parse(out)).toEqual({
    schema: "resume-automerge/1",
    data: { repository: "acme/docs", lifted },
    error: null,
  });
  expect(code).toBe(0);
});

test("a repository that the App does not serve ends with 5, and the nearest is named", async () => {
  const { code, err } = await forgehand("resume-automerge", "acme/wbe");
  expect(err).toContain(
    "the App serves no repository acme/wbe; did you mean `forgehand resume-automerge acme/web`?",
  );
  expect(code).toBe(5);
  expect(await suspensionsOf(acme)).toHaveLength(2);
});

test("until then `explain` of a ticket that is to merge by itself tells of it, and how to lift it", async () => {
  const issue = String(issueIn("In Review"));
  const db = new Database(filled.database);
  db.exec("update ticket set body = json_set(body, '$.autoMerge', json('true'))");
  db.close();
  const told = "`forgehand resume-automerge acme/web` lifts that";
  expect((await forgehand("explain", issue)).out).toContain(told);
  expect((await forgehand("explain", String(issueIn("Done")))).out).not.toContain(told);
  await forgehand("resume-automerge", "acme/web");
  expect((await forgehand("explain", issue)).out).not.toContain(told);
});
