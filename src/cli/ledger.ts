import { exitCodes } from "../problems.ts";
import { verifyLedger } from "../shell/verify-ledger.ts";
import { atDesk } from "./database.ts";
import type { Answer } from "./output.ts";

interface VerifyOptions {
  readonly database?: string | undefined;
  /** `LINE:HASH`, as printed in a merge's check run. */
  readonly anchor?: readonly string[] | undefined;
  /** A file with one such anchor a line. */
  readonly anchors?: string | undefined;
  /** Fetch them from GitHub. */
  readonly online?: true | undefined;
}

/** Recomputes the ledger's chain, plays it again and compares the tickets. */
export async function verify(options: VerifyOptions): Promise<Answer> {
  const { fetchAnchors, readAnchors } = await import("./ledger-anchors.ts");
  const given = readAnchors(options);
  return await atDesk(options, "read", async ({ store, environment }) => {
    const fetched = options.online === true ? await fetchAnchors(environment, store) : [];
    const anchors = [...given, ...fetched];
    const verified = await verifyLedger(store, anchors);
    const holds = verified.faults.length === 0;
    return {
      schema: "ledger-verify/1",
      data: { holds, anchors: anchors.length, ...verified },
      text: holds
        ? `The ledger holds: ${verified.lines} lines, ${verified.tickets} tickets rebuilt and equal, ${anchors.length} anchors met.\nhead ${verified.lines}:${verified.head}`
        : [
            "The ledger does not hold:",
            ...verified.faults.map((fault) => `line ${fault.seq}: ${fault.why}`),
          ].join("\n"),
      exit: holds ? exitCodes.ok : exitCodes.failed,
      ...(holds && anchors.length === 0
        ? {
            hint: "a cut tail whose tickets were changed too shows only against anchors: add --online, or --anchor LINE:HASH from the check run of a merge",
          }
        : {}),
    };
  });
}
