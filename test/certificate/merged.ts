/** Worlds in which something was merged, and what is left of them for somebody who verifies it elsewhere. */
import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ledgerFile } from "../../src/certificate/ledger-file.ts";
import { newestSeal, sealedCertificate, type Certified } from "../../src/certificate/compose.ts";
import type { MergeMethod } from "../../src/ports.ts";
import { mergePull } from "../../src/simulator/hub/merging.ts";
import type { LineRow } from "../../src/store/ledger.ts";
import type { World } from "../world.ts";

const run = promisify(execFile);

export const idOf = (world: World, issue: number): string => `github:${world.repo.id}#${issue}`;
export const headOf = (world: World, pull: number): string => world.people.thread(pull).pull?.head ?? "";

/** An issue that a person released, with these labels besides. */
export function released(world: World, labels: readonly string[] = []): number {
  const { people } = world;
  const issue = people.openIssue({ by: "bob", title: "Say done", body: "Write src/done.txt." });
  for (const label of [...labels, "agent-ready"]) people.label(issue, label, "bob");
  return issue;
}

/** Reviewed, its CI green, approved by bob and merged by forgehand. */
export async function approvedAndMerged(world: World): Promise<number> {
  const { people } = world;
  const issue = released(world);
  await world.untilState(issue, "In Review");
  await world.settled();
  const pull = await world.pullOf(issue);
  await people.check(headOf(world, pull), "unit", "success");
  await people.status(headOf(world, pull), "lint", "success");
  await people.approve(pull, "bob");
  await world.untilState(issue, "Done");
  await world.settled();
  return issue;
}

/** As a person does by the forge's own button. */
export async function mergeByHand(
  world: World,
  pull: number,
  by: string,
  method: MergeMethod = "squash",
): Promise<void> {
  const thread = world.people.thread(pull);
  if (thread.pull !== undefined) thread.pull.draft = false;
  const merged = await mergePull(world.hub, world.repo, thread, by, { method });
  if (merged === undefined) throw new Error(`#${pull} could not be merged`);
}

export async function certified(world: World, issue: number): Promise<Certified> {
  const lines = await world.forgehand.store.linesOf(idOf(world, issue));
  const found = newestSeal(lines);
  if (found === undefined) throw new Error(`#${issue} has no certificate`);
  return sealedCertificate(lines, found.merged, found.seal);
}

/** The ledger's file, line by line. */
export async function ledgerLines(world: World): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of ledgerFile(pagesOf(world))) lines.push(line);
  return lines;
}
async function* pagesOf(world: World): AsyncGenerator<readonly LineRow[]> {
  const { store } = world.forgehand;
  // Small pages, so that there are several.
  for (let last = 0; ;) {
    const rows = await store.rawLines(last, 7);
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)?.seq ?? last;
  }
}
export async function* fed(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** A clone as somebody has it who fetched everything, pull requests' heads too. */
export async function cloneOf(world: World, name: string): Promise<string> {
  const path = join(world.dir, name);
  cpSync(world.repo.dir, path, { recursive: true });
  return path;
}

export const git = async (dir: string, ...args: readonly string[]): Promise<string> =>
  (
    await run("git", ["-C", dir, ...args], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: "/nonexistent",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_AUTHOR_NAME: "ada",
        GIT_AUTHOR_EMAIL: "ada@localhost",
        GIT_COMMITTER_NAME: "ada",
        GIT_COMMITTER_EMAIL: "ada@localhost",
      },
    })
  ).stdout.trim();
