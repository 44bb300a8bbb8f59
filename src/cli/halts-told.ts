import { lookFirst } from "../shell/halt-marks.ts";
import { onTrial } from "../shell/self-update.ts";
import type { Setting } from "../store/settings.ts";
import type { Store } from "../store/store.ts";

/** Everything that is halted, in words, with what lifts each. */
export interface HaltTold {
  readonly what: string;
  readonly fix: string;
}

export async function haltsTold(store: Store): Promise<readonly HaltTold[]> {
  const { everything, repos } = await store.halts();
  return [
    ...everything.map((halt) => ({ what: `everything is halted by ${saidBy(halt)}`, fix: liftOf(halt) })),
    ...repos.map((halt) => ({
      what: `${halt.value} is halted by ${saidBy(halt)}`,
      fix: `forgehand unhalt ${halt.value}`,
    })),
  ];
}

const saidBy = ({ actor, at }: Setting): string => `${actor} since ${new Date(at).toISOString()}`;

/** What lifts it. */
export function liftOf({ key, value }: Setting): string {
  switch (key.slice("halt-all:".length)) {
    case "operator":
      return "forgehand unhalt-all";
    case lookFirst.id:
      return "start `forgehand up`: it looks at the forge and lifts this by itself; `forgehand unhalt-all` does not wait for that";
    case onTrial.id:
      return "it is lifted when the new version has proved itself or was rolled back: `forgehand self-update --status`; `forgehand up --supervised` brings it to its end";
    default:
      return `take the label forgehand:halt-all off ${value}`;
  }
}
