import { exitCodes } from "../problems.ts";
import { topicList } from "./help-topic-list.ts";
import { Failure, type Answer } from "./output.ts";

/** A command, what it takes and what is below it. */
interface Verb {
  readonly name: string;
  readonly about: string;
  readonly options: readonly string[];
  /** It takes a ticket, or whatever `ps` lists. */
  readonly takes: "a name" | "nothing listed";
  readonly verbs: readonly Verb[];
}
/** Any command, whatever it takes. */
interface AnyCommand {
  name(): string;
  aliases(): readonly string[];
  description(): string;
  readonly options: readonly { readonly long?: string | null | undefined }[];
  readonly registeredArguments: readonly { name(): string }[];
  readonly commands: readonly AnyCommand[];
}

/** Not in anybody's help, so nothing to complete either. */
const hidden = ["man"];

function verbsOf(command: AnyCommand): readonly Verb[] {
  const shown = command.commands.filter((one) => !hidden.includes(one.name()));
  return shown.flatMap((one) =>
    [one.name(), ...one.aliases()].map((name) => ({
      name,
      about: one.description().split(/[:;(]/u)[0]?.trim() ?? "",
      options: one.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
      takes: /^(?:name|ticket)$/u.test(one.registeredArguments[0]?.name() ?? "")
        ? "a name"
        : "nothing listed",
      verbs: verbsOf(one),
    })),
  );
}

/** A script for a shell that completes verbs and options; printed, to be sourced. */
export function completion(shell: string, program: AnyCommand): Answer {
  const write = writers[shell];
  if (write === undefined) {
    throw new Failure(
      exitCodes.usage,
      `there is no completion for "${shell}": take ${Object.keys(writers).join(", ")}`,
    );
  }
  return { schema: "completion/1", data: { shell }, text: write(verbsOf(program)) };
}

/** What `ps` lists, for a shell to ask when somebody presses the key; titles of its tables are in capitals. */
const names = "forgehand ps 2>/dev/null | cut -f1 | grep -v '^[A-Z]*$'";
const topicNames = Object.keys(topicList).join(" ");

const words = (verbs: readonly Verb[]): string => verbs.map(({ name }) => name).join(" ");

const writers: Readonly<Record<string, (verbs: readonly Verb[]) => string>> = {
  bash: (verbs) =>
    [
      "# forgehand completion bash >> ~/.bashrc",
      `_forgehand_names() { ${names}; }`,
      "_forgehand() {",
      '  local here="${COMP_WORDS[COMP_CWORD]}" verb="${COMP_WORDS[1]}" below="${COMP_WORDS[2]}" said',
      '  if [ "$COMP_CWORD" = 1 ]; then said="' + words(verbs) + ' help"',
      '  else case "$verb" in',
      `    help) said="${words(verbs)} ${topicNames}" ;;`,
      ...verbs.map((verb) =>
        verb.verbs.length === 0
          ? `    ${verb.name}) said="${verb.options.join(" ")}${verb.takes === "a name" ? " $(_forgehand_names)" : ""}" ;;`
          : `    ${verb.name}) if [ "$COMP_CWORD" = 2 ]; then said="${words(verb.verbs)}"; else case "$below" in ${verb.verbs
              .map((one) => `${one.name}) said="${one.options.join(" ")}" ;;`)
              .join(" ")} esac; fi ;;`,
      ),
      "  esac; fi",
      '  COMPREPLY=($(compgen -W "$said" -- "$here"))',
      '  if [ "${#COMPREPLY[@]}" = 0 ]; then COMPREPLY=($(compgen -f -- "$here")); fi',
      "}",
      "complete -F _forgehand forgehand",
    ].join("\n"),
  zsh: (verbs) =>
    [
      "#compdef forgehand",
      "# forgehand completion zsh > ~/.zfunc/_forgehand",
      `_forgehand_names() { ${names} }`,
      "_forgehand() {",
      "  local -a said",
      `  if (( CURRENT == 2 )); then said=(${described(verbs)}); _describe verb said; return; fi`,
      '  case "$words[2]" in',
      `    help) said=(${words(verbs)} ${topicNames}) ;;`,
      ...verbs.map((verb) =>
        verb.verbs.length === 0
          ? `    ${verb.name}) said=(${verb.options.join(" ")}${verb.takes === "a name" ? ' ${(f)"$(_forgehand_names)"}' : ""}) ;;`
          : `    ${verb.name}) if (( CURRENT == 3 )); then said=(${described(verb.verbs)}); _describe verb said; return; fi; case "$words[3]" in ${verb.verbs
              .map((one) => `${one.name}) said=(${one.options.join(" ")}) ;;`)
              .join(" ")} esac ;;`,
      ),
      "  esac",
      "  _alternative 'options:option:compadd -a said' 'files:file:_files'",
      "}",
      '_forgehand "$@"',
    ].join("\n"),
  fish: (verbs) =>
    [
      "# forgehand completion fish > ~/.config/fish/completions/forgehand.fish",
      `complete -c forgehand -n '__fish_seen_subcommand_from help' -a '${topicNames}'`,
      ...verbs.flatMap((verb) => [
        ...(verb.takes === "a name"
          ? [`complete -c forgehand -n '__fish_seen_subcommand_from ${verb.name}' -a "(${names})"`]
          : []),
        `complete -c forgehand -n __fish_use_subcommand -a ${verb.name} -d '${quoted(verb.about)}'`,
        ...verb.verbs.map(
          (one) =>
            `complete -c forgehand -n '__fish_seen_subcommand_from ${verb.name}' -a ${one.name} -d '${quoted(one.about)}'`,
        ),
        ...verb.options.map(
          (option) =>
            `complete -c forgehand -n '__fish_seen_subcommand_from ${verb.name}' -l ${option.slice(2)}`,
        ),
      ]),
    ].join("\n"),
};

const quoted = (text: string): string => text.replaceAll("'", "");
const described = (verbs: readonly Verb[]): string =>
  verbs.map(({ name, about }) => `'${name}:${quoted(about).replaceAll(":", "")}'`).join(" ");
