import type { SpecHash } from "../state-machine/ticket.ts";
import type { Facts, UpdateWanted } from "./facts.ts";
import type { Sender } from "./heard.ts";

const versionLine =
  /^\W{0,6}version\W{1,6}v?(\d{1,6}\.\d{1,6}\.\d{1,6}(?:-[0-9A-Za-z][0-9A-Za-z.-]{0,60})?)\W{0,6}$/gimu;
const integrityLine = /^\W{0,6}integrity\W{1,6}(sha512-[A-Za-z0-9+/]{86}==)\W{0,6}$/gimu;

/**
 * What the label `forgehand:self-update` on this issue comes to. It counts from an operator on the list alone, whatever
 * others may do in the repository, and only for the text that stood there when they set it.
 */
export function updateWanted(
  sender: Sender,
  spoken: SpecHash | undefined,
  { operators = [], issue, spec }: Pick<Facts, "operators" | "issue" | "spec">,
): UpdateWanted {
  const { login, kind } = sender;
  const isListed = operators.some((one) => one.toLowerCase() === login.toLowerCase());
  if (kind !== "person" || !isListed) return { refused: "no operator", by: login };
  if (spoken === undefined || spoken !== spec) return { refused: "text changed", by: login };
  const text = (issue?.body ?? "").slice(0, 20_000);
  const [version, ...otherVersions] = [...text.matchAll(versionLine)].map(([, found = ""]) => found);
  const [integrity, ...otherHashes] = [...text.matchAll(integrityLine)].map(([, found = ""]) => found);
  if (version === undefined || integrity === undefined || otherVersions.length + otherHashes.length > 0)
    return { refused: "text wrong", by: login };
  return { version, integrity, by: login };
}
