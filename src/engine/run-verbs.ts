import { pauseRun, resumeRun } from "./pause.ts";
import { cancelRun, startRun } from "./store.ts";

/** How a run is begun, ended, held and resumed inside a transaction of somebody else's. */
export const runVerbs = { start: startRun, cancel: cancelRun, hold: pauseRun, resume: resumeRun } as const;
