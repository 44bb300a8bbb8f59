import { callOf, type Documented } from "../src/cli/man-page.ts";
import { programOf } from "../src/cli/program.ts";
import { cell } from "./regions.ts";

/** What almost every command takes is said once, above the table. */
const common: readonly string[] = ["--json", "--database <path>"];

/** Every command with what it takes, for `docs/labels-and-commands.md`. */
export const commandLineText = (): string =>
  [
    "| `forgehand …` | What it does | Options |",
    "|---|---|---|",
    ...programOf().commands.flatMap((command) => rowsOf(command, "")),
  ].join("\n");

function rowsOf(command: Documented, above: string): readonly string[] {
  if (command.name() === "man") return [];
  if (command.commands.length > 0)
    return command.commands.flatMap((one) => rowsOf(one, `${above}${command.name()} `));
  const options = command.options
    .filter(({ flags, hidden }) => !hidden && !common.includes(flags))
    .map(({ flags }) => `\`${cell(flags)}\``);
  return [`| \`${cell(above + callOf(command))}\` | ${cell(command.description())} | ${options.join(" ")} |`];
}
