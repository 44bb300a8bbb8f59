/** What git says of a merge, whatever method made it: a merge of the reviewed head and nothing else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openClone, type OpenClone } from "../../src/adapters/git/clone-reader.ts";
import { cloneFaults } from "../../src/certificate/clone.ts";
import type { Certificate, Method } from "../../src/certificate/schema.ts";
import { git } from "./merged.ts";

let root: string;
let dir: string;
let clone: OpenClone;
beforeAll(() => {
  // Under a name that git would read otherwise where it is not quoted.
  root = mkdtempSync(join(tmpdir(), `clone "odd"\n-`));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const write = async (path: string, text: string, message: string): Promise<string> => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
  await git(dir, "add", "-A");
  await git(dir, "commit", "-q", "-m", message);
  return await git(dir, "rev-parse", "HEAD");
};
let base: string;
let head: string;

/** A branch of two commits that grew from `main`, on which something else has happened since. */
beforeEach(async () => {
  dir = mkdtempSync(join(root, "repo-"));
  await git(dir, "init", "-q", "-b", "main");
  base = await write("a.txt", "one\ntwo\nthree\nfour\nfive\n", "first");
  await git(dir, "checkout", "-q", "-b", "work");
  await write("a.txt", "ONE\ntwo\nthree\nfour\nfive\n", "shout");
  head = await write("b.txt", "new\n", "add");
  await git(dir, "checkout", "-q", "main");
  await write("a.txt", "one\ntwo\nthree\nfour\nFIVE\n", "meanwhile");
  const opened = await openClone(dir, process.env["PATH"] ?? "");
  if (opened === undefined) throw new Error("no clone");
  clone = opened;
  return async () => await clone.close();
});

/** What is found when a certificate says that this is what became of the head. */
async function faultsOf(
  method: Method,
  over: { readonly head?: string; readonly tree?: string } = {},
): Promise<readonly string[]> {
  const commit = await git(dir, "rev-parse", "main");
  const of = over.head ?? head;
  const parents = (await git(dir, "show", "-s", "--format=%P", commit)).split(" ");
  const certificate = {
    head: of,
    review: {
      evidence: { base, tree: await git(dir, "rev-parse", `${of}^{tree}`) },
    },
    merge: { commit, tree: over.tree ?? (await git(dir, "rev-parse", "main^{tree}")), parents, method },
  } as unknown as Certificate;
  return (await cloneFaults(clone, certificate)).map(({ field, why }) => `${field}: ${why}`);
}
const mergeBoth = async (): Promise<void> => {
  await git(dir, "merge", "-q", "--no-ff", "-m", "merged", "work");
};
const squash = async (): Promise<void> => {
  await git(dir, "merge", "-q", "--squash", "work");
  await git(dir, "commit", "-q", "-m", "squashed");
};
const rebase = async (): Promise<void> => {
  await git(dir, "checkout", "-q", "-b", "rebased", "work");
  await git(dir, "rebase", "-q", "main");
  await git(dir, "checkout", "-q", "main");
  await git(dir, "merge", "-q", "--ff-only", "rebased");
};
/** Puts something into the newest commit that the head does not have. */
const smuggle = async (): Promise<void> => {
  writeFileSync(join(dir, "smuggled.txt"), "smuggled\n");
  await git(dir, "add", "-A");
  await git(dir, "commit", "-q", "--amend", "--no-edit");
};

describe("a merge that is what it says", () => {
  test("by a merge commit, also where the method is not known", async () => {
    await mergeBoth();
    expect(await faultsOf("merge")).toEqual([]);
    expect(await faultsOf("unknown")).toEqual([]);
  });
  test("by a squashed commit, also where the method is not known", async () => {
    await squash();
    expect(await faultsOf("squash")).toEqual([]);
    expect(await faultsOf("unknown")).toEqual([]);
  });
  test("by a rebase, also where the method is not known", async () => {
    await rebase();
    expect(await faultsOf("rebase")).toEqual([]);
    expect(await faultsOf("unknown")).toEqual([]);
  });
  test("by a rebase one of whose commits the base had already", async () => {
    await git(dir, "cherry-pick", "work~1");
    await rebase();
    expect(await faultsOf("rebase")).toEqual([]);
  });
  test("by a fast-forward", async () => {
    await git(dir, "reset", "-q", "--hard", base);
    await git(dir, "merge", "-q", "--ff-only", "work");
    expect(await faultsOf("fast-forward")).toEqual([]);
  });
});

describe("a merge that holds more than the reviewed head", () => {
  test.each([
    ["merge", mergeBoth],
    ["squash", squash],
    ["rebase", rebase],
    ["unknown", squash],
    ["unknown", mergeBoth],
  ] as const)("is found, by %s", async (method, merge) => {
    await merge();
    await smuggle();
    const [fault, ...more] = await faultsOf(method);
    expect(fault).toMatch(/^merge\.commit: /u);
    expect(more).toEqual([]);
  });
  test("is found where it says that it is the head itself", async () => {
    await squash();
    expect((await faultsOf("fast-forward"))[0]).toContain("is not the head itself");
  });
  test("is found where it merged another head", async () => {
    await mergeBoth();
    const other = await git(dir, "rev-parse", "work~1");
    expect((await faultsOf("merge", { head: other }))[0]).toContain(
      "its parents are not the base and the head",
    );
  });
  test("is found where a conflict was settled by somebody", async () => {
    await write("a.txt", "1\ntwo\nthree\nfour\nFIVE\n", "conflicting");
    await git(dir, "merge", "-q", "--squash", "-X", "theirs", "work");
    await git(dir, "commit", "-q", "-m", "settled");
    expect((await faultsOf("squash"))[0]).toContain("somebody settled it outside the reviewed head");
  });
  test("is found where the forge told of other files than git has", async () => {
    await squash();
    expect((await faultsOf("squash", { tree: "0".repeat(40) }))[0]).toMatch(/^merge\.tree: /u);
  });
});

test("a shallow clone says what it lacks, and how to get it", async () => {
  await squash();
  const shallow = mkdtempSync(join(root, "shallow-"));
  await git(dir, "clone", "-q", "--depth", "1", "--no-local", `file://${dir}`, shallow);
  await clone.close();
  clone = (await openClone(shallow, process.env["PATH"] ?? "")) ?? clone;
  const [fault] = await faultsOf("squash");
  expect(fault).toBe(`clone: ${shallow} lacks head ${head}`);
});
