import { dirname, resolve } from "node:path";
import { ownSettings } from "./own-settings.ts";
import { plain, terminal } from "./output.ts";

/**
 * Ends what runs of this database left at work when their process died: processes of this host, and what the operator's
 * sandboxes hold elsewhere, whose work is brought home. Loaded when there is something to end.
 */
export function orphansEnder(database: string): (runs: readonly string[]) => Promise<void> {
  return async (runs) => {
    const [{ sweep }, { runMarks }, { openHousing }] = await Promise.all([
      import("../adapters/processes/agent-process.ts"),
      import("../adapters/processes/run-marks.ts"),
      import("../adapters/sandboxes/quarters.ts"),
    ]);
    await sweep(...runs.map(runMarks(database).of));
    const environment = ownSettings();
    const { recover } = openHousing({ ...environment, dataDir: dirname(resolve(database)) }, process.env);
    await recover((line) => terminal.err(`${plain(line)}\n`));
  };
}
