/** What is here, and what we made ourselves, git is not asked again. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  contains,
  forgetting,
  grownFrom,
  learnCommit,
  mergeBase,
  nothing,
  openKnown,
  resolve,
} from "../../../src/adapters/git/commits.ts";
import { gitRunner, type Git } from "../../../src/adapters/git/run.ts";
import { openStage, run } from "./stage.ts";

let home: string;
let mirror: string;
let asked: string[];
let git: Git;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "commits-"));
  mirror = join(home, "m.git");
  await run("git", ["init", "-q", "--bare", "-b", "main", mirror]);
  asked = [];
  const runner = gitRunner(process.env["PATH"] ?? "", 20_000);
  git = async (order, ...argv) => {
    asked.push(argv[0] ?? "");
    return await runner(order, ...argv);
  };
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** Makes a commit with one file, in the repository alone. */
async function write(text: string, ...parents: readonly string[]): Promise<string> {
  const at = (...argv: readonly string[]) =>
    run("git", ["-C", mirror, "-c", "user.name=a", "-c", "user.email=a@b", ...argv]);
  const file = join(home, "file");
  await writeFile(file, text);
  const blob = (await at("hash-object", "-w", file)).stdout.trim();
  await at("read-tree", "--empty");
  await at("update-index", "--add", "--cacheinfo", `100644,${blob},file`);
  const tree = (await at("write-tree")).stdout.trim();
  const grown = parents.flatMap((parent) => ["-p", parent]);
  return (await at("commit-tree", tree, ...grown, "-m", text)).stdout.trim();
}
const settle = (ref: string, commit: string) => run("git", ["-C", mirror, "update-ref", ref, commit]);
const opened = () => {
  const known = openKnown();
  return { git: forgetting(git, known), known };
};

describe("names", () => {
  it("are asked for in one process, and what is here never again", async () => {
    const yard = opened();
    const one = await write("one");
    await settle("refs/heads/main", one);
    const names = [one, `${one}^{tree}`, "HEAD", nothing, one];
    const found = await resolve(yard, { mirror }, names);
    const tree = (await run("git", ["-C", mirror, "rev-parse", `${one}^{tree}`])).stdout.trim();
    expect(found).toEqual([one, tree, one, undefined, one]);
    expect(asked).toEqual(["cat-file"]);
    expect(await resolve(yard, { mirror }, [one, "HEAD", nothing])).toEqual([one, one, undefined]);
    expect(asked).toEqual(["cat-file"]);
    // What it holds is read anew: an object may be another for a moment.
    expect(await resolve(yard, { mirror }, [`${one}^{tree}`, "HEAD^{tree}"])).toEqual([tree, tree]);
    expect(asked).toEqual(["cat-file", "cat-file"]);
  });
  it("of branches are read anew each time, from their own files", async () => {
    const yard = opened();
    const [one, two] = [await write("one"), await write("two")];
    const names = ["HEAD", "refs/heads/main", "refs/heads/other"];
    await settle("refs/heads/main", one);
    await resolve(yard, { mirror }, [one, two]);
    asked.length = 0;
    expect(await resolve(yard, { mirror }, names)).toEqual([one, one, undefined]);
    await settle("refs/heads/main", two);
    expect(await resolve(yard, { mirror }, names)).toEqual([two, two, undefined]);
    await settle("refs/heads/other", one);
    await run("git", ["-C", mirror, "update-ref", "--no-deref", "HEAD", one]);
    expect(await resolve(yard, { mirror }, names)).toEqual([one, two, one]);
    expect(asked).toEqual([]);
  });
  it("of packed, symbolic and oddly named branches are git's to tell", async () => {
    const yard = opened();
    const one = await write("one");
    for (const ref of ["refs/heads/main", "refs/heads/ä"]) await settle(ref, one);
    await resolve(yard, { mirror }, [one]);
    await run("git", ["-C", mirror, "symbolic-ref", "refs/heads/link", "refs/heads/main"]);
    await run("git", ["-C", mirror, "pack-refs", "--all"]);
    const names = ["HEAD", "refs/heads/main", "refs/heads/link", "refs/heads/ä", "refs/heads/none", "main"];
    asked.length = 0;
    expect(await resolve(yard, { mirror }, names)).toEqual([one, one, one, one, undefined, one]);
    expect(asked).toEqual(["cat-file"]);
  });
  it("that lead out of the repository are nobody's", async () => {
    const yard = opened();
    const one = await write("one");
    await resolve(yard, { mirror }, [one]);
    await writeFile(join(home, "outside"), `${one}\n`);
    await writeFile(join(mirror, "HEAD"), "ref: refs/heads/../../../outside\n");
    expect(await resolve(yard, { mirror }, ["refs/heads/../../../outside"])).toEqual([undefined]);
    expect(await resolve(yard, { mirror }, ["HEAD"])).toEqual([undefined]);
  });
});

