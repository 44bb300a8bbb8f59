import { existsSync, readFileSync } from "node:fs";
import { exitCodes } from "../problems.ts";
import { verifyLedger } from "../shell/verify-ledger.ts";
import { openDesk } from "./database.ts";
import { Failure, type Answer } from "./output.ts";

interface VerifyOptions {
  readonly database?: string | undefined;
  /** `SEQ:HASH`, as printed in a merge's check run. */
  readonly anchor?: readonly string[] | undefined;
  /** A file with one such anchor a line. */
  readonly anchors?: string | undefined;
}

/** Recomputes the ledger's chain, plays it again and compares the tickets. */
export async function verify(options: VerifyOptions): Promise<Answer> {
  const anchors = readAnchors(options);
  const { store, sql } = openDesk(options.database);
  const verified = await verifyLedger(store, anchors);
  sql.close();
  const [first] = verified.faults;
  const text =
    first === undefined
      ? `The ledger holds: ${verified.lines} lines, ${verified.tickets} tickets rebuilt and equal, ${anchors.length} anchors met.\nhead ${verified.lines}:${verified.head}`
      : [
          "The ledger does not hold:",
          ...verified.faults.map((fault) => `line ${fault.seq}: ${fault.why}`),
        ].join("\n");
  return {
    schema: "ledger-verify/1",
    data: verified,
    text,
    exit: first === undefined ? exitCodes.ok : exitCodes.failed,
  };
}

function readAnchors({
  anchor = [],
  anchors,
}: VerifyOptions): readonly { readonly seq: number; readonly hash: string }[] {
  if (anchors !== undefined && !existsSync(anchors))
    throw new Failure(exitCodes.notFound, `there is no file ${anchors}`);
  const lines =
    anchors === undefined
      ? []
      : readFileSync(anchors, "utf8")
          .split("\n")
          .filter((line) => line.trim() !== "");
  return [...anchor, ...lines].map((text) => {
    const match = /^\s*(\d+):([0-9a-f]{64})\s*$/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) {
      throw new Failure(
        exitCodes.usage,
        `"${text.trim()}" is no anchor: write LINE:HASH, as the check run of a merge prints them`,
      );
    }
    return { seq: Number(match[1]), hash: match[2] };
  });
}
