import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "look only here (otherwise: the runs of this folder, and the tickets of FORGEHAND_DATABASE)",
  );
const whatever =
  "a ticket (42, owner/repo#42, ENG-42), a run (its name, the beginning of it, `latest`) or RUN:LEAF";
const aRun = "a run: its name, the beginning of it, or `latest`";

/** Verbs that take a name and find out what it names. */
export function registerVerbs(program: Command): void {
  looking(program);
  listening(program);
  deciding(program);
  steering(program);
}

function looking(program: Command): void {
  program
    .command("why")
    .alias("explain")
    .argument("<name>", whatever)
    .description("what it waits for, since when, what happens next, and the line to type")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("explain", options, async () => (await import("./verbs.ts")).why(text, options)),
    );
  program
    .command("inspect")
    .argument("<name>", whatever)
    .description("its whole story: every transition or attempt with reason, result and cost")
    .option("--task <leaf>", "of a run: only this task, with what it gave in full")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("inspect", options, async () => (await import("./verbs.ts")).inspect(text, options)),
    );
}

/** What is said, as it is said. */
function listening(program: Command): void {
  program
    .command("logs")
    .argument("<name>", whatever)
    .description("what the agents said; of a run also what happened")
    .option("-f, --follow", "go on as they speak, to the end of the ticket or run")
    .option("--raw", "as their runtimes said it: stdout to stdout, stderr to stderr")
    .addOption(database())
    .addOption(new Option("--json", "one JSON object {schema, data, error} a line"))
    .action(async (text, options) => {
      const { logs } = await import("./verbs.ts");
      try {
        await logs(text, options);
      } catch (error) {
        (await import("./output.ts")).fail(error, { ...options, schema: "logs/1" });
      }
    });
  program
    .command("chat")
    .argument("<run>", aRun)
    .description("what the agents of a run were asked, said, did and used")
    .option("--task <leaf>", "only this task")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("workflow-chat", options, async () =>
        (await import("./verbs.ts")).runOnly(text, options, async (run, at) =>
          (await import("./workflow-chat.ts")).chat(run, { ...options, ...at }),
        ),
      ),
    );
}

function deciding(program: Command): void {
  for (const [name, decision, description] of [
    [
      "approve",
      "approved",
      "approve what it waits for; of a ticket the pull request at exactly its present head",
    ],
    ["deny", "denied", "deny what a run waits for"],
  ] as const) {
    program
      .command(name)
      .argument("<name>", whatever)
      .argument("[leaf]", "which approval, where a run waits for several; of a ticket the head you looked at")
      .description(description)
      .option("--note <text>", "why", "")
      .addOption(database())
      .addOption(json())
      .action((text, leaf, options) =>
        answer(name, options, async () => (await import("./verbs.ts")).decide(decision, text, leaf, options)),
      );
  }
  program
    .command("reject")
    .argument("<ticket>", "a ticket: 42, owner/repo#42, ENG-42")
    .argument("<why>", "what is to change")
    .description("ask for changes to what a ticket has built; the next build reads your words")
    .addOption(database())
    .addOption(json())
    .action((text, why, options) =>
      answer("reject", options, async () => (await import("./verbs.ts")).reject(text, why, options)),
    );
  for (const [name, description] of [
    ["answer", "answer a choice, a ranking or a question of a run"],
    ["signal", "tell a run what it waits to be told"],
  ] as const) {
    program
      .command(name)
      .argument("<run>", aRun)
      .argument("<leaf>", "what waits")
      .argument("<json>", "the answer: JSON, or @FILE")
      .description(description)
      .addOption(database())
      .addOption(json())
      .action((text, leaf, given, options) =>
        answer("workflow-answer", options, async () =>
          (await import("./verbs.ts")).runOnly(text, options, async (run, at) =>
            (await import("./workflow.ts")).answer(run, leaf, { json: given }, at),
          ),
        ),
      );
  }
}

function steering(program: Command): void {
  program
    .command("retry")
    .argument("<name>", whatever)
    .argument("[task]", "which task of a run; otherwise what it failed by")
    .description("go on: a blocked ticket with fresh counters, a failed run with its failed task")
    .addOption(database())
    .addOption(json())
    .action((text, task, options) =>
      answer("retry", options, async () => (await import("./verbs.ts")).retry(text, task, options)),
    );
  program
    .command("budget")
    .argument("<ticket>", "a ticket: 42, owner/repo#42, ENG-42")
    .argument("<dollars>", "how much more it may spend")
    .description("allow a ticket that has spent its budget more; it goes on where it stopped")
    .addOption(database())
    .addOption(json())
    .action((text, dollars, options) =>
      answer("budget", options, async () => (await import("./verbs.ts")).raise(text, dollars, options)),
    );
  program
    .command("stop")
    .alias("cancel")
    .argument("<name>", whatever)
    .description("end the work on a ticket (branch and worktree are kept), or a run")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("stop", options, async () => (await import("./verbs.ts")).end(text, options)),
    );
  program
    .command("resume")
    .argument("<run>", aRun)
    .description("carry a run on that waited, was interrupted or lost its process")
    .option("--accept", "go on with its file as it was edited since")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("workflow-run", options, async () =>
        (await import("./verbs.ts")).runOnly(text, options, async (run, at) =>
          (await import("./workflow.ts")).resume(run, { ...options, ...at }),
        ),
      ),
    );
  program
    .command("pause")
    .argument("<run>", aRun)
    .description("hold a run: what is at work ends, nothing begins, until `resume`")
    .addOption(database())
    .addOption(json())
    .action((text, options) =>
      answer("pause", options, async () =>
        (await import("./verbs.ts")).runOnly(text, options, async (run, at) =>
          (await import("./workflow-attach.ts")).pause(run, at),
        ),
      ),
    );
  program
    .command("attach")
    .argument("<run>", aRun)
    .argument("[task]", "whose agent; otherwise the newest")
    .description("take an agent's session over in this terminal, in its folder; the run is held meanwhile")
    .option("--print", "only show the line to type")
    .addOption(database())
    .addOption(json())
    .action((text, task, options) =>
      answer("attach", options, async () =>
        (await import("./verbs.ts")).runOnly(text, options, async (run, at) =>
          (await import("./workflow-attach.ts")).attach(run, task, { ...options, ...at }),
        ),
      ),
    );
}
