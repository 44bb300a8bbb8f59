import { Option, type Command } from "@commander-js/extra-typings";
import { answer, jsonOption as json } from "./answer.ts";

/** `forgehand review`, loaded when it is called. */
export function registerReview(program: Command): void {
  program
    .command("review")
    .description(
      "review a change of any repository: exit 0 pass, 1 fail, 7 no verdict; no ticket and no App needed",
    )
    .option("--base <ref>", "what the change was made from (default: the remote's default branch)")
    .option("--head <ref>", "the change itself (default: HEAD)")
    .option("--staged", "what is staged")
    .option("--worktree", "everything that is not committed")
    .option("--diff <file>", "a unified diff, or - for standard input")
    .option("--pr <owner/repo#n>", "a pull request, read with GH_TOKEN, GITHUB_TOKEN or the App")
    .addOption(
      new Option("--hook <name>", "as a git hook, told by git what is pushed").choices(["pre-push"] as const),
    )
    .option("--runtime <name>", "who reviews (default: whoever is installed)")
    .option("--panel <names>", "reviewers side by side: general,security,…")
    .option("--builder-family <family>", "whose models built it, so that another family reviews", "any")
    .option("--strict", "findings graded polish fail it too")
    .addOption(
      new Option(
        "--fail-on <what>",
        "gate: what rules find fails it too; never: only a missing verdict does",
      ).choices(["blocker", "gate", "never"] as const),
    )
    .option("--budget <usd>", "dollars it may spend (default: limits.run_usd)")
    .option("--timeout <minutes>", "how long it may take (default: 30)")
    .option("--post", "post one review to the pull request, or bring it up to date")
    .addOption(
      new Option("--format <format>", "how to print it (default: text)").choices([
        "text",
        "json",
        "sarif",
      ] as const),
    )
    .option("--output <file>", "write it there, and text to stdout")
    .addOption(json())
    .action((options) => {
      // In a file it may be SARIF; an error is told in the language that was asked for.
      const told = {
        ...options,
        json: options.json ?? (options.format === "json" ? true : undefined),
      } as const;
      return answer(
        "review",
        { json: told.json === true && options.output === undefined ? true : undefined },
        async () => (await import("./review.ts")).reviewCommand(told, program.version() ?? ""),
      );
    });
}
