/** What no model judges: each kind of sign voids `auto-merge`, is told with its place, and is released by a person alone. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { explain } from "../../src/cli/explain.ts";
import { openWorld, usage, type World } from "../world.ts";

let world: World;
afterEach(() => world.close());

interface Kind {
  readonly files?: Readonly<Record<string, string>>;
  readonly config?: string;
  /** What the builder writes. */
  readonly writes: Readonly<Record<string, string>>;
  /** What people read, in the check, the workpad and `explain`. */
  readonly reason: RegExp;
}

const quick = "merge: { settle_seconds: 0 }\nlimits: { feedback_seconds: 0 }\n";
const suite = 'test("done is said", () => {\n  expect(say()).toBe("done");\n});\n';
const snapshots = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => [
    `src/__snapshots__/a${index}.test.ts.snap`,
    "exports[`a 1`] = `1`;\n",
  ]),
);
const rewritten = Object.fromEntries(Object.keys(snapshots).map((path) => [path, "exports[`a 1`] = `2`;\n"]));
// Put together here, so that no scanner takes this file for a leak; only the library knows this shape.
const connection = `postgres://ada:${"s3cretpassw0rd"}@db.acme.io/shop`;

const kinds: Readonly<Record<string, Kind>> = {
  "a skipped test": {
    files: { "src/say.test.ts": suite },
    writes: { "src/say.test.ts": suite.replace("test(", "test.skip(") },
    reason: /`src\/say\.test\.ts:1`: tests are skipped/u,
  },
  "a weakened assertion": {
    files: { "src/say.test.ts": suite },
    writes: { "src/say.test.ts": suite.replace('toBe("done")', "toBeDefined()") },
    reason: /`src\/say\.test\.ts:2`: assertions say less than before/u,
  },
  "a lowered threshold": {
    files: { "vitest.config.ts": "export default {\n  thresholds: {\n    lines: 90,\n  },\n};\n" },
    writes: { "vitest.config.ts": "export default {\n  thresholds: {\n    lines: 40,\n  },\n};\n" },
    reason: /`vitest\.config\.ts:3`: the threshold `lines` was lowered/u,
  },
  "snapshots rewritten at once": {
    files: snapshots,
    writes: rewritten,
    reason: /`src\/__snapshots__\/a0\.test\.ts\.snap`: this and 5 more files of recorded output/u,
  },
  "a configuration of CI": {
    files: { ".gitlab-ci.yml": "test:\n  script: npm test\n" },
    writes: { ".gitlab-ci.yml": "test:\n  script: npm test || true\n" },
    reason: /`\.gitlab-ci\.yml:2`: the failure of a check is ignored/u,
  },
  "a lint rule switched off": {
    files: { ".eslintrc.json": '{\n  "rules": {\n    "no-eval": "error"\n  }\n}\n' },
    writes: { ".eslintrc.json": '{\n  "rules": {\n    "no-eval": "off"\n  }\n}\n' },
    reason: /`\.eslintrc\.json:3`: a rule was switched off/u,
  },
  "a protected path": {
    writes: { "docs/CODEOWNERS": "* @bob\n" },
    reason: /`docs\/CODEOWNERS` is a protected path/u,
  },
  "a change that is too large": {
    config: `${quick}review: { max_files: 2, max_lines: 5 }\n`,
    writes: { "a.txt": "1\n2\n3\n", "b.txt": "1\n2\n", "c.txt": "1\n" },
    reason: /the change is large: 3 files \(the limit is 2\) and 6 lines \(the limit is 5\)/u,
  },
  "a credential": {
    writes: { "src/store.ts": `const a = 1;\nconst url = "${connection}";\n` },
    reason: /`src\/store\.ts:2`: what looks like a credential was added/u,
  },
  "a generated file, by what the default branch says of it": {
    files: { ".gitattributes": "gen/** linguist-generated\n", "gen/client.ts": "export const a = 1;\n" },
    writes: { "gen/client.ts": "export const a = 2;\n" },
    reason: /`gen\/client\.ts:1`: a generated file was edited/u,
  },
};

test.each(Object.entries(kinds))(
  "%s takes a person, however consent was given before",
  async (_name, kind) => {
    world = await openWorld({
      config: kind.config ?? quick,
      files: kind.files ?? {},
      scenes: [
        {
          role: "build",
          steps: [
            usage,
            ...Object.entries(kind.writes).map(([path, text]) => ({ write: { path, text } })),
            { done: "made it green" },
          ],
        },
      ],
    });
    const { people } = world;
    const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write it." });
    for (const label of ["auto-merge", "agent-ready"]) people.label(issue, label, "bob");
    await world.untilState(issue, "In Review");
    await world.settled();
    expect(people.thread(issue).labels.has("auto-merge")).toBe(false);

    const pull = await world.pullOf(issue);
    const head = people.thread(pull).pull?.head;
    const check = world.repo.checkRuns.findLast(
      (one) => one.head === head && one.name === "forgehand / gate",
    );
    const workpad = people
      .thread(issue)
      .comments.find(({ body }) => body.includes("Acceptance Criteria"))?.body;
    const database = join(world.dir, "data", "forgehand.db");
    const told = await explain(`acme/web#${issue}`, { database });
    for (const text of [JSON.stringify(check), workpad, told.text, JSON.stringify(told.data)])
      expect(text).toMatch(new RegExp(kind.reason.source.replaceAll("`", "\\\\?`"), "u"));
    expect(`${JSON.stringify(check)}${workpad}${told.text}`).not.toContain(connection);

    await people.approve(pull, "bob");
    await world.untilState(issue, "Done");
  },
);

test("a change that nothing speaks against is merged on `auto-merge` alone", async () => {
  world = await openWorld({
    files: { "src/say.ts": "export const say = () => 1;\n", "src/say.test.ts": suite },
    scenes: [
      {
        role: "build",
        steps: [
          usage,
          { write: { path: "src/say.ts", text: 'export const say = () => "well done";\n' } },
          { write: { path: "src/say.test.ts", text: suite.replace('"done"', '"well done"') } },
          { done: "said it" },
        ],
      },
    ],
  });
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write it." });
  for (const label of ["auto-merge", "agent-ready"]) people.label(issue, label, "bob");
  await world.untilState(issue, "Done");
});
