/** Asks the launcher for another version, and hears from it how that ended: both by the one file it keeps. */
import { createHash } from "node:crypto";
import { redact } from "../secrets.ts";
import type { UpdateOrder, Updates } from "../shell/updates.ts";
import { supervisedVariable, trialVariable } from "./child.ts";
import { isOver, readUpdate, writeUpdate, type UpdateState } from "./state.ts";

/** An order, or why it cannot be given now. One that was given already is not given again. */
export function askLauncher(
  folder: string,
  order: Omit<UpdateOrder, "issue"> & { readonly issue?: UpdateOrder["issue"] | undefined },
  { from, now }: { readonly from: string; readonly now: number },
): ReturnType<Updates["ask"]> {
  const { version, integrity, by, issue } = order;
  const known = readUpdate(folder);
  const isSame = known?.version === version && known.integrity === integrity && sameIssue(known, order);
  if (known !== undefined && !isOver(known))
    return isSame
      ? { asked: known.id, version }
      : { refused: `an update to ${known.version} is under way; ask again when it has ended` };
  if (version === from) return { refused: `it is ${version} already` };
  // The word on how the last one ended is still to be said.
  if (known !== undefined && known.told !== true)
    return { refused: `the update to ${known.version} has only just ended; ask again in a moment` };
  const id = createHash("sha256")
    .update(JSON.stringify([order, now]))
    .digest("hex")
    .slice(0, 16);
  const state: UpdateState = { id, version, integrity, by, at: now, from, step: "asked", tries: 0 };
  writeUpdate(folder, issue === undefined ? state : { ...state, issue });
  return { asked: id, version };
}

const sameIssue = (known: UpdateState, { issue }: { readonly issue?: UpdateOrder["issue"] | undefined }) =>
  known.issue?.repo === issue?.repo && known.issue?.number === issue?.number;

export interface DeskOptions {
  readonly folder: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

/** What a process that serves knows of its own updates. */
export function updateDesk({ folder, version, env, now }: DeskOptions): Updates {
  const isSupervised = env[supervisedVariable] === "1";
  return {
    supervised: isSupervised ? "yes" : "no",
    trial: isSupervised && env[trialVariable] !== undefined ? "yes" : "no",
    ask: (order) =>
      isSupervised
        ? askLauncher(folder, order, { from: version, now: now() })
        : { refused: "it was not started as `forgehand up --supervised`" },
    untold: () => {
      const state = readUpdate(folder);
      if (state === undefined || !isOver(state) || state.told === true) return undefined;
      const { id, from, step, why = "", restored = false, issue } = state;
      // `isOver` leaves these three.
      const is = step as "healthy" | "rolled-back" | "refused";
      return { id, version: state.version, from, is, why: redact(why), restored, issue };
    },
    told: (id) => {
      const state = readUpdate(folder);
      if (state?.id === id) writeUpdate(folder, { ...state, told: true });
    },
  };
}
