import type { Key } from "../ports.ts";
import { Trouble } from "../ports.ts";
import type { LinearFacts } from "../ports-linear-issues.ts";
import { linearTicketId } from "../state-machine/ticket-id.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import type { Say, Sender } from "../webhooks/heard.ts";
import type { LinearActor } from "../webhooks/read-linear.ts";
import type { SessionHint, SessionTools } from "./hear-session.ts";
import { senderOf } from "./linear-people.ts";
import { repositoryOf } from "./linear-repository.ts";
import type { Read } from "./said.ts";
import type { LinearSide, Workshop } from "./workshop.ts";

/** Reads what somebody says about an issue, once it is known where that belongs. */
type Tell = (
  facts: LinearFacts,
  stored: Stored | undefined,
  speak: (repo: KnownRepo) => Promise<{ readonly sender: Sender; readonly says: readonly Say[] }>,
) => Promise<Read>;

/** What is said in a session, read like what is said on its issue. */
export function sessionTools(
  shop: Workshop,
  linear: LinearSide,
  hint: SessionHint,
  tell: Tell,
): SessionTools {
  const { workspace } = hint;
  const issueOf = (): { readonly workspace: string; readonly issue: string } => {
    if (hint.issue === undefined) throw new Error("an agent session on no issue releases nothing");
    return { workspace, issue: hint.issue };
  };
  const speaker = (by: LinearActor, repo: KnownRepo): Promise<Sender> =>
    senderOf(shop, linear, by, { repo, workspace });
  return {
    told: async (by, says) => {
      const ref = issueOf();
      const facts = await linear.issues.ticket(ref);
      if (facts === undefined) return { ignored: "the issue is gone", refused: "the issue is gone" };
      const stored = await shop.store.load(linearTicketId(ref));
      const read = await tell(facts, stored, async (repo) => ({
        sender: await speaker(by, repo),
        says: [says],
      }));
      const refused = "ignored" in read ? /^refused: (?:\w+: )?(.+)$/su.exec(read.ignored)?.[1] : undefined;
      return refused === undefined ? read : { ...read, refused };
    },
    permissionOf: async (by) => {
      const repo = await repositoryOf(shop, linearTicketId(issueOf()));
      if (repo === undefined) return { login: "linear:nobody", permission: "none" };
      const { login, kind } = await speaker(by, repo);
      return { login, permission: kind === "person" ? await shop.forge.permission(repo, login) : "none" };
    },
    text: async () => (await linear.issues.ticket(issueOf())) ?? gone(),
    appendToSpec: async (marker, text) => {
      const key = `${hint.session} ${marker}` as Key;
      return (await linear.issues.appendToSpec(key, issueOf(), marker, text)) ?? gone();
    },
  };
}

function gone(): never {
  throw new Trouble("linear-gone", "The issue is gone, so nothing can be added to it.", { permanent: true });
}
