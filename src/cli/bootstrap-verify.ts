/** Runs a repository's set-up and tests once, in a clone of its own where commands of tickets run, and takes the time. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Detected } from "../../bootstrap/detect/detected.ts";
import type { VerifiedCommand } from "../../bootstrap/says-onboarding.ts";
import type { BootstrapYard } from "../adapters/git/bootstrap-yard.ts";
import { runCommand } from "../adapters/processes/command.ts";
import { openHousing } from "../adapters/sandboxes/quarters.ts";
import type { Environment } from "../config-environment.ts";
import type { Clock } from "../ports.ts";
import type { Sha } from "../state-machine/ticket.ts";

/** Of each command. */
const limitMs = 10 * 60_000;
const tailLines = 20;
const tailLength = 3_000;

export interface VerifyOrder {
  readonly yard: BootstrapYard;
  readonly commit: Sha;
  readonly detected: Detected;
  readonly environment: Environment;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Tests are not run where the set-up did not pass. */
export async function verifyCommands(order: VerifyOrder): Promise<readonly VerifiedCommand[]> {
  const { yard, detected, environment, env, clock, redact, tell, signal } = order;
  const folder = join(yard.dir, "verify", "clone");
  const home = join(yard.dir, "verify", "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  await cloneInto(yard, order.commit, folder);
  const searchPath = env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const host = { searchPath, home, premises: openHousing(environment, env).commands, clock };
  const done: VerifiedCommand[] = [];
  try {
    for (const kind of ["setup", "test"] as const) {
      const command = detected.commands[kind]?.command;
      if (command === undefined) continue;
      tell(
        `runs \`${command}\` once in a clone of its own (at most ${limitMs / 60_000} minutes; --no-verify leaves it out)`,
      );
      const began = clock.now();
      const run = { command, cwd: folder, timeoutMs: limitMs, runId: `bootstrap-${kind}-${began}` };
      const { exit, timedOut, tail } = await runCommand(run, host, signal);
      const is = timedOut ? "timed-out" : exit === 0 ? "passed" : "failed";
      done.push({
        kind,
        command,
        is,
        seconds: Math.max(1, Math.round((clock.now() - began) / 1000)),
        tail: is === "passed" ? "" : endOf(redact(tail)),
      });
      if (is !== "passed") break;
    }
    return done;
  } finally {
    await rm(join(yard.dir, "verify"), { recursive: true, force: true, maxRetries: 3 });
  }
}

function endOf(text: string): string {
  const clean = stripVTControlCharacters(text).replaceAll(/[^\n\t\P{Cc}]/gu, "");
  return clean.trimEnd().split("\n").slice(-tailLines).join("\n").slice(-tailLength);
}

/** A repository of its own, so that tools find one, with no remote, no hook and none of anybody's settings. */
async function cloneInto({ git, where }: BootstrapYard, commit: Sha, folder: string): Promise<void> {
  const mirror = join(folder, ".git");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = { in: { path: folder, admin: mirror, mirror } } as const;
  const seen = { ...at, settings: [["safe.directory", "*"]] as const };
  await git(at, "init", "--template=", "--initial-branch=main");
  // By its name, since a bare commit is not offered by every repository; it is in the source's own namespace.
  const ref = "refs/forgehand/verify";
  await git(where, "update-ref", ref, commit);
  try {
    await git(seen, "fetch", "--no-tags", "--depth=1", "--update-shallow", where.in.mirror, `${ref}:${ref}`);
  } finally {
    await git(where, "update-ref", "-d", ref);
  }
  await git(at, "update-ref", "refs/heads/main", commit);
  await git(at, "update-ref", "-d", ref);
  await git(at, "read-tree", "HEAD");
  await git(at, "checkout-index", "--all", "--force", "--quiet");
}
