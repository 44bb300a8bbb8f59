import { Option, type Command } from "@commander-js/extra-typings";
import { scopes } from "../ports-dashboard-access.ts";
import { answer, jsonOption as json } from "./answer.ts";

const database = () =>
  new Option(
    "--database <path>",
    "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
  );
const collect = (one: string, before: readonly string[]): readonly string[] => [...before, one];

/** Who may come in besides whoever has a link. */
export function registerAccess(program: Command): void {
  const token = program.command("token").description("tokens by which programs use the dashboard's API");
  token
    .command("new")
    .description("make one; it is told this once, and only its hash is kept")
    .requiredOption("--name <name>", "what it is for; the ledger names it by this")
    .addOption(new Option("--scope <scope>", "what it may do").choices(scopes).makeOptionMandatory())
    .addOption(
      new Option("--repo <owner/name>", "good for this repository alone (may be repeated)")
        .argParser(collect)
        .default([] as readonly string[], "all of them"),
    )
    .option("--expires <days>", "until when: 90d, or never", "90d")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("token-new", options, async () => (await import("./token.ts")).newToken(options)),
    );
  token
    .command("ls")
    .description("what tokens there are, and when each was last used")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("token-ls", options, async () => (await import("./token.ts")).listTokens(options)),
    );
  token
    .command("revoke")
    .argument("<name>", "as `token ls` names it")
    .description("let nobody in with it from now on")
    .addOption(database())
    .addOption(json())
    .action((name, options) =>
      answer("token-revoke", options, async () => (await import("./token.ts")).revokeToken(name, options)),
    );

  const sessions = program.command("sessions").description("who is in the dashboard");
  sessions
    .command("ls")
    .description("everybody who is in, and when each was last seen")
    .addOption(database())
    .addOption(json())
    .action((options) =>
      answer("sessions-ls", options, async () => (await import("./sessions.ts")).listSessions(options)),
    );
  sessions
    .command("revoke")
    .argument("[session]", "as `sessions ls` names it")
    .option("--all", "everybody's, and links that nobody followed yet")
    .description("end a session: whoever uses it has to come in again")
    .addOption(database())
    .addOption(json())
    .action((session, options) =>
      answer("sessions-revoke", options, async () =>
        (await import("./sessions.ts")).revokeSessions(session, options),
      ),
    );
}
