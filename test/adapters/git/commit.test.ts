/** What an agent leaves is committed on the ticket's branch, or not at all. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Worktree } from "../../../src/ports.ts";
import { asAgent, behind, openStage, run } from "./stage.ts";
import type { Stage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

let count = 0;
const prepared = () => stage.space.prepare(`t${(count += 1)}`, stage.remote, `hand/t${count}`, {});
const headOf = async (tree: Worktree) =>
  (await readFile(join(behind(tree.path).admin, "HEAD"), "utf8")).trim();
const agentCommits = async (tree: Worktree, name: string) => {
  await writeFile(join(tree.path, name), name);
  await asAgent(tree.path, "add", "-A");
  await asAgent(tree.path, "commit", "-q", "-m", `Add ${name}`);
};

describe("committing", () => {
  it.each([
    ["a detached head", ["checkout", "-q", "--detach"]],
    ["a branch of its own", ["checkout", "-q", "-b", "my-feature"]],
    ["a renamed branch", ["branch", "-m", "renamed"]],
  ])("brings back what an agent committed on %s", async (_where, argv) => {
    const tree = await prepared();
    await asAgent(tree.path, ...argv);
    await agentCommits(tree, "one.ts");
    await writeFile(join(tree.path, "two.ts"), "2");
    const sha = await stage.space.commit(tree, "Add two");
    expect(await headOf(tree)).toBe(`ref: refs/heads/${tree.branch}`);
    expect(await asAgent(tree.path, "log", "--format=%s", `${tree.base}..${tree.branch}`)).toBe("Add two");
    expect(await asAgent(tree.path, "ls-tree", "--name-only", tree.branch!)).toContain("one.ts\n");
    expect(await stage.space.publish(tree, stage.remote, tree.branch!, undefined)).toBe(sha);
  });

  it.each([
    ["an orphan branch", ["checkout", "-q", "--orphan", "empty"]],
    ["commits beside ours", ["checkout", "-q", "--detach", "HEAD~1"]],
  ])("refuses %s, and says which branch to go back to", async (_where, argv) => {
    const tree = await prepared();
    await agentCommits(tree, "ours.ts");
    await asAgent(tree.path, ...argv);
    await writeFile(join(tree.path, "more.ts"), "m");
    await expect(stage.space.commit(tree, "x")).rejects.toMatchObject({
      code: "git-tampered",
      permanent: true,
      message: expect.stringContaining(tree.branch!),
    });
  });

  it.each([
    ["with commits", "vendor/lib", true],
    ["without commits", "vendor/lib", false],
    ["where files of ours are", "src", false],
    ["with commits where files of ours are", "src", true],
  ])("refuses a repository inside the worktree %s", async (_what, folder, hasCommits) => {
    const tree = await prepared();
    const inside = join(tree.path, folder);
    await mkdir(inside, { recursive: true });
    await run("git", ["init", "-q", inside]);
    await writeFile(join(inside, "inner.ts"), "i");
    if (hasCommits) {
      await asAgent(inside, "add", "-A");
      await asAgent(inside, "commit", "-q", "-m", "Inner");
    }
    await expect(stage.space.commit(tree, "x")).rejects.toMatchObject({
      code: "git-nested",
      permanent: true,
      message: expect.stringContaining(folder),
    });
    expect(await asAgent(tree.path, "rev-parse", "HEAD")).toBe(tree.head);
  });

  it("goes on where a killed git left its locks", async () => {
    const tree = await prepared();
    const { mirror, admin } = behind(tree.path);
    await writeFile(join(admin, "index.lock"), "");
    await writeFile(join(mirror, "refs", "heads", `${tree.branch}.lock`), "");
    await writeFile(join(tree.path, "new.ts"), "n");
    expect(await stage.space.commit(tree, "Add new")).toMatch(/^[0-9a-f]{40}$/);
  });

  it("keeps a message as it is, comment signs and all", async () => {
    const tree = await prepared();
    await writeFile(join(tree.path, "new.ts"), "n");
    await stage.space.commit(tree, "Fix it\n\n# not a comment\n-- $(id)");
    expect(await asAgent(tree.path, "log", "-1", "--format=%B%an <%ae>")).toContain(
      "# not a comment\n-- $(id)\nHand <hand@example.com>",
    );
  });

  it("commits nothing in a cold checkout", async () => {
    const tree = await prepared();
    const cold = await stage.space.checkoutCold("t", stage.remote, tree.head, "review");
    await expect(stage.space.commit(cold, "x")).rejects.toMatchObject({ permanent: true });
  });
});

describe("restoring", () => {
  it("puts directories back whole and removes what the base lacks", async () => {
    await stage.push("main", { ".claude/settings.json": "base", ".claude/agents/a.md": "a" });
    const tree = await prepared();
    await writeFile(join(tree.path, ".claude/settings.json"), "poison");
    await writeFile(join(tree.path, ".claude/extra.md"), "poison");
    await mkdir(join(tree.path, ".codex"));
    await writeFile(join(tree.path, ".codex/config.toml"), "poison");
    await agentCommits(tree, ".mcp.json");
    await stage.space.restore(tree, [".claude/", ".codex", ".mcp.json", "CLAUDE.md"]);
    expect(await asAgent(tree.path, "ls-files", "--others")).toBe("");
    expect(await asAgent(tree.path, "diff", "--stat", tree.base)).toBe("");
  });

  it("follows no link, neither at the path nor on the way to it", async () => {
    await stage.push("main", { ".claude/settings.json": "base" });
    const outside = join(stage.home, "elsewhere");
    await mkdir(outside);
    await writeFile(join(outside, "settings.json"), "theirs");
    await writeFile(join(outside, "AGENTS.md"), "theirs");
    const tree = await prepared();
    await run("rm", ["-r", join(tree.path, ".claude"), join(tree.path, "AGENTS.md")]);
    await symlink(outside, join(tree.path, ".claude"));
    await symlink(join(outside, "AGENTS.md"), join(tree.path, "AGENTS.md"));
    await symlink(outside, join(tree.path, ".agents"));
    await stage.space.restore(tree, [".claude/settings.json", "AGENTS.md", ".agents/settings.json"]);
    expect(await readFile(join(outside, "settings.json"), "utf8")).toBe("theirs");
    expect(await readFile(join(outside, "AGENTS.md"), "utf8")).toBe("theirs");
    expect(await readFile(join(tree.path, ".claude/settings.json"), "utf8")).toBe("base");
    expect(await readFile(join(tree.path, "AGENTS.md"), "utf8")).toBe("base\n");
  });

  it.each(["../x", "/etc/passwd", "a/../../x", ".git/config", "sub/.GIT/hooks", ""])(
    "refuses the path %j",
    async (path) => {
      const tree = await prepared();
      await expect(stage.space.restore(tree, [path])).rejects.toMatchObject({
        code: "git-path",
        permanent: true,
      });
    },
  );

  it("takes a path with wildcards literally", async () => {
    const tree = await prepared();
    await writeFile(join(tree.path, "AGENTS.md"), "mine");
    await stage.space.restore(tree, ["*.md", ":(glob)**"]);
    expect(await readFile(join(tree.path, "AGENTS.md"), "utf8")).toBe("mine");
  });
});
