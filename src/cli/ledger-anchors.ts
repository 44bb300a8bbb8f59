import { existsSync, readFileSync } from "node:fs";
import { openGitHub, type GitHub } from "../adapters/github/app.ts";
import { systemClock } from "../adapters/clock.ts";
import { requireGitHub, type Environment } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { gateCheckName } from "../says-gate.ts";
import type { Repo } from "../ports.ts";
import { redact } from "../secrets.ts";
import type { Sha } from "../state-machine/ticket.ts";
import type { Store } from "../store/store.ts";
import { Failure } from "./output.ts";
import { troubleProblem } from "./trouble.ts";

/** A head of the ledger that was written outside the database. */
export interface Anchor {
  readonly seq: number;
  readonly hash: string;
}

/** Anchors as a person notes them: `LINE:HASH`. */
export function readAnchors({
  anchor = [],
  anchors,
}: {
  readonly anchor?: readonly string[] | undefined;
  readonly anchors?: string | undefined;
}): readonly Anchor[] {
  if (anchors !== undefined && !existsSync(anchors))
    throw new Failure(exitCodes.notFound, `there is no file ${anchors}`);
  const lines = anchors === undefined ? [] : readFileSync(anchors, "utf8").split("\n");
  return [...anchor, ...lines.filter((line) => line.trim() !== "")].map((text) => {
    const match = /^\s*(\d+):([0-9a-f]{64})\s*$/u.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new Failure(
        exitCodes.usage,
        `"${text.trim()}" is no anchor: write LINE:HASH, as the check run of a merge prints them`,
      );
    }
    return { seq: Number(match[1]), hash: match[2] };
  });
}

/** Of each repository so many of the newest merges are asked for by what the forge knows, whatever the database says. */
const newestMerges = 30;

/**
 * Anchors as the gate's check runs of merged pull requests hold them on GitHub, where nobody here can change them: of the
 * tickets that the database calls done, and of the newest merges in each repository, whose tickets it may have lost.
 */
export async function fetchAnchors(environment: Environment, store: Store): Promise<readonly Anchor[]> {
  const settings = requireGitHub(environment);
  const github = openGitHub({
    ...settings,
    userAgent: "forgehand-ledger",
    clock: systemClock(),
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const done = await store.ticketsIn(["Done"]);
  const anchors: Anchor[] = [];
  try {
    for (const repo of await store.knownRepos()) {
      const known = done
        .filter((one) => one.repo === repo.id)
        .flatMap(({ ticket }) => ticket.reviewed ?? ticket.head ?? []);
      for (const head of new Set([...(await mergedHeads(github, repo)), ...known]))
        anchors.push(...(await anchorsAt(github, repo, head)));
    }
  } catch (error) {
    throw troubleProblem(error, settings) ?? error;
  }
  return anchors;
}

async function mergedHeads(github: GitHub, repo: Repo): Promise<readonly Sha[]> {
  const { data } = await github.within("read a pull request", repo, (octokit) =>
    octokit.rest.pulls.list({
      owner: repo.owner,
      repo: repo.name,
      state: "closed",
      sort: "updated",
      direction: "desc",
      per_page: 100,
    }),
  );
  return data
    .filter(({ merged_at }) => merged_at !== null)
    .slice(0, newestMerges)
    .map(({ head }) => head.sha);
}

async function anchorsAt(github: GitHub, repo: Repo, head: Sha): Promise<readonly Anchor[]> {
  const runs = await github.within("read a pull request", repo, (octokit) =>
    octokit.paginate(octokit.rest.checks.listForRef, {
      owner: repo.owner,
      repo: repo.name,
      ref: head,
      check_name: gateCheckName,
      app_id: github.appId,
    }),
  );
  return runs.flatMap(({ output }) => anchorsIn(output.summary ?? ""));
}

function anchorsIn(text: string): readonly Anchor[] {
  return [...text.matchAll(/Ledger line (\d+), hash `([0-9a-f]{64})`/gu)].map(([, seq = "", hash = ""]) => ({
    seq: Number(seq),
    hash,
  }));
}
