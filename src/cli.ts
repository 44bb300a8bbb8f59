#!/usr/bin/env node
// First, so that whatever is loaded lazily below comes from the cache.
import "./cli/compile-cache.ts";
import { Command, CommanderError, Option } from "@commander-js/extra-typings";
import type { Answer } from "./cli/output.ts";

/** Every room behind a command is loaded when it is asked for, so that `--help` costs nothing. */
const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
const json = () => new Option("--json", "one JSON object {schema, data, error} on stdout");
/** Known before the arguments are parsed, because parsing them may be what fails. */
const wantsJson = process.argv.includes("--json");

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
  .showHelpAfterError(
    "(`forgehand help` lists the commands, `forgehand help <command>` one command's options)",
  )
  .configureHelp({ sortSubcommands: false })
  .configureOutput({
    writeErr: (text) => {
      if (!wantsJson) process.stderr.write(text);
    },
  })
  // Inherited by every command below, so it comes first.
  .exitOverride()
  .addHelpText(
    "after",
    () => `
Topics:
  forgehand help environment     every setting, FORGEHAND_*
  forgehand help exit-codes      what a process ends with

Examples:
  forgehand demo                 the whole road on a simulated forge, no account needed
  forgehand doctor               what is missing before \`forgehand up\`, and what to type
  forgehand explain acme/web#42  what a ticket waits for, and what you can do`,
  );

program
  .command("up")
  .description("serve: take webhooks, run tickets, until SIGTERM (drains, then resumes at the next start)")
  .addOption(database())
  .addOption(json())
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
  .addOption(new Option("--json", "one JSON object {schema, data, error} a line"))
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
  .option("--online", "fetch the anchors from the check runs of the merged pull requests")
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

program
  .command("config")
  .description("the configuration of a repository, .github/forgehand.yml")
  .command("schema")
  .description("its JSON schema, for editors")
  .addOption(json())
  .action((options) =>
    answer("config-schema", options, async () => (await import("./cli/config-schema.ts")).configSchema()),
  );

const workflows = program
  .command("workflow")
  .description("durable workflows from a file (.tsx): every step is kept, a killed run goes on where it was");
const workflowDatabase = () =>
  new Option("--database <path>", "where runs are kept (default: .forgehand/workflows.db)");
const input = () => new Option("--input <json>", "what the workflow takes: JSON, or @FILE (default: {})");

workflows
  .command("run")
  .argument("<file>")
  .description("start a run and carry it on until it ends (0, 10 not met) or waits for somebody (3)")
  .addOption(input())
  .option("--run <name>", "what to call the run")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((file, options) =>
    answer("workflow-run", options, async () => (await import("./cli/workflow.ts")).start(file, options)),
  );
workflows
  .command("resume")
  .argument("<run>", "its name, the beginning of it, or `latest`")
  .description("carry a run on that waited, was interrupted or lost its process")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((run, options) =>
    answer("workflow-run", options, async () => (await import("./cli/workflow.ts")).resume(run, options)),
  );
workflows
  .command("ps")
  .description("the newest runs")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((options) =>
    answer("workflow-ps", options, async () => (await import("./cli/workflow.ts")).list(options)),
  );
workflows
  .command("inspect")
  .argument("<run>", "its name, the beginning of it, or `latest`")
  .description("every attempt, what it gave, what the run waits for and the line to type")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((run, options) =>
    answer("workflow-inspect", options, async () =>
      (await import("./cli/workflow.ts")).inspect(run, options),
    ),
  );
for (const [name, decision] of [
  ["approve", "approved"],
  ["deny", "denied"],
] as const) {
  workflows
    .command(name)
    .argument("<run>", "its name, the beginning of it, or `latest`")
    .argument("[leaf]", "which approval, where several wait")
    .description(`${name} what a run waits for`)
    .option("--note <text>", "why", "")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((run, leaf, options) =>
      answer("workflow-answer", options, async () =>
        (await import("./cli/workflow.ts")).answer(run, leaf, { decision, note: options.note }, options),
      ),
    );
}
workflows
  .command("answer")
  .argument("<run>", "its name, the beginning of it, or `latest`")
  .argument("<leaf>", "what waits")
  .argument("<json>", "the answer: JSON, or @FILE")
  .description("answer a choice, a ranking, a question or a signal")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((run, leaf, text, options) =>
    answer("workflow-answer", options, async () =>
      (await import("./cli/workflow.ts")).answer(run, leaf, { json: text }, options),
    ),
  );
workflows
  .command("chat")
  .argument("<run>", "its name, the beginning of it, or `latest`")
  .description("what its agents were asked, said and did, and what they used")
  .option("--task <leaf>", "one task only, an agent's or not")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((run, options) =>
    answer("workflow-chat", options, async () => (await import("./cli/workflow-chat.ts")).chat(run, options)),
  );
workflows
  .command("cancel")
  .argument("<run>", "its name, the beginning of it, or `latest`")
  .description("end a run")
  .addOption(workflowDatabase())
  .addOption(json())
  .action((run, options) =>
    answer("workflow-cancel", options, async () => (await import("./cli/workflow.ts")).cancel(run, options)),
  );
workflows
  .command("check")
  .argument("<file>")
  .description("load a workflow file and show the tree it begins with")
  .addOption(input())
  .addOption(json())
  .action((file, options) =>
    answer("workflow-check", options, async () => (await import("./cli/workflow.ts")).check(file, options)),
  );

/** Wrong usage ends with 4, in the caller's language; asking for help is fine. */
async function refuse(error: CommanderError): Promise<void> {
  const isFine = error.exitCode === 0;
  process.exitCode = isFine ? 0 : 4;
  if (isFine || !wantsJson) return;
  const { envelope, terminal } = await import("./cli/output.ts");
  const message = error.message.replace(/^error: /u, "");
  terminal.out(envelope("usage/1", null, { code: "usage", message }));
}

/** A reader that has seen enough, such as `head`, is no failure. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const [verb, topic] = process.argv.slice(2);
if (verb === undefined) {
  program.outputHelp();
} else if (verb === "help" && topic !== undefined && /^(?:exit-codes|environment)$/u.test(topic)) {
  const { topics } = await import("./cli/help-topics.ts");
  process.stdout.write(`${topics[topic]?.() ?? ""}\n`);
} else {
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    await refuse(error);
  }
}
