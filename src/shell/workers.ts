import type { Worker } from "../state-machine/evidence.ts";
import type { SessionSummary } from "../store/sessions.ts";
import { didWork } from "./built-by.ts";

/** The sessions that reviewed in this run. */
export const reviewsIn = (sessions: readonly SessionSummary[], run: string): readonly SessionSummary[] =>
  sessions.filter((one) => one.run === run && one.role === "review" && one.model !== null && didWork(one));

/** Who worked in these sessions, each once, with all the models they were seen on. */
export function workersOf(sessions: readonly SessionSummary[]): readonly Worker[] {
  const workers = new Map<string, Worker & { readonly models: string[] }>();
  for (const { runtime, family, model, modelBy } of sessions) {
    const seen = modelBy === "configured" ? "configured" : "observed";
    const key = JSON.stringify([runtime, family, seen]);
    const worker = workers.get(key) ?? { runtime, family: family ?? "unknown", models: [], seen };
    workers.set(key, worker);
    if (model !== null && !worker.models.includes(model)) worker.models.push(model);
  }
  return [...workers.values()];
}
