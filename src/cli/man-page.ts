import { exitCodesHelp, settingsHelp } from "./help-topics.ts";
import { guides } from "./help-guides.ts";
import { topicList } from "./help-topic-list.ts";
import type { Answer } from "./output.ts";

/** A command as the manual needs it. */
export interface Documented {
  name(): string;
  aliases(): readonly string[];
  description(): string;
  readonly registeredArguments: readonly {
    name(): string;
    readonly required: boolean;
    readonly variadic: boolean;
  }[];
  readonly options: readonly {
    readonly flags: string;
    readonly description: string;
    readonly hidden: boolean;
    readonly argChoices?: readonly string[] | undefined;
  }[];
  readonly commands: readonly Documented[];
}

/** The manual page, forgehand(1), in roff: from the commands themselves and from what `help` tells. */
export function manPage(program: Documented, version: string): Answer {
  const page = [
    `.TH FORGEHAND 1 "" "forgehand ${version}" "User Commands"`,
    ".nh",
    ".SH NAME",
    roff("forgehand - labelled issues become reviewed, merged pull requests"),
    ".SH SYNOPSIS",
    ".B forgehand",
    roff("[options] [command]"),
    ".SH COMMANDS",
    ...program.commands.flatMap((command) => commandLines(command, "forgehand")),
    ...Object.entries(topicList).flatMap(([name, about]) => topicSection(name, about)),
    ".SH EXIT STATUS",
    ...Object.entries(exitCodesHelp).flatMap(([code, meaning]) => [".TP", `.B ${code}`, roff(meaning)]),
    ".SH ENVIRONMENT",
    roff("Each may be given as a file, in the variable of this name and _FILE."),
    ...Object.entries(settingsHelp).flatMap(([name, { about, otherwise }]) => [
      ".TP",
      `.B ${roff(`FORGEHAND_${name}`)}`,
      roff(`${about} (${otherwise})`),
    ]),
    ".SH FILES",
    ".TP",
    roff("$XDG_CONFIG_HOME/forgehand/forgehand.env"),
    roff("settings, mode 0600; the environment goes before it"),
    ".TP",
    roff("$XDG_STATE_HOME/forgehand"),
    roff("database, worktrees and logs, where FORGEHAND_DATA_DIR does not say otherwise"),
  ];
  return { schema: "man/1", data: { page: page.join("\n") }, text: page.join("\n") };
}

function commandLines(command: Documented, above: string): readonly string[] {
  if (command.commands.length > 0)
    return command.commands.flatMap((one) => commandLines(one, `${above} ${command.name()}`));
  return [
    ".TP",
    `.B ${roff(`${above} ${callOf(command)}`)}`,
    roff(command.description()),
    ...command.options
      .filter(({ hidden }) => !hidden)
      .flatMap(({ flags, description, argChoices }) => [
        ".RS",
        ".TP",
        `.B ${roff(flags)}`,
        roff(argChoices === undefined ? description : `${description} (${argChoices.join(", ")})`),
        ".RE",
      ]),
  ];
}

/** How a command is called: its names, and what it takes. */
export function callOf(command: Documented): string {
  const words = command.registeredArguments.map((argument) => {
    const word = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${word}>` : `[${word}]`;
  });
  return [[command.name(), ...command.aliases()].join("|"), ...words].join(" ");
}

/** Guides are laid out by hand and stay so; what is a list of its own stands in its section. */
function topicSection(name: string, about: string): readonly string[] {
  const guide = Object.entries(guides).find(([one]) => one === name)?.[1];
  if (guide === undefined) return [];
  return [
    `.SH ${roff(name.replaceAll("-", " ").toUpperCase())}`,
    roff(`${about}:`),
    ".PP",
    ".nf",
    ...guide().split("\n").map(roff),
    ".fi",
  ];
}

/** Text that roff takes as it is: its escapes doubled, no line that would be a request, no dash that would be broken. */
const roff = (text: string): string =>
  text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("-", String.raw`\-`)
    .replaceAll("…", "...")
    .replace(/^(?=[.'])/u, String.raw`\&`);
