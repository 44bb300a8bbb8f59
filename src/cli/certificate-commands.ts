import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
const anchor = () =>
  new Option("--anchor <line:hash...>", "a head written elsewhere, as in the check run of a merge");
const anchors = () => new Option("--anchors <file>", "a file with one such anchor a line");

/** The record of every transition, and what may be taken away from it. */
export function registerLedger(program: Command): void {
  const ledger = program.command("ledger").description("the append-only record of every transition");
  ledger
    .command("verify")
    .description("recompute the chain, play it again, compare the tickets")
    .addOption(anchor())
    .addOption(anchors())
    .option("--online", "fetch the anchors from the check runs of the merged pull requests")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("ledger-verify", options, async () => (await import("./ledger.ts")).verify(options)),
    );
  ledger
    .command("export")
    .description("the whole of it, one JSON object a line, for whoever verifies a certificate elsewhere")
    .option("--out <file>", "write it there and tell so (otherwise it goes to stdout)")
    .addOption(database())
    .addOption(json())
    .action(async (options) => {
      const { out } = options;
      if (out !== undefined)
        return await answer("ledger-export", options, async () =>
          (await import("./ledger-export.ts")).writeLedger(out, options),
        );
      try {
        await (await import("./ledger-export.ts")).printLedger(options);
      } catch (error) {
        (await import("./output.ts")).fail(error, { ...options, schema: "ledger-export/1" });
      }
    });
}

export function registerCertificates(program: Command): void {
  const certificate = program
    .command("certificate")
    .description(
      "what a merge stands on: who released, built, reviewed and approved it, and what was merged",
    );
  certificate
    .command("show")
    .argument("<ticket>", "a ticket: 42, owner/repo#42, ENG-42")
    .description("the certificate of its newest merge; with --json as a file for `certificate verify`")
    .addOption(database())
    .addOption(json())
    .action((ticket, options) =>
      answer("certificate", options, async () => (await import("./certificate.ts")).show(ticket, options)),
    );
  certificate
    .command("verify")
    .argument(
      "<file>",
      "the certificate: what `certificate show --json` printed, or the JSON of the check run",
    )
    .requiredOption("--clone <path>", "a clone of the repository")
    .requiredOption("--ledger <file>", "the ledger, as `forgehand ledger export` wrote it")
    .description(
      "offline: recompute the chain, find its lines, compare every field, ask git; names what disagrees",
    )
    .addOption(anchor())
    .addOption(anchors())
    .option("--strict", "end with 10 where it holds and leaves something unproven")
    .addOption(json())
    .action((file, options) =>
      answer("certificate-verify", options, async () =>
        (await import("./certificate.ts")).verify(file, options),
      ),
    );
}
