/** A repository of somebody's on this host, with what the local adapters need. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gitRunner } from "../src/adapters/git/run.ts";
import { personGit } from "../src/adapters/local/person-git.ts";
import { findPlace, type LocalPlace } from "../src/adapters/local/place.ts";
import { openRecords } from "../src/adapters/local/records.ts";
import { claimNumber, newTicketFile } from "../src/adapters/local/ticket-folder.ts";
import { localRefs } from "../src/adapters/local/refs.ts";
import type { LocalForgeParts } from "../src/adapters/local/forge.ts";

export interface LocalStage {
  readonly dir: string;
  /** The checkout. */
  readonly top: string;
  readonly place: LocalPlace;
  readonly parts: LocalForgeParts;
  git(...argv: readonly string[]): string;
  write(path: string, text: string): void;
  /** Commits a file on a branch without checking it out. */
  push(branch: string, path: string, text: string, from?: string): string;
  close(): void;
}

const searchPath = process.env["PATH"] ?? "";
const who = {
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.org",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.org",
};

/** One repository with a first commit; every stage works in a copy. */
let template: string | undefined;
function templateOf(): string {
  if (template !== undefined) return template;
  const dir = mkdtempSync(join(tmpdir(), "local-template-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  const env = { PATH: searchPath, HOME: dir, GIT_CONFIG_NOSYSTEM: "1", ...who };
  const run = (...argv: readonly string[]): void => void execFileSync("git", ["-C", dir, ...argv], { env });
  run("init", "-q", "-b", "main");
  writeFileSync(join(dir, "README.md"), "# shop\n");
  run("add", "-A");
  run("commit", "-q", "-m", "First");
  template = dir;
  return dir;
}

export function openLocalStage(gitLies: "inside" | "elsewhere" = "inside"): LocalStage {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "local-")));
  const [top, home] = [join(dir, "shop"), join(dir, "home")];
  mkdirSync(home);
  cpSync(templateOf(), top, { recursive: true });
  writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = Ada\n\temail = ada@example.org\n");
  const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): string =>
    execFileSync("git", ["-C", top, ...argv], {
      env: { PATH: searchPath, HOME: home, GIT_CONFIG_NOSYSTEM: "1", ...env },
      encoding: "utf8",
      input,
      stdio: ["pipe", "pipe", "pipe"],
    }).trim();
  if (gitLies === "elsewhere") run(["init", "-q", "--separate-git-dir", join(dir, "shop.git")]);
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  };
  const place = findPlace(top);
  if (place === undefined) throw new Error("there is no repository");
  let now = 1_700_000_000_000;
  const parts: LocalForgeParts = {
    repo: {
      id: place.id,
      owner: "local",
      name: "shop",
      installation: 0,
      defaultBranch: "main",
      private: true,
    },
    folders: { own: join(dir, "state", "tickets"), inRepo: join(top, ".forgehand", "tickets") },
    records: openRecords(join(dir, "state")),
    clock: { now: () => (now += 1000) },
    operator: "ada",
    bot: "forgehand[bot]",
    refs: localRefs(place, gitRunner(searchPath, 60_000)),
    person: personGit({ searchPath, env: { HOME: home } }),
    author: { name: "forgehand", email: "forgehand@localhost" },
    gitDir: place.gitDir,
  };
  return {
    dir,
    top,
    place,
    parts,
    write,
    git: (...argv) => run(argv),
    push: (branch, path, text, from = "main") => {
      const index = { GIT_INDEX_FILE: join(dir, "index") };
      const tip =
        run(["for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`]) || run(["rev-parse", from]);
      run(["read-tree", tip], index);
      const blob = run(["hash-object", "-w", "--stdin"], {}, text);
      run(["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], index);
      const commit = run(["commit-tree", run(["write-tree"], index), "-p", tip, "-m", `Write ${path}`]);
      run(["update-ref", `refs/heads/${branch}`, commit]);
      return commit;
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Writes a ticket's file as `forgehand new` would; answers its number. */
export function writtenTicket(
  { folders, records }: Pick<LocalForgeParts, "folders" | "records">,
  ticket: Partial<Parameters<typeof newTicketFile>[2]>,
  where: "own" | "repository" = "own",
): number {
  const number = claimNumber(folders, records);
  const whole = { title: "Say done", body: "Do it.", labels: [], author: "ada", createdAt: 0, ...ticket };
  newTicketFile({ folders, where }, number, whole);
  return number;
}
