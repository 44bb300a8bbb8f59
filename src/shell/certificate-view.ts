import { newestSeal, sealedCertificate } from "../certificate/compose.ts";
import { gapWords } from "../certificate/words.ts";
import { canonical } from "../review/canonical.ts";
import type { CertificateView } from "../says.ts";
import type { Line } from "../store/ledger.ts";

/** The certificate of the newest merge as our texts show it; undefined until it is sealed. */
export function certificateView(lines: readonly Line[]): CertificateView | undefined {
  const found = newestSeal(lines);
  if (found === undefined) return undefined;
  const { certificate, hash } = sealedCertificate(lines, found.merged, found.seal);
  return {
    hash,
    line: found.seal.seq,
    json: JSON.stringify(certificate, undefined, 2),
    compact: canonical(certificate),
    gaps: certificate.gaps.map((gap) => gapWords[gap]),
    url: certificate.pull === null ? undefined : `${certificate.pull.url}/checks`,
  };
}
