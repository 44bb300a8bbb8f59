/** Orders to runs that programs give: each once under its key. What it was answered is kept; that it was begun is kept before. */
import { hash } from "node:crypto";
import type { RunOrderAsked, RunOrderReply } from "../ports-dashboard-api.ts";
import type { RunCommands, RunOrder, RunOrderAnswer } from "../ports-dashboard-runs.ts";
import type { Viewer } from "../ports-dashboard-viewer.ts";
import type { Store } from "../store/store.ts";

export interface RunsOnceOptions {
  readonly store: Pick<Store, "answerOnce" | "changeAnswer" | "dropAnswer">;
  readonly now: () => number;
}
/** Kept while nobody knows the answer. */
const underWay = JSON.stringify({ is: "unsure" } satisfies RunOrderReply);

/** One name for whoever gives it and their key, whatever is ordered. */
export const keyName = ({ who }: Viewer, key: string): string =>
  `api:${hash("sha256", JSON.stringify([who, key]))}`;

export function openRunOrdersOnce(
  { store, now }: RunsOnceOptions,
  runs: RunCommands,
): (viewer: Viewer, asked: RunOrderAsked) => Promise<RunOrderReply> {
  /** Of this process: whoever repeats one hears the same. */
  const atWork = new Map<string, Promise<RunOrderAnswer>>();
  const give = async (viewer: Viewer, wanted: RunOrder, id: string): Promise<RunOrderAnswer> => {
    let answer: RunOrderAnswer;
    try {
      answer = await runs.give(viewer, wanted);
    } catch (error) {
      // What failed was taken back, or is stale by now: the same may be sent again.
      await store.dropAnswer(id);
      throw error;
    }
    if (answer.is === "unknown" || answer.is === "forbidden") await store.dropAnswer(id);
    else await store.changeAnswer(id, JSON.stringify(answer));
    return answer;
  };
  return async (viewer, { wanted, key }) => {
    if (key === undefined) return await runs.give(viewer, wanted);
    const id = keyName(viewer, key);
    const claim = { id, asked: JSON.stringify(["run", wanted]), answer: underWay, at: now() };
    const kept = await store.answerOnce(claim);
    if (kept.asked !== claim.asked) return { is: "reused" };
    // As it was written here.
    if (kept !== claim) return (await atWork.get(id)) ?? (JSON.parse(kept.answer) as RunOrderReply);
    const answer = give(viewer, wanted, id);
    atWork.set(id, answer);
    return await answer.finally(() => atWork.delete(id));
  };
}
