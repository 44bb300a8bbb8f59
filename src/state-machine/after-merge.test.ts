import { describe, expect, it } from "vitest";
import { judgeMerge, type BaseCommit } from "./after-merge.ts";

/** `c:red b:green a:green`, newest first; a commit without a verdict says none. */
const chain = (text: string, name = "ci"): readonly BaseCommit[] =>
  text.split(" ").map((part) => {
    const [sha = "", is] = part.split(":");
    return {
      sha,
      checks:
        is === undefined
          ? []
          : [{ name, is: is as "red" | "green" | "pending", run: undefined, url: undefined }],
    };
  });

describe("who broke the base", () => {
  it.each([
    ["m:green a:green", "fine"],
    ["m:pending a:green", "running"],
    ["m a:green", "running"],
    ["m:red a:green", "guilty"],
    // Of several merges, only the one on which it turned.
    ["x:red m:red a:green", "guilty"],
    ["m:red x:red a:green", "innocent"],
    ["x:red m:green a:green", "fine"],
    // Mended since, or broken before.
    ["x:green m:red a:green", "innocent"],
    ["m:red a:red", "innocent"],
    // Nobody asked the commits in between.
    ["m:red x a:green", "unclear"],
    ["x:red m a:green", "unclear"],
    ["m:red x:pending a:green", "running"],
    ["m:red a", "unclear"],
    ["x:red a:green", "innocent"],
  ] as const)("%s: %s", (commits, is) => {
    expect(judgeMerge("m", chain(commits)).is).toBe(is);
  });
  it("names the commits among which it hides", () => {
    expect(judgeMerge("m", chain("x:red m y a:green"))).toEqual({
      is: "unclear",
      check: "ci",
      between: ["x", "m", "y"],
    });
  });
  it("one check that convicts outweighs others that pass", () => {
    const [m, a] = [chain("m:red a:green"), chain("m:green a:green", "lint")];
    const both = m.map((commit, index) => ({
      ...commit,
      checks: [...commit.checks, ...(a[index]?.checks ?? [])],
    }));
    expect(judgeMerge("m", both)).toMatchObject({ is: "guilty", check: { name: "ci" }, before: "a" });
  });
});
