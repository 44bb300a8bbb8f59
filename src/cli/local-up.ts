/** `forgehand up` without an App: serves the tickets of the repository somebody stands in, and the workflows of the folder. */
import { envelope, terminal } from "./output.ts";
import { openServing } from "./local-run.ts";
import type { LocalRepository } from "./local-repository.ts";
import { openLocal } from "./local-serve.ts";
import { databaseOf } from "./workflow-database.ts";
import { carryAll } from "./workflow-up.ts";

/** The first signal drains, a second one does not wait. */
export interface Signals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
}

/** Serves until a signal. Whoever has only one family of agents is told, and served all the same. */
export async function upLocal(
  repository: LocalRepository,
  signals: Signals,
  options: { readonly json?: true | undefined; readonly drainMs: number },
): Promise<void> {
  const serving = await openServing({ unreviewed: true }, repository);
  const forgehand = await openLocal(serving);
  const { database } = repository.environment;
  if (options.json === true)
    terminal.out(
      envelope("up/1", { url: forgehand.url, webhooks: null, database, repository: repository.top }),
    );
  else
    terminal.err(
      `no GitHub App is set: forgehand serves the tickets of ${repository.top} (base ${serving.ground.base}), dashboard ${forgehand.url} (\`forgehand open\`), database ${database}\n`,
    );
  const runs = carryAll(databaseOf({}));
  await signals.first;
  terminal.err("draining: runs go on, nothing new starts; signal again to interrupt them\n");
  const hurry = signals.second.then(() => forgehand.stop(0));
  await Promise.all([Promise.race([forgehand.stop(options.drainMs), hurry]), runs.close()]);
}
