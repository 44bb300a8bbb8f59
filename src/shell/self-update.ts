/** Updates of forgehand itself, as tickets ask for them: no work on a repository, so no state of the table is theirs. */
import type { Repo } from "../ports.ts";
import { doneText, failedText, refusals, refusedText, startedText, unsupervised } from "../says-update.ts";
import type { UpdateWanted } from "../webhooks/facts.ts";
import { openLoop, type Loop } from "./loop.ts";
import type { Updates } from "./updates.ts";
import type { Workshop } from "./workshop.ts";

/** By which everything is halted while a new version proves itself. */
export const onTrial = { id: "update", ref: "a new version of forgehand" } as const;

/** Hands an update on that an operator asked for on an issue, and answers there. */
export async function askForUpdate(
  shop: Workshop,
  repo: Repo,
  number: number,
  wants: UpdateWanted,
): Promise<string> {
  const issue = { repo: repo.id, number };
  const answer =
    "refused" in wants
      ? { refused: refusals[wants.refused](wants.by) }
      : (shop.updates?.ask({ ...wants, issue }) ?? { refused: unsupervised });
  const tell = async (key: string, is: "asked" | "refused", text: string): Promise<void> => {
    await shop.store.sendForeign(key, { type: "update.tell", ...issue, is, text }, shop.clock.now());
    shop.poke("outbox");
  };
  if ("refused" in answer) {
    await tell(
      `update-refused:${repo.id}#${number}:${answer.refused}`,
      "refused",
      refusedText(answer.refused),
    );
    return `self-update refused: ${answer.refused}`;
  }
  await tell(`update-asked:${answer.asked}`, "asked", startedText(answer.version, wants.by));
  return `self-update ${answer.asked} asked for`;
}

const soonMs = 250;
const lookMs = 2_000;

/** Tells how an update ended, and lifts what held everything back while it was on trial. */
export function openSelfUpdates(shop: Workshop, updates: Updates, goOn: () => void): Loop {
  const { store, clock, log } = shop;
  return openLoop({
    name: "self-updates",
    clock,
    log,
    work: async () => {
      if (updates.supervised === "no" && (await store.setting(`halt-all:${onTrial.id}`)) === undefined)
        return undefined;
      const end = updates.untold();
      if (end === undefined) return clock.now() + (updates.trial === "yes" ? soonMs : lookMs);
      const { issue, id } = end;
      if (issue !== undefined)
        await store.sendForeign(
          `update-ended:${id}`,
          {
            type: "update.tell",
            ...issue,
            is: end.is === "healthy" ? "done" : "failed",
            text: end.is === "healthy" ? doneText(end) : failedText(end),
          },
          clock.now(),
        );
      await store.liftHalt(onTrial.id);
      updates.told(id);
      log.info({ ...end }, "a self-update ended");
      goOn();
      for (const loop of ["outbox", "schedule", "questions"] as const) shop.poke(loop);
      return clock.now() + lookMs;
    },
  });
}
