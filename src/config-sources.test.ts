import { describe, expect, test } from "vitest";
import { findRules, reaches, type RuleReader } from "./config-sources.ts";
import { Trouble, type Repo } from "./ports.ts";

const repo = (name: string, over: Partial<Repo> = {}): Repo => ({
  id: [...name].reduce((sum, sign) => sum * 31 + (sign.codePointAt(0) ?? 0), 7),
  owner: "acme",
  name,
  installation: 1,
  defaultBranch: "main",
  private: true,
  ...over,
});
const web = repo("web");
const at = "a".repeat(40);
const own = ".github/forgehand.yml";
const other = ".forgehand.yml";

type Files = Readonly<Record<string, string | Error>>;
const reading = (
  files: Files,
  repos: readonly Repo[] = [
    web,
    repo(".github"),
    repo("base"),
    repo("deep"),
    repo("deeper"),
    repo("deepest"),
  ],
  extendsFrom: readonly string[] = [],
): RuleReader & { readonly asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    extendsFrom,
    file: async ({ owner, name }, path, pinned) => {
      asked.push(`${name}:${path}@${pinned ?? "tip"}`);
      const found = files[owner === "acme" ? `${name}:${path}` : `${owner}/${name}:${path}`];
      if (found instanceof Error) throw found;
      return { text: found, at: pinned ?? at };
    },
    repoNamed: async (owner, name) =>
      repos.find((one) => one.owner.toLowerCase() === owner.toLowerCase() && one.name === name.toLowerCase()),
  };
};
const find = async (files: Files, ...more: readonly [(readonly Repo[])?, (readonly string[])?]) =>
  await findRules(reading(files, ...more), web, at);
const messages = ({ sources }: Awaited<ReturnType<typeof findRules>>): readonly string[] =>
  sources.faults.map(({ path, line, message, repo: where }) => `${where ?? ""}${path}:${line} ${message}`);

describe("where a configuration is found", () => {
  test.each([own, other])("in %s, at the pinned commit", async (path) => {
    const reader = reading({ [`web:${path}`]: "version: 1\n" });
    const found = await findRules(reader, web, at);
    expect(found).toMatchObject({ config: "version: 1\n", sources: { path, under: [], faults: [] } });
    expect(reader.asked.every((one) => one.endsWith(`@${at}`))).toBe(true);
  });

  test("two files are a fault that names both, and the first of them is read", async () => {
    const found = await find({ [`web:${own}`]: "version: 1\n", [`web:${other}`]: "limits: {}\n" });
    expect(found.config).toBe("version: 1\n");
    expect(messages(found)).toEqual([expect.stringMatching(/^\.forgehand\.yml:1 .*forgehand\.yml and /u)]);
  });

  test("in the organisation's repository where there is none, with the commit it was read at", async () => {
    const found = await find({ [`.github:${other}`]: "limits: { attempts: 1 }\n" });
    expect(found.config).toBeUndefined();
    expect(found.sources.under).toMatchObject([
      { repo: "acme/.github", path: other, at, how: "organisation" },
    ]);
    const alone = await find({ [`.github:${other}`]: "limits: {}\n" }, [web]);
    expect(alone.sources.under).toEqual([]);
  });

  test("a forge that does not answer is trouble, and never the default", async () => {
    const down = new Trouble("github-unavailable", "It does not answer.");
    await expect(find({ [`.github:${own}`]: down })).rejects.toBe(down);
    const huge = new Trouble("github-rejected", "It has too many bytes.", { permanent: true });
    expect(messages(await find({ [`.github:${own}`]: huge }))).toEqual([
      `acme/.github${own}:1 It cannot be read.`,
    ]);
    const empty = new Trouble("github-gone", "No commits yet.", { permanent: true });
    expect(messages(await find({ [`.github:${own}`]: empty }))).toEqual([]);
  });

  test("a workflow file counts without one of ours, over the organisation's, or where ours names it", async () => {
    const workflow = "---\nhooks: {}\n---\nDo.\n";
    const files = { "web:WORKFLOW.md": workflow, [`.github:${other}`]: "limits: {}\n" };
    const found = await find(files);
    expect(found.sources.workflow).toEqual({ path: "WORKFLOW.md", text: workflow });
    expect(found.sources.under).toHaveLength(1);
    expect((await find({ ...files, "web:WORKFLOW.md": "# Our way\n" })).sources.workflow).toBeUndefined();
    expect((await find({ ...files, [`web:${own}`]: "version: 1\n" })).sources.workflow).toBeUndefined();
    const named = { [`web:${own}`]: "version: 1\nworkflow_file: docs/flow.md\n" };
    expect((await find({ ...named, "web:docs/flow.md": "Do.\n" })).sources.workflow?.path).toBe(
      "docs/flow.md",
    );
    expect(messages(await find(named))).toEqual([
      `${own}:2 There is no file docs/flow.md in this repository.`,
    ]);
  });
});

