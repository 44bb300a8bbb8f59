import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

/** The look at everything `up` needs, and the attack on this very configuration. */
export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "check this host, the GitHub App, its repositories and the runtimes; each failing line says what to type",
    )
    .addOption(
      new Option(
        "--fix",
        "do what is safe and ours: labels, file modes, leftovers, the database's log and migrations",
      ),
    )
    .option("-n, --dry-run", "with --fix: only tell what would be done")
    .addOption(new Option("--deep", "let each runtime do one small turn, which spends tokens"))
    .addOption(
      new Option(
        "--redteam",
        "play an injection corpus with a gullible agent against this configuration, on a simulated forge",
      ).conflicts(["fix", "deep"]),
    )
    .addOption(
      new Option(
        "--repo <path>",
        "with --redteam: a checkout whose .github/forgehand.yml is put to the test",
      ),
    )
    .addOption(new Option("--quick", "with --redteam: only the attacks that need no agent"))
    .addOption(new Option("--inside <file>").hideHelp())
    .addOption(
      new Option(
        "--database <path>",
        "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
      ),
    )
    .addOption(json())
    .action(({ redteam, repo, quick, inside, ...options }) =>
      redteam === true
        ? answer("redteam", options, async () =>
            (await import("./doctor-redteam.ts")).doctorRedteam({ repo, quick, inside }),
          )
        : answer("doctor", options, async () => (await import("./doctor.ts")).doctor(options)),
    );
}
