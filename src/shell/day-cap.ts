/** What everything may cost on a day: as the settings say, until an operator says otherwise of today. */
import type { Clock } from "../ports.ts";
import type { Setting } from "../store/settings.ts";
import type { Store } from "../store/store.ts";
import { dayCapsOf, dayStart, type DayCaps } from "./day.ts";

/** Under which an operator's word on one day is kept. */
export const dayCapMark = "day-cap";

/** What was said of one day, by whom. */
interface Said {
  readonly day: number;
  readonly usd: number;
  readonly by: string;
  readonly at: number;
}
export const capText = (usd: number, now: number): string => JSON.stringify({ day: dayStart(now), usd });

function saidIn(setting: Setting | undefined): Said | undefined {
  if (setting === undefined) return undefined;
  try {
    // As `capText` wrote it; anything else says nothing.
    const { day, usd } = JSON.parse(setting.value) as { readonly day?: unknown; readonly usd?: unknown };
    return typeof day === "number" && typeof usd === "number" && usd > 0
      ? { day, usd, by: setting.actor, at: setting.at }
      : undefined;
  } catch {
    return undefined;
  }
}

export interface DayCap {
  /** As the settings say. */
  readonly namedUsd: number;
  /** As it is now. */
  usd(): number;
  /** Who said otherwise of today. */
  raised(): Said | undefined;
  /** Takes what is kept; called whenever that was written. */
  take(setting: Setting | undefined): void;
}

export function openDayCap(namedUsd: number, clock: Pick<Clock, "now">): DayCap {
  let kept: Said | undefined;
  const raised = (): Said | undefined => (kept?.day === dayStart(clock.now()) ? kept : undefined);
  return {
    namedUsd,
    raised,
    usd: () => raised()?.usd ?? namedUsd,
    take: (setting) => (kept = saidIn(setting)),
  };
}

/** The caps of today for a command, which is another process than the one that was told. */
export async function dayCapsToday(
  store: Pick<Store, "setting">,
  named: Parameters<typeof dayCapsOf>[0],
  now: number,
): Promise<DayCaps> {
  const caps = dayCapsOf(named);
  const kept = saidIn(await store.setting(dayCapMark));
  return kept?.day === dayStart(now) ? { ...caps, dayStopUsd: kept.usd } : caps;
}
