import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";
import { registerTravel } from "./travel-commands.ts";

const workflowDatabase = () =>
  new Option("--database <path>", "where runs are kept (default: .forgehand/workflows.db)");
const input = () => new Option("--input <json>", "what the workflow takes: JSON, or @FILE (default: {})");

/** The verbs of durable workflows. Each loads its own code when it is called. */
export function registerWorkflows(program: Command): void {
  const workflows = program
    .command("workflow")
    .description(
      "durable workflows from a file (.tsx): every step is kept, a killed run goes on where it was",
    );
  carrying(workflows);
  looking(workflows);
  answering(workflows);
  ending(workflows);
  registerTravel(workflows, "runs");
}

/** Verbs that carry runs on. */
function carrying(workflows: Command): void {
  workflows
    .command("run")
    .argument("<file>")
    .description("start a run and carry it on until it ends (0, 10 not met) or waits for somebody (3)")
    .addOption(input())
    .option("--run <name>", "what to call the run")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((file, options) =>
      answer("workflow-run", options, async () => (await import("./workflow.ts")).start(file, options)),
    );
  workflows
    .command("resume")
    .argument("<run>", "its name, the beginning of it, or `latest`")
    .description("carry a run on that waited, was interrupted or lost its process")
    .option("--accept", "go on with the file as it was edited since")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-run", options, async () => (await import("./workflow.ts")).resume(run, options)),
    );
  workflows
    .command("up")
    .description("carry on every run here: what is answered, due or interrupted, until SIGINT or SIGTERM")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((options) =>
      answer("workflow-up", options, async () => (await import("./workflow-up.ts")).up(options)),
    );
}

/** Verbs that only read. */
function looking(workflows: Command): void {
  workflows
    .command("ps")
    .description("the newest runs")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((options) =>
      answer("workflow-ps", options, async () => (await import("./workflow.ts")).list(options)),
    );
  workflows
    .command("inspect")
    .argument("<run>", "its name, the beginning of it, or `latest`")
    .description("every attempt, what it gave, what the run waits for and the line to type")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-inspect", options, async () => (await import("./workflow.ts")).inspect(run, options)),
    );
  workflows
    .command("chat")
    .argument("<run>", "its name, the beginning of it, or `latest`")
    .description("what its agents were asked, said and did, and what they used")
    .option("--task <leaf>", "one task only, an agent's or not")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-chat", options, async () => (await import("./workflow-chat.ts")).chat(run, options)),
    );
}

/** Verbs that answer what a run waits for. */
function answering(workflows: Command): void {
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
          (await import("./workflow.ts")).answer(run, leaf, { decision, note: options.note }, options),
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
        (await import("./workflow.ts")).answer(run, leaf, { json: text }, options),
      ),
    );
}

/** Verbs that end runs, and that need none. */
function ending(workflows: Command): void {
  workflows
    .command("cancel")
    .argument("<run>", "its name, the beginning of it, or `latest`")
    .description("end a run")
    .addOption(workflowDatabase())
    .addOption(json())
    .action((run, options) =>
      answer("workflow-cancel", options, async () => (await import("./workflow.ts")).cancel(run, options)),
    );
  workflows
    .command("check")
    .argument("<file>")
    .description("load a workflow file and show the tree it begins with")
    .addOption(input())
    .addOption(json())
    .action((file, options) =>
      answer("workflow-check", options, async () => (await import("./workflow.ts")).check(file, options)),
    );
  workflows
    .command("graph")
    .argument("<file>")
    .description("draw the tree it begins with, for Mermaid")
    .addOption(input())
    .addOption(json())
    .action((file, options) =>
      answer("workflow-graph", options, async () =>
        (await import("./workflow.ts")).check(file, options, "graph"),
      ),
    );
  workflows
    .command("ls")
    .argument("[folder]", "where to look (default: .forgehand/workflows and workflows)")
    .description("the workflow files here, and what each takes")
    .addOption(json())
    .action((folder, options) =>
      answer("workflow-ls", options, async () => (await import("./workflow-list.ts")).listFiles(folder)),
    );
}
