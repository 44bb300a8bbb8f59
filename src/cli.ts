#!/usr/bin/env node
import { Command, Option } from "@commander-js/extra-typings";
import type { Answer } from "./cli/output.ts";

/** Every room behind a command is loaded when it is asked for, so that `--help` costs nothing. */
const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
const json = () => new Option("--json", "one JSON object {schema, data, error} on stdout");

async function answer(
  schema: string,
  options: { readonly json?: true | undefined },
  work: () => Promise<Answer>,
): Promise<void> {
  const { fail, print } = await import("./cli/output.ts");
  try {
    print(await work(), options);
  } catch (error) {
    fail(error, { ...options, schema: `${schema}/1` });
  }
}

const program = new Command("forgehand")
  .description("A hand for your forge: labelled issues become reviewed, merged pull requests.")
  .version("0.1.0")
  .showSuggestionAfterError()
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    "after",
    () => `
Examples:
  forgehand demo                 the whole road on a simulated forge, no account needed
  forgehand explain acme/web#42  what a ticket waits for, and what you can do

Exit codes: 0 ok · 1 failed · 2 cancelled · 3 waits for a person · 4 usage or configuration · 5 not found
  6 permission · 7 budget · 8 remote unavailable · 9 locked by another instance`,
  );

program
  .command("up")
  .description("serve: take webhooks, run tickets, until SIGTERM (drains, then resumes at the next start)")
  .addOption(database())
  .action(async (options) => {
    const { up } = await import("./cli/up.ts");
    await up(options);
  });

program
  .command("demo")
  .description("the whole road on a simulated forge: one ticket flagged, two merged")
  .addOption(
    new Option("--agents <kind>", "who does the work")
      .choices(["scripted", "real"] as const)
      .default("scripted" as const),
  )
  .option(
    "--dir <path>",
    "where to keep the demo's database, repositories and logs (default: a new temporary folder)",
  )
  .addOption(json())
  .action(async (options) => {
    const { demo } = await import("./cli/demo.ts");
    await demo(options);
  });

program
  .command("ps")
  .description("open tickets: state, round, age, cost, what comes next")
  .option("-a, --all", "finished ones too")
  .addOption(database())
  .addOption(json())
  .action((options) => answer("ps", options, async () => (await import("./cli/ps.ts")).ps(options)));

program
  .command("explain")
  .argument("<ticket>", "42, owner/repo#42 or an id")
  .description("what a ticket waits for, since when, what happens next, what you can do")
  .addOption(database())
  .addOption(json())
  .action((ticket, options) =>
    answer("explain", options, async () => (await import("./cli/explain.ts")).explain(ticket, options)),
  );

program
  .command("inspect")
  .argument("<ticket>", "42, owner/repo#42 or an id")
  .description("timeline of every transition with actor, reason and cost; agents; effects")
  .addOption(database())
  .addOption(json())
  .action((ticket, options) =>
    answer("inspect", options, async () => (await import("./cli/inspect.ts")).inspect(ticket, options)),
  );

program
  .command("logs")
  .argument("<ticket>", "42, owner/repo#42 or an id")
  .description("what the agents said")
  .option("-f, --follow", "go on as they speak")
  .addOption(database())
  .addOption(json())
  .action(async (ticket, options) => {
    const { logs } = await import("./cli/logs.ts");
    try {
      await logs(ticket, options);
    } catch (error) {
      (await import("./cli/output.ts")).fail(error, { ...options, schema: "logs/1" });
    }
  });

for (const [name, description] of [
  ["approve", "approve the pull request at exactly its present head"],
  ["retry", "reset the counters of a blocked ticket and go on"],
  ["stop", "end the work on a ticket; branch and worktree are kept"],
] as const) {
  program
    .command(name)
    .argument("<ticket>", "42, owner/repo#42 or an id")
    .description(description)
    .addOption(database())
    .addOption(json())
    .action((ticket, options) =>
      answer(name, options, async () => (await import("./cli/act.ts")).act(name, ticket, options)),
    );
}

program
  .command("ledger")
  .description("the append-only record of every transition")
  .command("verify")
  .description("recompute the chain, play it again, compare the tickets")
  .option("--anchor <line:hash...>", "a head written elsewhere, as in the check run of a merge")
  .option("--anchors <file>", "a file with one such anchor a line")
  .addOption(database())
  .addOption(json())
  .action((options) =>
    answer("ledger-verify", options, async () => (await import("./cli/ledger.ts")).verify(options)),
  );

program
  .command("doctor")
  .description(
    "check this host, the GitHub App, its repositories and the runtimes; each failing line says what to type",
  )
  .addOption(database())
  .addOption(json())
  .action((options) =>
    answer("doctor", options, async () => (await import("./cli/doctor.ts")).doctor(options)),
  );

program.exitOverride((error) => {
  // Wrong usage is exit code 4; help and version are fine.
  process.exit(error.exitCode === 0 ? 0 : 4);
});
await program.parseAsync();
