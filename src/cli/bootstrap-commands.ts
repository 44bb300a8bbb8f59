import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

/** `forgehand bootstrap`, loaded when it is called. */
export function registerBootstrap(program: Command): void {
  program
    .command("bootstrap")
    .argument("<repository>", "owner/repo on GitHub, or the path of a clone (./web)")
    .description(
      "set a repository up: one pull request (or, for a path, one branch) with configuration, house rules and skills",
    )
    .option("-n, --dry-run", "print the patch and the reasons, and write nothing")
    .option("--check", "tell how what is there differs from what would be generated; exit 1 when it does")
    .option("--update", "propose what a newer forgehand would generate, merged with what people edited")
    .option("--again", "propose it although its pull request was closed")
    .option(
      "--verify",
      "run set-up and tests once in a clone of its own, and state the time (default when proposing)",
    )
    .option("--no-verify", "do not run them")
    .addOption(
      new Option(
        "--skills <how>",
        "how agents find the skills outside .agents (default: as before, else link)",
      ).choices(["link", "copy"] as const),
    )
    .option("--agent", "after the merge, open a ticket that asks for the repository's own part of AGENTS.md")
    .addOption(json())
    .action((repository, options) =>
      answer("bootstrap", options, async () =>
        (await import("./bootstrap.ts")).bootstrap(repository, options),
      ),
    );
}
