/** What the local repository says of itself, and that no continuous integration watches it. */
import type { Ci } from "../../ports-ci.ts";
import type { Hooks } from "../../ports-hooks.ts";
import { Trouble } from "../../ports.ts";
import type { LocalRefs } from "./refs.ts";
import type { LocalDesk } from "./tracker.ts";

/** As much as GitHub hands out at once. */
const maxFileBytes = 1024 * 1024;
const maxFiles = 200;

export const localCi = (refs: LocalRefs): Ci => ({
  tries: async () => [],
  tip: (_repo, branch) => refs.tip(branch),
  log: async () => undefined,
  rerun: async () => ({ is: "refused", how: "unavailable", why: "no checks run here" }),
});

export function localHooks({ repo }: Pick<LocalDesk, "repo">, refs: LocalRefs): Hooks {
  const tip = async (branch: string): Promise<string> => {
    const at = await refs.tip(branch);
    if (at === undefined)
      throw new Trouble(
        "local-no-base",
        `There is no branch ${branch} any more. Name another: forgehand run --base BRANCH`,
      );
    return at;
  };
  /** Blobs right below a folder of a commit, or a file, by path. */
  const blobs = async (at: string, path: string) => {
    const listed = await refs.git(undefined, "ls-tree", "-z", "-l", "--full-tree", at, "--", path);
    return listed.split("\0").flatMap((line) => {
      const [, kind, id = "", size, file = ""] = /^\d+ (\w+) ([0-9a-f]+) +(\d+|-)\t(.*)$/su.exec(line) ?? [];
      return kind === "blob" ? [{ id, bytes: Number(size), path: file }] : [];
    });
  };
  const textOf = async ({ id, bytes }: { readonly id: string; readonly bytes: number }) =>
    bytes > maxFileBytes ? undefined : await refs.git(undefined, "cat-file", "blob", id);
  return {
    missed: async () => [],
    repos: async () => [repo],
    file: async ({ defaultBranch }, path) => {
      const at = await tip(defaultBranch);
      const [blob] = await blobs(at, path);
      return { text: blob && (await textOf(blob)), at };
    },
    folder: async (_repo, path, at) => {
      const files = (await blobs(at, `${path.replace(/\/+$/u, "")}/`)).filter((one) =>
        one.path.endsWith(".md"),
      );
      const named = files.map((blob, index) => ({
        name: blob.path.slice(blob.path.lastIndexOf("/") + 1, -".md".length),
        blob: index < maxFiles ? blob : undefined,
      }));
      return new Map(
        await Promise.all(named.map(async ({ name, blob }) => [name, blob && (await textOf(blob))] as const)),
      );
    },
    standing: async () => ({ app: "local", appId: 0, events: [], permissions: {} }),
  };
}
