import { existsSync, readFileSync } from "node:fs";
import { openGitHub } from "../adapters/github/app.ts";
import { systemClock } from "../adapters/clock.ts";
import { requireGitHub, type Environment } from "../config-environment.ts";
import { exitCodes } from "../problems.ts";
import { gateCheckName } from "../says-gate.ts";
import { redact } from "../secrets.ts";
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

/** Anchors as the gate's check runs of merged pull requests hold them on GitHub, where nobody here can change them. */
export async function fetchAnchors(environment: Environment, store: Store): Promise<readonly Anchor[]> {
  const settings = requireGitHub(environment);
  const github = openGitHub({
    ...settings,
    userAgent: "forgehand-ledger",
    clock: systemClock(),
    remember: { get: async () => undefined, set: async () => undefined },
    scrub: redact,
  });
  const anchors: Anchor[] = [];
  try {
    for (const { ticket, repo: id } of await store.ticketsIn(["Done"])) {
      const repo = await store.repoById(id);
      const head = ticket.reviewed ?? ticket.head;
      if (repo === undefined || repo.removedAt !== undefined || head === undefined) continue;
      const runs = await github.within("read a pull request", repo, (octokit) =>
        octokit.paginate(octokit.rest.checks.listForRef, {
          owner: repo.owner,
          repo: repo.name,
          ref: head,
          check_name: gateCheckName,
          app_id: github.appId,
        }),
      );
      for (const { output } of runs) anchors.push(...anchorsIn(output.summary ?? ""));
    }
  } catch (error) {
    throw troubleProblem(error, settings) ?? error;
  }
  return anchors;
}

function anchorsIn(text: string): readonly Anchor[] {
  return [...text.matchAll(/Ledger line (\d+), hash `([0-9a-f]{64})`/gu)].map(([, seq = "", hash = ""]) => ({
    seq: Number(seq),
    hash,
  }));
}
