import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );

/** What keeps a forgehand safe over years: backups, halts, newer versions. */
export function registerSafety(program: Command): void {
  backups(program);
  halts(program);
  versions(program);
}

function backups(program: Command): void {
  program
    .command("backup")
    .argument("[path]", "a file that is not there, or a folder (default: this one)")
    .description("one file with everything that cannot be made again; `up` goes on meanwhile")
    .option("--with-secrets", "the App's key and the other secret settings too")
    .option("--no-key", "leave the key out that seals tokens in the database")
    .option("--verify", "check the whole ledger of the copy as well")
    .addOption(database())
    .addOption(json())
    .action((path, options) =>
      answer("backup", options, async () => (await import("./backup.ts")).backup(path, options)),
    );
  program
    .command("restore")
    .argument("<file>", "a backup")
    .description("put a backup in the place of what is there, which is kept beside it")
    .option("--to <dir>", "a data folder of its own, in place of the one that the settings name")
    .option("--yes", "in the place of a database that is there")
    .option("--stop", "have the forgehand that serves drain and end first")
    .addOption(json())
    .action((file, options) =>
      answer("restore", options, async () => (await import("./restore.ts")).restore(file, options)),
    );
}

function halts(program: Command): void {
  const what = "a ticket (42, owner/repo#42, ENG-42), or all of a repository (owner/repo)";
  for (const [verb, is, one, all] of [
    [
      "halt",
      "raised",
      "stop the work on it, and keep it stopped",
      "nothing starts, is sent or pushed, anywhere",
    ],
    [
      "unhalt",
      "lifted",
      "lift what `halt` said; a label is lifted by taking it off",
      "lift what `halt-all` said",
    ],
  ] as const) {
    program
      .command(verb)
      .argument("<name>", what)
      .description(one)
      .addOption(database())
      .addOption(json())
      .action((name, options) =>
        answer("halt", options, async () => (await import("./halt.ts")).halt(is, name, options)),
      );
    program
      .command(`${verb}-all`)
      .description(all)
      .addOption(database())
      .addOption(json())
      .action((options) =>
        answer("halt-all", options, async () => (await import("./halt.ts")).haltAll(is, options)),
      );
  }
}

function versions(program: Command): void {
  program
    .command("self-update")
    .argument("[version]", "exactly one: 1.2.3")
    .description("have `up --supervised` replace itself by a version that is pinned by its hash")
    .option("--integrity <hash>", "sha512-…, as `npm view forgehand@VERSION dist.integrity` prints it")
    .option("--status", "only tell where the last one stands")
    .addOption(database())
    .addOption(json())
    .action((version, options) =>
      answer("self-update", options, async () =>
        (await import("./self-update.ts")).selfUpdate(version, options),
      ),
    );
  program
    .command("upgrade")
    .description(
      "what this version would do to the database at its start; `up` does it, with a copy from before",
    )
    .requiredOption("--check", "only look, which is all it does")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("upgrade", options, async () => (await import("./self-update.ts")).checkUpgrade(options)),
    );
}
