import { renderMerge } from "../config-template.ts";
import * as says from "../says.ts";
import { forCommit } from "../untrusted.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { summaryOf, viewOf } from "./view.ts";
import type { Workshop } from "./workshop.ts";

/** GitHub shows no more of a subject, and refuses far longer ones. */
const maxTitle = 250;
const maxBody = 10_000;

/** What the merge commit says: as the repository's templates want it, else as usual; our trailers always follow. */
export async function mergeMessageOf(
  shop: Workshop,
  stored: Stored,
  repo: KnownRepo,
): Promise<{ readonly title: string; readonly body: string }> {
  const view = await viewOf(shop, stored, repo);
  const summary = await summaryOf(shop, stored);
  const usual = says.mergeMessage(view, summary);
  const { title, body } = shop.rulesOf(repo).config.merge;
  if (title === undefined && body === undefined) return usual;
  const { ticket } = stored;
  // The template is the repository's own; what is put into it others wrote.
  const line = (text: string): string => forCommit(text.replace(/[\s\u0085\u2028\u2029]+/g, " ")).trim();
  const values = {
    ticket: {
      ref: stored.ref,
      number: stored.number,
      title: line(stored.title).slice(0, 200),
      url: stored.url,
      author: line(stored.author),
    },
    repo: { owner: repo.owner, name: repo.name, default_branch: repo.defaultBranch },
    pull: { number: ticket.pull ?? 0, branch: stored.branch, head: ticket.head ?? "" },
    work: {
      summary: forCommit(summary).trim().slice(0, 2_000),
      builder: line(view.builder ?? ""),
      reviewer: line(view.reviewer ?? ""),
      approved_by: line(view.approvedBy ?? ""),
    },
  };
  const first = title === undefined ? "" : oneLine(renderMerge(title, values)).slice(0, maxTitle);
  return {
    title: first === "" ? usual.title : first,
    body:
      body === undefined
        ? usual.body
        : [renderMerge(body, values).trim().slice(0, maxBody), "", ...says.mergeTrailers(view)]
            .join("\n")
            .trim(),
  };
}

const oneLine = (text: string): string => text.replace(/[\s\u0085\u2028\u2029]+/g, " ").trim();
