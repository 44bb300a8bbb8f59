import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

/** What is done to Linear's boards by hand. */
export function registerLinear(program: Command): void {
  const linear = program.command("linear").description("the boards of Linear");
  linear
    .command("setup")
    .description("tell which states and labels of ours the boards lack, and create them")
    .option("--workspace <name>", "only this one, by name, URL key or id")
    .option("--team <key>", "only this team")
    .option("-n, --dry-run", "only tell what would be created")
    .addOption(new Option("-y, --yes", "create without asking").conflicts("dryRun"))
    .addOption(
      new Option(
        "--database <path>",
        "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
      ),
    )
    .addOption(json())
    .action((options) =>
      answer("linear-setup", options, async () => (await import("./linear-setup.ts")).linearSetup(options)),
    );
}
