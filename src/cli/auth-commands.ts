import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

/** Signing in where forgehand has an identity of its own that a person must give it. */
export function registerAuth(program: Command): void {
  const auth = program.command("auth").description("sign in to Linear as an app of its own");
  auth
    .command("linear")
    .description("sign in to a Linear workspace: an administrator consents in the browser")
    .option("--no-browser", "only print the address to open")
    .addOption(
      new Option("--client-credentials", "without a browser, by the app's secret alone").conflicts([
        "refresh",
        "status",
        "revoke",
      ]),
    )
    .addOption(
      new Option("--refresh", "ask Linear for new tokens now, and resume").conflicts(["status", "revoke"]),
    )
    .addOption(new Option("--status", "tell the state of each workspace").conflicts(["revoke"]))
    .option("--revoke", "revoke the tokens at Linear and forget them")
    .option("--workspace <name>", "which one, by name, URL key or id (of --refresh, --status, --revoke)")
    .option("--timeout <minutes>", "how long to wait for consent", "10")
    .addOption(
      new Option(
        "--database <path>",
        "the database file (default: FORGEHAND_DATABASE, or forgehand.db below FORGEHAND_DATA_DIR)",
      ),
    )
    .addOption(json())
    .action((options) =>
      answer("auth-linear", options, async () => (await import("./auth-linear.ts")).authLinear(options)),
    );
}
