/** What is asked of a workspace whose folders an agent closed, by a user whom modes bind; says what came of it. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asAgent, openStage, run } from "./stage.ts";

const stage = await openStage();
const { space, remote } = stage;
const said: Record<string, unknown> = { uid: process.getuid?.() };
/** A folder with a file in it, closed to everybody. */
async function closed(root: string, name: string, mode = 0o000): Promise<void> {
  await mkdir(join(root, name, "inner"), { recursive: true });
  await writeFile(join(root, name, "inner", "file.ts"), "hidden");
  await chmod(join(root, name, "inner"), mode);
  await chmod(join(root, name), mode);
}
const outcome = async (work: () => Promise<unknown>): Promise<unknown> =>
  work().catch((error: unknown) => (error instanceof Error ? error.message : error));
const report = async (name: string, work: () => Promise<unknown>): Promise<void> => {
  said[name] = await outcome(work);
};

try {
  const head = await stage.push("main", { "AGENTS.md": "base\n", "docs/CLAUDE.md": "base\n" });
  await report("a read-only checkout is put back, and read-only again", async () => {
    const poisoned = await stage.push("person/poison", {
      "AGENTS.md": "poison\n",
      "docs/CLAUDE.md": "poison\n",
      ".claude/deep/x.md": "poison\n",
    });
    const cold = await space.checkoutCold("t", remote, poisoned, "one");
    await space.restore(cold, ["AGENTS.md", "docs/CLAUDE.md", ".claude"]);
    const again = await outcome(() => writeFile(join(cold.path, "docs", "new"), ""));
    const written = await space.written({ ...cold, head });
    await space.dropCold(cold);
    return [written, String(again).includes("EACCES")];
  });
  await report("what a reviewer wrote in a closed folder is seen, and dropped", async () => {
    const cold = await space.checkoutCold("t", remote, head, "two");
    await run("chmod", ["-R", "u+w", cold.path]);
    await closed(cold.path, "closed");
    const written = await space.written(cold);
    await run("chmod", ["000", cold.path]);
    await space.dropCold(cold);
    return written;
  });
  await report("what a builder left in a closed folder is committed", async () => {
    const tree = await space.prepare("build", remote, "hand/build", {});
    await closed(tree.path, "closed");
    const sha = await space.commit(tree, "Ours");
    return (await asAgent(tree.path, "show", "--name-only", "--format=", String(sha))).split("\n");
  });
  for (const [how, mode, file] of [
    ["can be listed and not entered", 0o400, 0o644],
    ["can be entered and not listed", 0o100, 0o644],
    ["is open, and its file cannot be read", 0o755, 0o000],
  ] as const)
    await report(`what a builder changed in a folder that ${how} is seen and committed`, async () => {
      const tree = await space.prepare(how, remote, `hand/${mode}-${file}`, {});
      const before = await space.fingerprint({ path: tree.path });
      await writeFile(join(tree.path, "docs", "CLAUDE.md"), "ours\n");
      await writeFile(join(tree.path, "docs", "new.md"), "ours\n");
      for (const name of ["CLAUDE.md", "new.md"]) await chmod(join(tree.path, "docs", name), file);
      await chmod(join(tree.path, "docs"), mode);
      const isSeen = (await space.fingerprint({ path: tree.path })) !== before;
      await chmod(join(tree.path, "docs"), mode);
      const sha = await space.commit(tree, "Ours");
      const names = await asAgent(tree.path, "show", "--name-only", "--format=", String(sha));
      return [isSeen, ...names.split("\n")];
    });
  await report("agent files in a closed folder of a worktree are put back", async () => {
    const tree = await space.prepare("restore", remote, "hand/restore", {});
    await writeFile(join(tree.path, "docs", "CLAUDE.md"), "poison");
    await closed(tree.path, ".claude", 0o500);
    await chmod(join(tree.path, "docs"), 0o500);
    await space.restore(tree, [".claude", "docs/CLAUDE.md"]);
    return asAgent(tree.path, "status", "--porcelain");
  });
  await report("unpublished work in a closed folder is not dropped", async () => {
    const tree = await space.prepare("keep", remote, "hand/keep", {});
    await closed(tree.path, "closed");
    const dropped = await space.drop("keep", remote, {});
    return typeof dropped === "string" ? dropped : dropped.is;
  });
  await report("a worktree with ignored files in closed folders is dropped", async () => {
    const tree = await space.prepare("drop", remote, "hand/drop", {});
    await closed(tree.path, "dist", 0o500);
    return space.drop("drop", remote, {});
  });
  await report("a person's push arrives in a worktree whose folders are read-only", async () => {
    await stage.push("hand/catch", { "docs/more.md": "1\n" });
    const tree = await space.prepare("catch", remote, "hand/catch", {});
    await chmod(join(tree.path, "docs"), 0o500);
    const theirs = await stage.push("hand/catch", { "docs/more.md": "2\n", "docs/other.md": "2\n" });
    return (await space.prepare("catch", remote, "hand/catch", {})).head === theirs;
  });
} finally {
  process.stdout.write(JSON.stringify(said));
  await stage.close();
}
