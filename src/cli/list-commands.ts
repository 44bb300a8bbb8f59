import { InvalidArgumentError, Option, type Command } from "@commander-js/extra-typings";
import { costKeys } from "../ports-dashboard-costs.ts";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, the repository's own where no App is set, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
const mostListed = 500;
function numberIn(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0 && number <= mostListed) return number;
  throw new InvalidArgumentError(`a whole number from 1 to ${mostListed}.`);
}

/** What the pages of the dashboard list, on the command line. */
export function registerLists(program: Command): void {
  program
    .command("waiting")
    .description("what waits for a person: approvals, and what is stuck")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("waiting/2", options, async () => (await import("./waiting.ts")).waiting(options)),
    );
  program
    .command("history")
    .argument("[words...]", "in the name or the title")
    .description("tickets that are over and open, newest first: outcome, rounds, time, cost, what was done")
    .option("--repo <owner/name>", "only of this repository")
    .option("--runtime <name>", "only those this runtime worked on")
    .addOption(
      new Option("--outcome <outcome>", "only those that ended so").choices([
        "merged",
        "cancelled",
        "blocked",
        "open",
      ] as const),
    )
    .option("--label <name>", "only with this label")
    .option("--since <day>", "ended, or came to where they stand, since: 7d, 2026-01-31")
    .option("--until <day>", "and not after that day")
    .addOption(new Option("--limit <n>", "how many").argParser(numberIn).default(50))
    .option("--after <next>", "go on where a list ended, as it said")
    .addOption(database())
    .addOption(json())
    .action((words, options) =>
      answer("history", options, async () => (await import("./history.ts")).history(words, options)),
    );
  program
    .command("cost")
    .description("what agents cost, in days of UTC; today and this month beside the caps")
    .addOption(new Option("--by <what>", "what is summed by").choices(costKeys).default("day" as const))
    .option("--since <day>", "from then on: 7d, 2026-01-31", "7d")
    .addOption(database())
    .addOption(json())
    .action((options) => answer("cost", options, async () => (await import("./cost.ts")).cost(options)));
}