describe("how commits relate", () => {
  it("is asked each time of what others made", async () => {
    const yard = opened();
    const root = await write("root");
    const [left, right] = [await write("left", root), await write("right", root)];
    const apart = await write("apart");
    for (const time of ["first", "again"]) {
      const where = { mirror };
      expect(await contains(yard, where, { older: root, newer: left }), time).toBe(true);
      expect(await contains(yard, where, { older: left, newer: right }), time).toBe(false);
      expect(await mergeBase(yard, where, left, right), time).toBe(root);
      expect(await mergeBase(yard, where, left, apart), time).toBeUndefined();
      expect(await grownFrom(yard, where, { head: left, from: right }), time).toBe(root);
      expect(await grownFrom(yard, where, { head: left, from: left }), time).toBe(left);
    }
    const each = ["rev-list", "rev-list", "rev-parse", "rev-parse", "merge-base"];
    expect(asked).toEqual([...each, ...each]);
    await expect(grownFrom(yard, { mirror }, { head: left, from: apart })).rejects.toThrow("merge-base");
  });
  it("is known of what was just made, and as git would tell it", async () => {
    const [root, other] = [await write("root"), await write("other")];
    const made = await write("made", root, other);
    const ask = async (yard: ReturnType<typeof opened>) => ({
      names: await resolve(yard, { mirror }, [made, `${made}^{tree}`]),
      holds: await Promise.all(
        [root, other].map((older) => contains(yard, { mirror }, { older, newer: made })),
      ),
      bases: await Promise.all([root, other].map((one) => mergeBase(yard, { mirror }, made, one))),
      forks: await Promise.all(
        [root, other].map((from) => grownFrom(yard, { mirror }, { head: made, from })),
      ),
    });
    const told = await ask(opened());
    const content = told.names[1] ?? "";
    const yard = opened();
    learnCommit(yard, { mirror }, { commit: made, content, parents: [root, other] });
    asked.length = 0;
    expect(await ask(yard)).toEqual(told);
    expect(asked).toEqual([]);
  });
});

describe("the memory", () => {
  it("is of one repository, and gone once git fails there", async () => {
    const yard = opened();
    const one = await write("one");
    const elsewhere = join(home, "other.git");
    await run("git", ["clone", "-q", "--bare", mirror, elsewhere]);
    await settle("refs/heads/main", one);
    await run("git", ["-C", elsewhere, "fetch", "-q", mirror, "main:main"]);
    for (const at of [mirror, elsewhere, mirror, elsewhere]) await resolve(yard, { mirror: at }, [one]);
    expect(asked).toHaveLength(2);
    await expect(yard.git({ in: { mirror } }, "cat-file", "-e", nothing)).rejects.toThrow();
    asked.length = 0;
    for (const at of [mirror, elsewhere]) await resolve(yard, { mirror: at }, [one]);
    expect(asked).toEqual(["cat-file"]);
  });
  it("asks git each time where there is none", async () => {
    const one = await write("one");
    for (const time of ["first", "again"])
      expect(await resolve({ git }, { mirror }, [one]), time).toEqual([one]);
    expect(asked).toEqual(["cat-file", "cat-file"]);
  });
});

it("a mirror that was lost, whole or in part, is made good after one failure at most", async () => {
  const stage = await openStage();
  try {
    const { space, remote, root } = stage;
    const head = await stage.push("hand/one", { "one.ts": "1\n" });
    const look = async () => (await space.headDiff(remote, head)).includes("one.ts");
    const checkout = async () => await space.dropCold(await space.checkoutCold("t", remote, head, "look"));
    await checkout();
    const [mirrorName = ""] = await readdir(join(root, "mirrors"));
    const at = join(root, "mirrors", mirrorName);
    for (const lost of [
      "objects/pack",
      ...(await readdir(join(at, "objects"))).map((name) => `objects/${name}`),
    ])
      if (lost !== "objects/info") await rm(join(at, lost), { recursive: true, force: true });
    await checkout().catch(() => undefined);
    await checkout();
    await rm(at, { recursive: true });
    await checkout();
    expect(await look()).toBe(true);
  } finally {
    await stage.close();
  }
});
