import type { Heard } from "../webhooks/heard.ts";
import type { KnownRepo } from "../store/repos.ts";
import type { Stored } from "../store/tickets.ts";
import { branchPrefix } from "./branch.ts";
import type { Workshop } from "./workshop.ts";

/** Who sets the label that releases a ticket most likely may, and it begins at once: where branches are is asked meanwhile. */
export function foresee(
  shop: Workshop,
  { says, target, sender }: Heard,
  repo: KnownRepo,
  stored: Stored | undefined,
): void {
  if (says.type !== "labelled" || !("issue" in target) || sender.kind !== "person") return;
  if (says.label.toLowerCase() !== shop.rulesOf(repo).config.labels["agent-ready"].toLowerCase()) return;
  shop.foresight?.expect(shop.remoteOf(repo), stored?.branch ?? branchPrefix(target.issue));
}