describe("`extends`", () => {
  const says = (text: string): Files => ({ [`web:${own}`]: `version: 1\nextends: ${text}\n` });

  test.each(["base", "acme/base", "ACME/base", "acme/base/.github/x.yml"])("takes %s", async (text) => {
    const path = text.endsWith("x.yml") ? ".github/x.yml" : other;
    const found = await find({ ...says(text), [`base:${path}`]: "limits: {}\n" });
    expect(messages(found)).toEqual([]);
    expect(found.sources.under).toMatchObject([{ repo: "acme/base", path, how: "extends" }]);
  });

  test("follows what that rests upon, three deep and no deeper", async () => {
    const chain = {
      ...says("base"),
      [`base:${other}`]: "extends: deep\n",
      [`deep:${other}`]: "extends: deeper\n",
      [`deeper:${other}`]: "limits: {}\n",
    };
    expect((await find(chain)).sources.under.map((one) => one.repo)).toEqual([
      "acme/base",
      "acme/deep",
      "acme/deeper",
    ]);
    const more = {
      ...chain,
      [`deeper:${other}`]: "extends: deepest\n",
      [`deepest:${other}`]: "limits: {}\n",
    };
    expect(messages(await find(more))).toEqual([
      expect.stringMatching(/^acme\/deeper\.forgehand\.yml:1 More than 3 files .*acme\/base:.*`deepest`/u),
    ]);
  });

  test("names a circle", async () => {
    const found = await find({ ...says("base"), [`base:${other}`]: "extends: web\n" });
    expect(messages(found)).toEqual([
      "acme/base.forgehand.yml:1 It goes round in a circle: acme/web:.github/forgehand.yml → acme/base:.forgehand.yml → acme/web:.github/forgehand.yml.",
    ]);
    expect(found.sources.under).toHaveLength(1);
  });

  test.each([
    ["nowhere", "`acme/nowhere` cannot be read"],
    ["base", "There is no .github/forgehand.yml and no .forgehand.yml in `acme/base`"],
    ["acme/base/.github/x.yml", "There is no .github/x.yml in `acme/base`"],
    ["evil/base", "another owner's repository"],
  ])("of %s says what is amiss at its line", async (text, what) => {
    const found = await find(says(text));
    expect(messages(found)).toEqual([expect.stringContaining(`${own}:2 `)]);
    expect(messages(found)[0]).toContain(what);
    expect(found.sources.under).toEqual([]);
  });

  test("of another owner is followed where the operator names that owner, and nowhere else", async () => {
    const theirs = repo("base", { owner: "Labs", id: 99 });
    const files = { ...says("labs/base"), [`Labs/base:${other}`]: "limits: {}\n" };
    expect((await find(files, [web, theirs], ["labs"])).sources.under).toHaveLength(1);
    expect((await find(files, [web, theirs], [])).sources.under).toEqual([]);
  });

  test("of a private repository under a public one is marked as hidden", async () => {
    const open = { ...web, private: false };
    const reader = reading({ ...says("base"), [`base:${other}`]: "limits: {}\n" });
    const found = await findRules(reader, open, at);
    expect(found.sources.under[0]?.isHidden).toBe(true);
    const deeper = reading({ ...says("base"), [`base:${other}`]: "extends: secret-plans\n" });
    const { sources } = await findRules(deeper, open, at);
    expect(sources.faults).toMatchObject([{ repo: "acme/base", line: 1 }]);
    expect(JSON.stringify(sources.faults)).not.toContain("secret-plans");
    const huge = new Trouble("github-rejected", "It has too many bytes.", { permanent: true });
    for (const file of ["extends: nowhere\n", "extends: web\n", huge]) {
      const deepest = { [`base:${other}`]: "extends: deep\n", [`deep:${other}`]: file };
      const { faults } = (await findRules(reading({ ...says("base"), ...deepest }), open, at)).sources;
      expect(faults).toMatchObject([{ repo: "acme/base", path: other, line: 1 }]);
      expect(JSON.stringify(faults)).not.toContain("deep");
    }
  });

  test.each([
    "../x",
    "acme/..",
    "acme/base/.github/../x.yml",
    "acme/base/x.yml",
    "acme/base/.github//x.yml",
    "a b",
    "https://x",
    "acme/base/x.md",
    "",
  ])("is refused as %j before anything is asked", async (text) => {
    const reader = reading({ [`web:${own}`]: `extends: ${JSON.stringify(text)}\n` });
    await findRules(reader, web, at);
    expect(reader.asked).toHaveLength(2);
  });
});

test("a push reaches whoever asked there, and the organisation's reaches all without a file of their own", async () => {
  const { sources } = await find({ [`web:${own}`]: "extends: base\n", [`base:${other}`]: "limits: {}\n" });
  const to = { owner: "acme", sources };
  expect([repo("base"), repo("deep"), repo(".github")].map((one) => reaches(one, to))).toEqual([
    true,
    false,
    false,
  ]);
  expect(reaches(repo(".github"), { owner: "Acme", sources: undefined })).toBe(true);
  expect(reaches(repo(".github"), { owner: "labs", sources: undefined })).toBe(false);
});
