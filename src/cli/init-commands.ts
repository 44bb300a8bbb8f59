import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

const appId = () => new Option("--app-id <number>", "of the App to take, from its settings page");
const keyFile = () => new Option("--key-file <path>", "its private key, the .pem file");
const secretFile = () => new Option("--webhook-secret-file <path>", "a file with its webhook secret");
const newSecret = () =>
  new Option("--new-webhook-secret", "set a new webhook secret on it instead").conflicts("webhookSecretFile");
const keychain = () => new Option("--keychain", "keep secrets in the keychain of this system");
const feed = () =>
  new Option("--feed <kind>", "where GitHub's news come from: pull (no public URL), webhook, smee, smee:URL");
const url = () => new Option("--url <url>", "where GitHub reaches this host: https://HOST");
const hookUrl = () =>
  new Option("--hook-url <url>", "what to enter as the App's webhook URL instead of the usual one");
const replace = () => new Option("--replace", "take another App than the one that is set up");

/** Setting forgehand up: the wizard, and its two halves for scripts. */
export function registerInit(program: Command): void {
  program
    .command("init")
    .description("set forgehand up: a GitHub App of your own, how its news arrive, Linear, runtimes")
    .option(
      "-y, --yes",
      "ask nothing: keep what is there, take what is usual, refuse where that is not enough",
    )
    .addOption(new Option("--create", "make a new App: three clicks on GitHub").conflicts("import"))
    .option("--import", "take an App that exists")
    .addOption(replace())
    .option("--org <login>", "make it for this organisation")
    .option("--name <name>", "what it is called on GitHub (at most 34 characters)")
    .addOption(appId())
    .addOption(keyFile())
    .addOption(secretFile())
    .addOption(newSecret())
    .addOption(feed())
    .addOption(url())
    .addOption(hookUrl())
    .addOption(keychain())
    .option("--linear", "set Linear up as well")
    .option("--no-linear", "do not ask about Linear")
    .option("--no-browser", "only print addresses to open")
    .option("--port <number>", "of the page on this host; another is taken where it is not free", "8978")
    .option("--timeout <minutes>", "how long to wait for a person on GitHub", "15")
    .addOption(json())
    .action((options) =>
      answer("init", options, async () => (await import("./init.ts")).initCommand(options)),
    );
  const app = program.command("app").description("the GitHub App that forgehand works as");
  app
    .command("manifest")
    .description("print the manifest that `init` gives to GitHub: permissions, events, webhook")
    .option("--name <name>", "what it is called on GitHub")
    .addOption(url())
    .addOption(json())
    .action((options) =>
      answer("app-manifest", options, async () => (await import("./app-manifest.ts")).printManifest(options)),
    );
  app
    .command("import")
    .description("take an App that exists: its key is confirmed by GitHub before it is stored")
    .addOption(appId())
    .addOption(keyFile())
    .addOption(secretFile())
    .addOption(newSecret())
    .addOption(feed())
    .addOption(url())
    .addOption(hookUrl())
    .addOption(keychain())
    .addOption(replace())
    .option("-y, --yes", "ask nothing")
    .addOption(json())
    .action((options) =>
      answer("app-import", options, async () =>
        (await import("./init.ts")).importCommand({ ...options, browser: false, port: "0", timeout: "1" }),
      ),
    );
}
