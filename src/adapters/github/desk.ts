/** What an operator asks of GitHub by hand. */
import type { Octokit } from "@octokit/rest";
import type { Instant, Repo } from "../../ports.ts";
import type { ForgeDesk } from "../../ports-host.ts";
import type { GitHub } from "./app.ts";
import { readMerging } from "./ci-seen.ts";
import { readAttempts } from "./delivery-log.ts";
import { unless } from "./trouble.ts";

/** Clocks differ, and an attempt is listed by when it was made. */
const marginMs = 60_000;

export function githubDesk(
  github: GitHub,
  labelsOf: (repo: Repo) => readonly { readonly name: string }[],
): ForgeDesk {
  return {
    redeliver: (guid, since) =>
      github.asApp("ask for a delivery again", (octokit) => redeliver(octokit, guid, since)),
    missingLabels: async (repo) => {
      const there = await github.within("read an issue", repo, (octokit) =>
        octokit.paginate(octokit.rest.issues.listLabelsForRepo, {
          owner: repo.owner,
          repo: repo.name,
          per_page: 100,
        }),
      );
      const names = new Set(there.map(({ name }) => name.toLowerCase()));
      return labelsOf(repo)
        .map(({ name }) => name)
        .filter((name) => !names.has(name.toLowerCase()));
    },
    merging: (repo) => readMerging(github, repo),
  };
}

async function redeliver(octokit: Octokit, guid: string, since: Instant): ReturnType<ForgeDesk["redeliver"]> {
  const found = (await readAttempts(octokit, since - marginMs)).find((one) => one.guid === guid);
  if (found === undefined) return "forgotten";
  const asked = await unless(
    [404, 410],
    octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: found.id }),
  );
  return asked === undefined ? "forgotten" : "asked";
}
