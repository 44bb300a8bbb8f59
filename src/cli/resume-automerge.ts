import { exitCodes } from "../problems.ts";
import { nearest } from "../nearest.ts";
import { atDesk } from "./database.ts";
import { Failure, type Answer } from "./output.ts";

/** Lifts what merges that broke the base of a repository have suspended. */
export async function resumeAutoMerge(
  name: string,
  options: { readonly database?: string | undefined },
): Promise<Answer> {
  return await atDesk(options, "write", async ({ store }) => {
    const repos = await store.knownRepos();
    const named = (repo: { readonly owner: string; readonly name: string }): string =>
      `${repo.owner}/${repo.name}`;
    const repo = repos.find((one) => named(one).toLowerCase() === name.toLowerCase());
    if (repo === undefined) {
      const meant = nearest(name, repos.map(named));
      const hint = meant === undefined ? "" : `; did you mean \`forgehand resume-automerge ${meant}\`?`;
      throw new Failure(exitCodes.notFound, `the App serves no repository ${name}${hint}`);
    }
    const lifted = await store.resumeAutoMerge(repo.id);
    return {
      schema: "resume-automerge/1",
      data: { repository: named(repo), lifted },
      text:
        lifted.length === 0
          ? `auto-merge is not suspended in ${named(repo)}`
          : [
              `auto-merge counts again in ${named(repo)} for what was suspended:`,
              ...lifted.map(({ ref, merge, paths }) => `${ref}\t${merge.slice(0, 7)}\t${paths.length} paths`),
            ].join("\n"),
    };
  });
}
