import { attemptValue, issueValues } from "../config-issue.ts";
import { renderPrompt } from "../config-template.ts";
import type { RepoConfig } from "../config.ts";
import type { Role } from "../ports-agents.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { WorkFacts } from "../workflows/work.ts";
import { issueOf } from "./act.ts";
import type { Workshop } from "./workshop.ts";

/** The repository's own templates for each role, filled with what is known of the ticket. */
export async function furtherOf(
  place: {
    readonly shop: Pick<Workshop, "tracker">;
    readonly config: RepoConfig;
    readonly stored: Stored;
    readonly repo: KnownRepo;
  },
  { title, body }: { readonly title: string; readonly body: string },
): Promise<WorkFacts["further"]> {
  const { config, stored, repo } = place;
  const templates = (["gate", "build", "review", "mediate"] as const).flatMap((role) => {
    const text = config.prompts[role];
    return text === undefined ? [] : [{ role, text }];
  });
  if (templates.length === 0) return {};
  const { ticket, ref, url, author, branch, priority } = stored;
  const run = { attempt: ticket.counters.attempts + 1, round: ticket.counters.cycles + 1, branch };
  const values = {
    ticket: { ref, title: stored.title, url, author },
    repo: { owner: repo.owner, name: repo.name, default_branch: repo.defaultBranch },
    run,
    issue: issueValues(
      { id: ticket.id, ref, title, body, url, state: ticket.state, branch, priority },
      await askedFor(place, templates.map(({ text }) => text).join("\n")),
    ),
    attempt: attemptValue(run),
  };
  const further: Partial<Record<Role, string>> = {};
  for (const { role, text } of templates) further[role] = renderPrompt(text, values);
  return further;
}

/** What only the tracker knows, asked for where a template mentions it. */
async function askedFor(
  { shop, stored, repo }: Parameters<typeof furtherOf>[0],
  text: string,
): Promise<Parameters<typeof issueValues>[1]> {
  const issue = issueOf({ repo, stored });
  const [facts, blockers] = await Promise.all([
    /\b(?:labels|updated_at)\b/u.test(text) ? shop.tracker.ticket(issue) : undefined,
    /\bblocked_by\b/u.test(text) ? shop.tracker.dependencies(issue) : [],
  ]);
  return {
    labels: facts?.labels.map((label) => label.toLowerCase()) ?? [],
    updated_at: facts === undefined ? null : new Date(facts.updatedAt).toISOString(),
    blocked_by: blockers.map(({ ref, is }) => ({ id: ref, identifier: ref, state: is })),
  };
}
