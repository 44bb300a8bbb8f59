import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStage, seed, type Stage } from "./stage.ts";

const branch = "forgehand/1";
const maxChars = 100_000;
let stage: Stage;
let main: string;
beforeEach(async () => {
  stage = await openStage();
  main = await stage.push("main", seed);
});
afterEach(() => stage.close());

/** A ticket's branch with two heads, each pushed. */
async function twoHeads(): Promise<readonly [string, string]> {
  const { space, remote } = stage;
  const tree = await space.prepare("t", remote, branch, {});
  const heads: string[] = [];
  for (const text of ["one\n", "one\ntwo\n"]) {
    await writeFile(join(tree.path, "new.txt"), text);
    await space.commit(tree, `wrote ${text.length}`);
    const head = await space.publish(tree, remote, branch, heads.at(-1));
    if (typeof head !== "string") throw new Error("it was not published");
    heads.push(head);
  }
  return [heads[0] ?? "", heads[1] ?? ""];
}
const show = (
  head: string,
  other: Parameters<Stage["space"]["changes"]["between"]>[1]["with"],
  most = maxChars,
) => stage.space.changes.between(stage.remote, { head, with: other, maxChars: most });

test("a head is shown against where it left the default branch, and two against each other, with nothing asked of the remote", async () => {
  const [first, second] = await twoHeads();
  const before = stage.asked.length;
  expect(await show(second, { forkOf: [] })).toMatchObject({
    is: "diff",
    base: main,
    isCut: false,
    text: expect.stringContaining("+one\n+two"),
  });
  const since = await show(second, { head: first });
  expect(since).toMatchObject({ is: "diff", base: first, text: expect.stringContaining(" one\n+two") });
  expect(stage.asked.length).toBe(before);
});

test("a merged head is shown against what it was merged into", async () => {
  const [, second] = await twoHeads();
  await stage.served("update-ref", "refs/heads/main", second);
  await stage.space.prepare("u", stage.remote, "forgehand/2", {});
  // The default branch has it all by now.
  expect(await show(second, { forkOf: [] })).toEqual({ is: "gone", commit: "main" });
  expect(await show(second, { forkOf: [main] })).toMatchObject({ is: "diff", base: main });
});

test("a commit that is not here is said to be gone, as is everything where there is no mirror", async () => {
  const other = "e".repeat(40);
  expect(await show(other, { forkOf: [] })).toEqual({ is: "gone", commit: other });
  const [first] = await twoHeads();
  expect(await show(other, { head: first })).toEqual({ is: "gone", commit: other });
  expect(await show(first, { head: other })).toEqual({ is: "gone", commit: other });
  await rm(join(stage.root, "mirrors"), { recursive: true, force: true });
  expect(await show(first, { forkOf: [] })).toEqual({ is: "gone", commit: first });
});

test("a long change is cut between two lines", async () => {
  const [, second] = await twoHeads();
  const shown = await show(second, { forkOf: [] }, 120);
  expect(shown).toMatchObject({ is: "diff", isCut: true });
  expect(shown.is === "diff" && shown.text.length <= 121 && shown.text.endsWith("\n")).toBe(true);
});

test.each(["HEAD", "--output=/tmp/x", "main"])("%s is no commit to show", async (head) => {
  await expect(show(head, { forkOf: [] })).rejects.toThrow();
});
