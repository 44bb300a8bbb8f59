import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );

/** Where people are told beside the forge: `FORGEHAND_NOTIFY`. */
export function registerNotify(program: Command): void {
  const notify = program
    .command("notify")
    .description(
      "where people are told beside the forge: Slack, Discord, Telegram, ntfy, Gotify, webhooks, mail",
    );
  notify
    .command("ls")
    .description(
      "the channels of FORGEHAND_NOTIFY, what each hears, and how it stands with each; no secret is shown",
    )
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("notify-ls", options, async () => (await import("./notify.ts")).notifyList(options)),
    );
  notify
    .command("test")
    .description(
      "send a test message to every channel, or to one URL; past the outbox, halts and quiet hours",
    )
    .option("--url <url>", "this one in place of those that are set; `-` reads it from stdin")
    .addOption(json())
    .action((options) =>
      answer("notify-test", options, async () => (await import("./notify.ts")).notifyTest(options)),
    );
}
