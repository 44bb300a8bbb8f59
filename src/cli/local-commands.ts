import { existsSync } from "node:fs";
import type { Command } from "@commander-js/extra-typings";
import { Option } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const aTicket = "its number: 3, #3";

/** A name that is a file of a workflow, and not words about work. */
const isWorkflow = (what: string): boolean =>
  /\.[jt]sx?$/u.test(what) && (existsSync(what) || !/\s/u.test(what));

/** Tickets of the repository somebody stands in, with no account anywhere. */
export function registerLocal(program: Command): void {
  running(program);
  const tickets = program
    .command("ticket")
    .description(
      "tickets of this repository: Markdown files, kept with forgehand's state or in .forgehand/tickets",
    );
  writing(tickets);
  reading(tickets);
}

function running(program: Command): void {
  program
    .command("run")
    .argument("<what>", "what is to be done, the number of a ticket here, or a workflow file (.tsx)")
    .description(
      "take a ticket of this repository from words to a reviewed branch, here (0 done, 3 waits for you, 7 blocked); a workflow file runs as with `workflow run`",
    )
    .option("--body <text>", "more than the title; the lines behind the first count as well")
    .option("--auto-merge", "merge without your approval once it is reviewed")
    .option("--runtime <name>", "who builds; another family reviews")
    .option(
      "--base <branch>",
      "what it grows from and is merged into (default: as before, else the branch you are on)",
    )
    .option("--in-repo", "keep the ticket in .forgehand/tickets of this checkout")
    .option("--unreviewed", "go on where only one family of models is here; you review and merge by hand")
    .addOption(new Option("--input <json>", "of a workflow file: what it takes"))
    .addOption(json())
    .addHelpText(
      "after",
      '\nExamples:\n  forgehand run "fix the flaky date test"\n  forgehand run 3                release ticket 3 as it reads now, or go on with it',
    )
    .action(async (what, options) => {
      if (isWorkflow(what))
        return await answer("workflow-run", options, async () =>
          (await import("./workflow.ts")).start(what, { input: options.input, json: options.json }),
        );
      return await answer("run", options, async () =>
        (await import("./local-run.ts")).runTicket(what, options),
      );
    });
}

function writing(tickets: Command): void {
  tickets
    .command("new")
    .argument("<words>", "its title; lines behind the first are its text")
    .description("write a ticket down; nothing works on it before `forgehand run NUMBER`")
    .option("--body <text>", "its text")
    .option("--label <name...>", "labels, such as auto-merge, runtime/codex, priority/1")
    .option("--in-repo", "keep it in .forgehand/tickets of this checkout")
    .addOption(json())
    .action((words, options) =>
      answer("ticket-new", options, async () =>
        (await import("./local-ticket.ts")).newTicket(words, options),
      ),
    );
  tickets
    .command("edit")
    .argument("<ticket>", aTicket)
    .description("open its file in $VISUAL or $EDITOR")
    .addOption(json())
    .action((name, options) =>
      answer("ticket-edit", options, async () => (await import("./local-ticket.ts")).editTicket(name)),
    );
  tickets
    .command("label")
    .argument("<ticket>", aTicket)
    .argument("<labels...>", "labels to set; one with a dash before it is taken away (put them behind --)")
    .description("set or take labels")
    .addOption(json())
    .action((name, labels, options) =>
      answer("ticket-label", options, async () =>
        (await import("./local-ticket.ts")).labelTicket(name, labels),
      ),
    );
  for (const [verb, closed, description] of [
    ["close", "declined", "give a ticket up; its branch is kept"],
    ["reopen", "open", "open a ticket again"],
  ] as const)
    tickets
      .command(verb)
      .argument("<ticket>", aTicket)
      .description(description)
      .addOption(json())
      .action((name, options) =>
        answer("ticket-close", options, async () =>
          (await import("./local-ticket.ts")).closeTicket(name, closed),
        ),
      );
}

function reading(tickets: Command): void {
  tickets
    .command("ls")
    .description("the open ones")
    .option("-a, --all", "closed ones too")
    .addOption(json())
    .action((options) =>
      answer("ticket-ls", options, async () => (await import("./local-ticket.ts")).listTickets(options)),
    );
  tickets
    .command("show")
    .argument("<ticket>", aTicket)
    .description("its text, what forgehand says of it, and what its reviewer found")
    .addOption(json())
    .action((name, options) =>
      answer("ticket-show", options, async () => (await import("./local-ticket.ts")).showTicket(name)),
    );
}
