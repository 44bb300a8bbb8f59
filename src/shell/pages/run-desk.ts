/** What pages of runs and of logs work with besides the store. */
import type { Sql } from "../../engine/index.ts";
import type { ReadLogPiece } from "../../session-logs.ts";

/** One attempt of a run, by what names it for ever. */
export interface AttemptPlace {
  readonly run: string;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
}
export interface RunDesk {
  /** The engine's rows. */
  readonly sql: Pick<Sql, "read" | "commit">;
  readonly readLog: ReadLogPiece;
  /** Where what an attempt of a workflow file's run said is kept. */
  logOf(place: AttemptPlace): string;
}
