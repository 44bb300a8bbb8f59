import type { Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const aPlace = "a file, a checkout (here when left out), or OWNER/REPO as the App sees it";

/** What a repository says about how it wants to be served. */
export function registerConfig(program: Command): void {
  const config = program
    .command("config")
    .description("the configuration of a repository, .github/forgehand.yml");
  config
    .command("schema")
    .description("its JSON schema, for editors")
    .addOption(json())
    .action((options) =>
      answer("config-schema", options, async () => (await import("./config-schema.ts")).configSchema()),
    );
  config
    .command("validate")
    .argument("[place]", `${aPlace}; \`-\` reads a file from stdin`)
    .description("tell what is wrong with it, as FILE:LINE:COLUMN; ends with 4 when anything is")
    .addOption(json())
    .action((place, options) =>
      answer("config-validate", options, async () =>
        (await import("./config-validate.ts")).configValidate(place),
      ),
    );
  config
    .command("print")
    .argument("[place]", aPlace)
    .description("the configuration as it counts, with every default")
    .option("--origin", "each value with where it comes from")
    .addOption(json())
    .action((place, options) =>
      answer("config-print", options, async () =>
        (await import("./config-print.ts")).configPrint(place, options),
      ),
    );
  config
    .command("migrate")
    .argument("[path]", "a checkout, or the workflow file in it (here when left out)")
    .description("turn a WORKFLOW.md of Symphony into .github/forgehand.yml; without --write only show it")
    .option("--write", "write the file; one that exists is never overwritten")
    .addOption(json())
    .action((path, options) =>
      answer("config-migrate", options, async () =>
        (await import("./config-migrate.ts")).configMigrate(path, options),
      ),
    );
}
