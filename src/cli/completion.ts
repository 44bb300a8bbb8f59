import { exitCodes } from "../problems.ts";
import { Failure, type Answer } from "./output.ts";

/** A command, what it takes and what is below it. */
interface Verb {
  readonly name: string;
  readonly about: string;
  readonly options: readonly string[];
  readonly verbs: readonly Verb[];
}
/** Any command, whatever it takes. */
interface AnyCommand {
  name(): string;
  aliases(): readonly string[];
  description(): string;
  readonly options: readonly { readonly long?: string | null | undefined }[];
  readonly commands: readonly AnyCommand[];
}

function verbsOf(command: AnyCommand): readonly Verb[] {
  return command.commands.flatMap((one) =>
    [one.name(), ...one.aliases()].map((name) => ({
      name,
      about: one.description().split(/[:;(]/u)[0]?.trim() ?? "",
      options: one.options.flatMap(({ long }) => (long === undefined || long === null ? [] : [long])),
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

const words = (verbs: readonly Verb[]): string => verbs.map(({ name }) => name).join(" ");

const writers: Readonly<Record<string, (verbs: readonly Verb[]) => string>> = {
  bash: (verbs) =>
    [
      "# forgehand completion bash >> ~/.bashrc",
      "_forgehand() {",
      '  local here="${COMP_WORDS[COMP_CWORD]}" verb="${COMP_WORDS[1]}" below="${COMP_WORDS[2]}" said',
      '  if [ "$COMP_CWORD" = 1 ]; then said="' + words(verbs) + ' help"',
      '  else case "$verb" in',
      ...verbs.map((verb) =>
        verb.verbs.length === 0
          ? `    ${verb.name}) said="${verb.options.join(" ")}" ;;`
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
      "_forgehand() {",
      "  local -a said",
      `  if (( CURRENT == 2 )); then said=(${described(verbs)}); _describe verb said; return; fi`,
      '  case "$words[2]" in',
      ...verbs.map((verb) =>
        verb.verbs.length === 0
          ? `    ${verb.name}) said=(${verb.options.join(" ")}) ;;`
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
      ...verbs.flatMap((verb) => [
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
