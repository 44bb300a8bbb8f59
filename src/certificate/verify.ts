/** Verifies a certificate offline: from itself, a clone and the ledger as a file. */
import { digest } from "../review/canonical.ts";
import { familyNamed, familyOfAll, isByGit, judgePairing } from "../review/pairing.ts";
import type { Digest, Worker } from "../state-machine/evidence.ts";
import type { Line } from "../store/ledger.ts";
import { cloneFaults, type Clone } from "./clone.ts";
import { differences } from "./compare.ts";
import { isSealOf, sealedCertificate } from "./compose.ts";
import type { Fault } from "./fault.ts";
import { readLedgerFile, type Anchor } from "./ledger-file.ts";
import type { Certificate } from "./schema.ts";

/** A certificate as it was handed over, with what may come along. */
export interface Handed {
  readonly certificate: Certificate;
  readonly hash?: Digest | undefined;
  /** The findings in full, of which the certificate holds the hash. */
  readonly findings?: readonly unknown[] | undefined;
}
export interface Verification {
  readonly faults: readonly Fault[];
  readonly hash: Digest;
  /** The newest line of the ledger, and the one that seals the certificate. */
  readonly head: Anchor;
  readonly sealedIn: number | undefined;
}

/** What does not agree; nothing, when it holds. */
export async function verifyCertificate(
  { certificate, hash, findings }: Handed,
  sources: {
    readonly clone: Clone;
    readonly ledger: AsyncIterable<string>;
    readonly anchors: readonly Anchor[];
  },
): Promise<Verification> {
  const own = digest(certificate);
  const read = await readLedgerFile(sources.ledger, certificate.ticket, sources.anchors);
  const failed = (...faults: readonly Fault[]): Verification => ({
    faults,
    hash: own,
    head: read.head,
    sealedIn: undefined,
  });
  if (read.faults.length > 0) return failed(...read.faults);
  const found = linesOf(certificate, read.lines, read.head);
  if ("field" in found) return failed(found);
  const { merged, seal } = found;
  const again = remade(read.lines, merged, seal);
  if ("field" in again) return failed(again);
  const faults: Fault[] = [
    ...differences(certificate, again.certificate).map(({ field, said, found: is }) => ({
      field,
      why: `the certificate says ${short(said)}, the ledger comes to ${short(is)}`,
    })),
    ...sealFaults(seal, again.hash, hash, own),
    ...verdictFaults(read.lines, certificate),
    ...findingsFaults(certificate, findings),
    ...familyFaults(again.certificate),
    ...(await cloneFaults(sources.clone, certificate)),
  ];
  return { faults, hash: own, head: read.head, sealedIn: seal.seq };
}

const short = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

/** The line that tells of the merge, and the one that seals its certificate. */
function linesOf(
  { ticket, ledger, merge }: Certificate,
  lines: readonly Line[],
  head: Anchor,
): { readonly merged: Line; readonly seal: Line } | Fault {
  if (ledger.line > head.seq)
    return {
      field: "ledger.line",
      why: `the ledger ends with line ${head.seq}, and the certificate is anchored in line ${ledger.line}: the export is older than the merge, or was cut`,
      do: "forgehand ledger export > ledger.ndjson",
    };
  if (lines.length === 0) return { field: "ticket", why: `the ledger has no line of ${ticket}` };
  const merges = lines.filter(({ event }) => event.type === "pr.merged");
  const merged = merges.find(({ seq }) => seq === ledger.line);
  if (merged === undefined) {
    const other = merges.find(({ event }) => event.type === "pr.merged" && event.merge === merge.commit);
    return {
      field: "ledger.line",
      why: `line ${ledger.line} tells of no merge of ${ticket}${other === undefined ? "" : `; line ${other.seq} does`}`,
    };
  }
  const seal = lines.find((line) => isSealOf(line, merged));
  return seal === undefined
    ? {
        field: "ledger",
        why: `no line up to ${head.seq} seals a certificate of that merge: the export is older than the certificate, or was cut`,
        do: "forgehand ledger export > ledger.ndjson",
      }
    : { merged, seal };
}

function remade(
  lines: readonly Line[],
  merged: Line,
  seal: Line,
): ReturnType<typeof sealedCertificate> | Fault {
  try {
    return sealedCertificate(lines, merged, seal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { field: "ledger", why: `line ${merged.seq} or ${seal.seq} does not hold what it must: ${why}` };
  }
}

function sealFaults(seal: Line, again: Digest, told: Digest | undefined, own: Digest): readonly Fault[] {
  const sealed = seal.event.type === "merge.certified" ? seal.event.certificate : "";
  return [
    ...(sealed === again
      ? []
      : [{ field: "ledger", why: `line ${seal.seq} seals ${sealed}, and its lines come to ${again}` }]),
    ...(sealed === own
      ? []
      : [{ field: "hash", why: `the certificate's hash is ${own}, and line ${seal.seq} seals ${sealed}` }]),
    ...(told === undefined || told === own
      ? []
      : [{ field: "hash", why: `the file says ${told}, and the certificate's hash is ${own}` }]),
  ];
}

/** The verdict's hash as it was noted down with the verdict. */
function verdictFaults(lines: readonly Line[], { review }: Certificate): readonly Fault[] {
  const event = lines.find(({ seq }) => seq === review?.line)?.event;
  const noted = event?.type === "review.passed" ? event.evidence?.verdict : undefined;
  return noted === undefined || review?.evidence == null || noted === review.evidence.verdict
    ? []
    : [{ field: "review.evidence.verdict", why: `line ${review.line} noted down ${noted}` }];
}

function findingsFaults({ review }: Certificate, findings: Handed["findings"]): readonly Fault[] {
  if (findings === undefined) return [];
  const seen = review?.evidence?.findings;
  return seen?.hash === digest(findings)
    ? []
    : [{ field: "findings", why: `they are not the findings whose hash the certificate holds` }];
}

/** A pass counts only between different makers, each as the models themselves tell. */
function familyFaults({ review, builders }: Certificate): readonly Fault[] {
  if (review?.outcome !== "passed" || review.evidence === null) return [];
  const { reviewers } = review.evidence;
  const misnamed = [...wrongly("builders", builders), ...wrongly("review.evidence.reviewers", reviewers)];
  if (builders.length === 0) return [{ field: "builders", why: "nobody saw who built it" }];
  if (reviewers.length === 0)
    return [{ field: "review.evidence.reviewers", why: "nobody saw who reviewed it" }];
  if (builders.some(isByGit) && reviewers.some(({ family }) => familyNamed(family) === "unknown"))
    return [...misnamed, { field: "review.evidence.reviewers", why: "nobody saw which model reviewed it" }];
  const pairs = builders
    .filter((builder) => !isByGit(builder))
    .flatMap((builder) =>
      reviewers.map((reviewer) =>
        judgePairing({ builder: familyNamed(builder.family), reviewer: familyNamed(reviewer.family) }),
      ),
    );
  const alike = pairs.find((pair) => pair.is === "blocked");
  return alike === undefined
    ? misnamed
    : [...misnamed, { field: "review.evidence.reviewers", why: alike.why }];
}

const wrongly = (field: string, workers: readonly Worker[]): readonly Fault[] =>
  workers.flatMap((worker, index) => {
    const { family, models, seen } = worker;
    return seen === "configured" || isByGit(worker) || familyOfAll(models) === family
      ? []
      : [{ field: `${field}.${index}.family`, why: `${models.join(", ")} is no model of ${family}` }];
  });
