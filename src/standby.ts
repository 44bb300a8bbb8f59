/** Whether a process that has opened its database may already act, and what it tells of itself. */
import type { Clock } from "./ports.ts";
import { lookFirst } from "./shell/halt-marks.ts";
import { onTrial } from "./shell/self-update.ts";
import type { Updates } from "./shell/updates.ts";
import type { Store } from "./store/store.ts";
import { ownVersion } from "./version.ts";
import type { Health } from "./webhooks/server.ts";

/** While it is on, no run goes on: the world must be looked at first, or a new version prove itself. */
export interface Standby {
  isOn(): boolean;
  /** Looks again whether it still is. */
  look(): Promise<void>;
}

/** Raises what a trial, or its end, asks for, before anything starts. */
export async function openStandby(
  store: Store,
  updates: Updates | undefined,
  clock: Clock,
): Promise<Standby> {
  if (updates?.trial === "yes") await store.raiseHalt(onTrial, "forgehand", clock.now());
  // The copy from before a trial knows as little of what happened meanwhile as any other backup.
  if (updates?.untold()?.restored === true) await store.raiseHalt(lookFirst, "forgehand", clock.now());
  let isOn = false;
  const look = async (): Promise<void> => {
    const marks = await Promise.all([onTrial, lookFirst].map(({ id }) => store.setting(`halt-all:${id}`)));
    isOn = marks.some((mark) => mark !== undefined);
  };
  await look();
  return { isOn: () => isOn, look };
}

/** Well is who can read its own database; whoever asks also learns which version answers. */
export const healthOf = (store: Store) => async (): Promise<Health> => {
  const version = ownVersion();
  try {
    await store.inboxCounts();
    return { ok: "yes", version };
  } catch (error) {
    return { ok: "no", version, why: error instanceof Error ? error.message : String(error) };
  }
};
