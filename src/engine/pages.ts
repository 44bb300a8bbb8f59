/** What pages ask about runs: by page, by number, and what hangs together; nothing here carries a run on. */
import { one, type Verb } from "../sql.ts";
import { readMemory, type AgentMemory } from "./agent-memory.ts";

/** An attempt by the number of its row. */
export interface NumberedAttempt {
  readonly seq: number;
  readonly run: string;
  readonly leaf: string;
  readonly iteration: string;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** Undefined where no agent works. */
  readonly memory: AgentMemory | undefined;
}
export function* attemptNumbered(seq: number): Verb<NumberedAttempt | undefined> {
  const row = yield* one<{
    seq: number;
    run: string;
    leaf: string;
    iteration: string;
    attempt: number;
    started_at: number;
    ended_at: number | null;
    memory: string | null;
  }>(
    "select seq, run, leaf, iteration, attempt, started_at, ended_at, memory from attempt where seq = ?",
    seq,
  );
  return (
    row && {
      seq: row.seq,
      run: row.run,
      leaf: row.leaf,
      iteration: row.iteration,
      attempt: row.attempt,
      startedAt: row.started_at,
      endedAt: row.ended_at ?? undefined,
      memory: row.memory === null ? undefined : readMemory(JSON.parse(row.memory)),
    }
  );
}
