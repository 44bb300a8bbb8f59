import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onboardingBranch as branch } from "../../bootstrap/says-onboarding.ts";
import type { BootstrapOptions } from "../../src/cli/bootstrap-options.ts";
import { answerOf } from "../../src/cli/bootstrap-text.ts";
import { bootstrap, placeNamed } from "../../src/cli/bootstrap.ts";
import { run as runShipped } from "./run.ts";

let dir: string;
let clone: string;
const git = (...argv: readonly string[]): string =>
  execFileSync("git", ["-C", clone, "-c", "user.name=ada", "-c", "user.email=ada@localhost", ...argv], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
const run = async (options: BootstrapOptions = {}) => {
  const { data, exit = 0 } = await bootstrap(clone, { verify: false, ...options });
  return { ...(data as { outcome: string; patch: string | null; says: string }), exit };
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "bootstrap-"));
  clone = join(dir, "clone");
  mkdirSync(clone);
  vi.stubEnv("FORGEHAND_DATA_DIR", join(dir, "own"));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  git("init", "-q", "--initial-branch=main");
  writeFileSync(join(clone, "package.json"), `{ "scripts": { "test": "node test.js" } }\n`);
  git("add", "-A");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

test("a clone gets one commit on a branch, and nothing that is checked out changes", async () => {
  await expect(run()).rejects.toThrow(/no commit yet/u);
  git("commit", "-qm", "first");
  writeFileSync(join(clone, "package.json"), "{ broken");
  const before = git("count-objects", "-v");
  expect((await run({ dryRun: true })).patch).toContain("+++ b/AGENTS.md");
  expect((await run({ check: true })).exit).toBe(1);
  expect(git("count-objects", "-v")).toBe(before);

  expect((await run()).outcome).toBe("written");
  expect((await run()).outcome).toBe("unchanged");
  expect(git("log", "--format=%an", `main..${branch}`)).toBe("forgehand\n");
  expect(git("status", "--porcelain")).toBe(" M package.json\n");
  expect(readFileSync(join(clone, "package.json"), "utf8")).toBe("{ broken");
  expect(git("for-each-ref", "--format=%(refname)")).toBe(`refs/heads/${branch}\nrefs/heads/main\n`);

  git("checkout", "-q", "--", ".");
  git("merge", "-q", branch);
  expect((await run()).outcome).toBe("set-up");
  expect((await run({ check: true })).exit).toBe(0);
  writeFileSync(join(clone, ".forgehand", "bootstrap.json"), "<<<<<<<");
  git("commit", "-qam", "break it");
  await expect(run()).rejects.toThrow(/bootstrap\.json cannot be read[\s\S]*git log/u);
});

test("a branch that is checked out, or has nothing to do with this, is left alone", async () => {
  git("commit", "-qm", "first");
  git("switch", "-q", "-c", branch);
  await expect(run()).rejects.toThrow(/checked out in a worktree/u);
  git("switch", "-q", "--orphan", "other");
  git("commit", "-q", "--allow-empty", "-m", "other");
  git("branch", "-qM", branch);
  git("switch", "-q", "main");
  await expect(run()).rejects.toThrow(/nothing in common/u);
});

test("what init wrote into the settings file counts", async () => {
  git("commit", "-qm", "first");
  vi.stubEnv("FORGEHAND_DATA_DIR", undefined);
  vi.stubEnv("HOME", dir);
  vi.stubEnv("XDG_CONFIG_HOME", join(dir, "config"));
  vi.stubEnv("XDG_STATE_HOME", join(dir, "state"));
  mkdirSync(join(dir, "config", "forgehand"), { recursive: true });
  const settings = `FORGEHAND_DATA_DIR=${join(dir, "told")}\n`;
  writeFileSync(join(dir, "config", "forgehand", "forgehand.env"), settings, { mode: 0o600 });
  await run({ dryRun: true });
  expect(existsSync(join(dir, "told", "bootstrap"))).toBe(true);
});

test("what --update cannot settle is not sent there", async () => {
  git("commit", "-qm", "first");
  await run();
  git("merge", "-q", branch);
  const config = join(clone, ".github", "forgehand.yml");
  writeFileSync(config, readFileSync(config, "utf8").replace("test: npm test", "test: npm test -- --all"));
  writeFileSync(join(clone, "package.json"), `{ "scripts": { "test:unit": "node other.js" } }\n`);
  git("commit", "-qam", "edit");
  expect((await run({ update: true })).outcome).toBe("updated");
  git("merge", "-q", branch);
  const { exit, says } = await run({ check: true });
  expect(exit).toBe(1);
  expect(says).toMatch(/settle them by hand/u);
});

test("a command that failed is told with what it said last", () => {
  const failed = { kind: "test", command: "npm test", is: "failed", seconds: 2, tail: "one\ntwo" } as const;
  const { text } = answerOf({ repository: "web", outcome: "written", says: "", verified: [failed] });
  expect(text).toContain("npm test: failed (2 s)\n    one\n    two");
});

test("the command as it ships has all that it needs", async () => {
  git("commit", "-qm", "first");
  const { code, out, err } = await runShipped(["bootstrap", clone, "--dry-run"], {
    FORGEHAND_DATA_DIR: join(dir, "own"),
  });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("+++ b/.claude/settings.json");
});

test("a folder that is there is meant as one; else owner/repo, also as an address", () => {
  expect(placeNamed("acme/web", () => true)).toEqual({ path: "acme/web" });
  for (const text of ["acme/web", "https://github.com/acme/web.git", "https://github.com/acme/web/"])
    expect(placeNamed(text, () => false)).toEqual({ owner: "acme", name: "web" });
  for (const text of ["web", "./web", "a/b/c", "acme/..", "ac me/web", ""])
    expect(() => placeNamed(text, () => false)).toThrow(/neither a folder nor owner\/repo/u);
});
