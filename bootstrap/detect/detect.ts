import type { Detected, RepoFiles } from "./detected.ts";

/** What the files of a repository say of its packages and commands. It runs nothing and reads few of them. */
export function detect(files: RepoFiles): Detected {
  void files;
  return {
    packages: [],
    commands: {},
    toolchain: [],
    ci: { workflows: [], onPullRequest: [], onMergeGroup: [], others: [] },
    testFolders: [],
    warnings: [],
  };
}
