import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { openWorktrees } from "../../src/adapters/workflows/worktrees.ts";
import { openEngine, type Engine } from "../../src/engine/engine.ts";
import type { Host, Worktrees } from "../../src/engine/host.ts";
import { migrateEngine } from "../../src/engine/migrate.ts";
import { startRun } from "../../src/engine/store.ts";
import type { AnyWorkflow } from "#engine";
import { openSqlite, type Sql } from "../../src/sql.ts";
import { temporaryFolder } from "../temporary.ts";

/** A repository with one commit on `main`, checked out. */
export function repository(files: Readonly<Record<string, string>> = { "a.txt": "one\ntwo\nthree\n" }) {
  const folder = temporaryFolder("lanes-");
  const git = (...argv: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...argv], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  const write = (path: string, text: string, below = folder): void => {
    mkdirSync(dirname(join(below, path)), { recursive: true });
    writeFileSync(join(below, path), text);
  };
  const read = (path: string, below = folder): string => readFileSync(join(below, path), "utf8");
  git("init", "-q", "-b", "main");
  const commit = (message: string, changed: Readonly<Record<string, string>>): string => {
    for (const [path, text] of Object.entries(changed)) write(path, text);
    git("add", "-A");
    git("commit", "-q", "-m", message);
    return git("rev-parse", "HEAD");
  };
  /** A branch that grows from `main`, with these files; `main` is checked out again. */
  const branch = (name: string, changed: Readonly<Record<string, string>>): void => {
    git("checkout", "-q", "-b", name, "main");
    commit(name, changed);
    git("checkout", "-q", "main");
  };
  commit("first", files);
  return { folder, git, write, read, commit, branch };
}

export const worktrees = (searchPath = process.env["PATH"] ?? ""): Worktrees =>
  openWorktrees({
    author: { name: "forgehand", email: "forgehand@localhost" },
    searchPath,
    gitMs: 60_000,
  });

const nowhere = join(tmpdir());
export const hostAt = (folder: string = nowhere, given: Partial<Host> = {}): Host => ({
  folder,
  shell: ({ command, folder: cwd }) => {
    try {
      const stdout = execFileSync("sh", ["-c", command], {
        cwd,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      return Promise.resolve({ exit: 0, timedOut: false, stdout, stderr: "" });
    } catch (error) {
      const { status, stderr } = error as { readonly status: number; readonly stderr: string };
      return Promise.resolve({ exit: status, timedOut: false, stdout: "", stderr });
    }
  },
  agents: new Map(),
  redact: (text) => text,
  snapshots: undefined,
  worktrees: worktrees(),
  ...given,
});

let pids = 0;
let opened: { readonly engine: Engine; readonly sql: Sql }[] = [];
afterEach(async () => {
  const closing = opened;
  opened = [];
  for (const { engine, sql } of closing) {
    await engine.down(0);
    sql.close();
  }
});

/** One process's engine with a machine under it; another one on the same path takes over what it left. */
export async function openWith(
  definition: AnyWorkflow,
  host: Host,
  path: string = join(temporaryFolder("engine-"), "t.db"),
) {
  const sql = openSqlite(path);
  await migrateEngine(sql);
  const left: (() => void)[] = [];
  const errors: string[] = [];
  const engine = openEngine({
    sql,
    clock: { now: () => 1_000, until: () => new Promise(() => undefined) },
    random: () => 0,
    owner: { pid: (pids += 1), startedAt: "now", host: "here" },
    isDead: () => true,
    workflows: [definition],
    checkDeterminism: true,
    host,
    log: { info: () => undefined, error: (fields) => void errors.push(JSON.stringify(fields)) },
    onLeft: () => left.splice(0).forEach((wake) => wake()),
  });
  const own = { engine, sql };
  opened.push(own);
  /** The process is dead: whatever it had at work never ends, and nobody waits for it. */
  const die = (): void => {
    opened = opened.filter((one) => one !== own);
  };
  const untilLeft = () => new Promise<void>((resolve) => left.push(resolve));
  const start = async (run = "r", input: unknown = {}) => {
    const gone = untilLeft();
    await sql.commit(() => startRun({ run, workflow: definition.name, input, at: 1_000 }));
    engine.poke();
    await gone;
    return await engine.run(run);
  };
  const resume = async (run = "r") => {
    const gone = untilLeft();
    engine.poke();
    await gone;
    return await engine.run(run);
  };
  const output = async (leaf: string, run = "r"): Promise<unknown> =>
    (await engine.attempts(run)).findLast((one) => one.leaf === leaf && one.status === "finished")?.output;
  return { sql, engine, start, resume, path, output, errors, die };
}
