/** What pages of runs and of logs work with besides the store. */
import type { AnyWorkflow, Definition, RunRow, Sql, TravelTools } from "../../engine/index.ts";
import type { Viewer } from "../../ports-dashboard-viewer.ts";
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
  readonly sql: Sql;
  readonly readLog: ReadLogPiece;
  /** Where what an attempt of a workflow file's run said is kept. */
  logOf(place: AttemptPlace): string;
  /** The workflow as the run last went on with it. Throws where there is none to render, with the reason. */
  workflowOf(row: RunRow): Promise<AnyWorkflow>;
  /** A workflow file as it is now. Throws the same. */
  loadFile(source: string): Promise<{ readonly workflow: AnyWorkflow; readonly definition: Definition }>;
  readonly travel: Omit<TravelTools, "sql" | "now">;
  /** What differs between two states that a folder was kept as. */
  diff(folder: string, from: string, to: string): Promise<string>;
  /** For a new run of this workflow. */
  newName(workflow: string): string;
  /** Has the engine look. */
  poke(): void;
}

/** Everything an order is carried out with. */
export interface Ordered {
  readonly desk: RunDesk;
  readonly row: RunRow;
  readonly viewer: Viewer;
  readonly note: string;
  readonly at: number;
}
