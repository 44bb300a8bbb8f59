/** What a line of the ledger stands on, each with the place where it can be looked at. Pure. */
import type { ProofView } from "../../ports-dashboard-ticket.ts";
import { short } from "../../says.ts";
import type { RunId } from "../../state-machine/ticket.ts";
import type { Line } from "../../store/ledger.ts";

export interface ProofPlaces {
  /** `https://host/owner/name`; undefined where the forge is this host. */
  readonly forge: string | undefined;
}

/** The page of a run. */
export const runHref = (run: RunId): string => `/runs/${encodeURIComponent(run)}`;

export function proofsOf({ event, eventId }: Line, { forge }: ProofPlaces): readonly ProofView[] {
  const at = (path: string): string | undefined => (forge === undefined ? undefined : `${forge}/${path}`);
  const proofs: ProofView[] = [];
  if ("run" in event && event.run !== undefined)
    proofs.push({ name: `run ${event.run.slice(event.run.lastIndexOf("/") + 1)}`, href: runHref(event.run) });
  if ("pull" in event) proofs.push({ name: `pull request #${event.pull}`, href: at(`pull/${event.pull}`) });
  if ("head" in event && event.type !== "merge.certified")
    proofs.push({ name: `commit ${short(event.head)}`, href: at(`commit/${event.head}`) });
  if (event.type.startsWith("checks.") && "head" in event)
    proofs.push({ name: "checks", href: at(`commit/${event.head}/checks`) });
  if (event.type === "pr.merged" && event.merge !== "")
    proofs.push({ name: `merge ${short(event.merge)}`, href: at(`commit/${event.merge}`) });
  if (event.type === "merge.certified")
    proofs.push({
      name: `certificate ${event.certificate.slice(0, 12)}`,
      href: event.facts.pull === null ? undefined : `${event.facts.pull.url}/checks`,
    });
  const source = sourceOf(eventId);
  return source === undefined ? proofs : [...proofs, { name: source, href: undefined }];
}

/** Which item of the inbox told it. */
function sourceOf(eventId: string): string | undefined {
  // `<item>#<ticket>#<event>`; an id of its own names what was said, such as a review.
  const item = /^(.+?)#[a-z]+:.*#[a-z.-]+(?:#\d+)?$/u.exec(eventId)?.[1] ?? eventId;
  if (item.startsWith("run:")) return undefined;
  if (item.startsWith("web:") || item.startsWith("op:")) return `order ${item.slice(0, 12)}`;
  return /^[\da-f]{8}-[\da-f-]{27}$/iu.test(item) ? `delivery ${item}` : item.slice(0, 80);
}
