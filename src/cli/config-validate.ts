import { notesOf } from "../config-layers.ts";
import { rulesIn } from "../config-rules.ts";
import { configPath, otherConfigPath, toldAt, type FileProblem } from "../config.ts";
import { workflowPath } from "../config-workflow.ts";
import { exitCodes } from "../problems.ts";
import { findPlace, unseenHint, type FoundPlace } from "./config-places.ts";
import { plain, type Answer } from "./output.ts";

/** What is wrong with a configuration, each at its place; also in the form that GitHub Actions shows on the line. */
export async function configValidate(
  place = ".",
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Answer> {
  const found = await findPlace(place);
  const { faults } = rulesIn({ ...found, sound: undefined });
  const notes = notesOf(found.sources).map((note) => ({
    path: found.sources?.workflow?.path ?? workflowPath,
    line: note.line,
    column: note.column,
    message: `\`${note.key}\`${note.isTaken === true ? "" : " is left out"}: ${note.why}.`,
  }));
  const inActions = env["GITHUB_ACTIONS"] === "true";
  const lines = [
    ...faults.flatMap((fault) => [toldAt(fault), ...(inActions ? [command("error", fault)] : [])]),
    ...notes.flatMap((note) => [toldAt(note), ...(inActions ? [command("notice", note)] : [])]),
    ...(faults.length === 0 ? [verdict(found)] : []),
  ];
  const hint = unseenHint(found);
  return {
    schema: "config-validate/1",
    data: { place: found.name, problems: faults, notes },
    text: plain(lines.join("\n")),
    exit: faults.length === 0 ? exitCodes.ok : exitCodes.usage,
    ...(hint === undefined ? {} : { hint }),
  };
}

function verdict({ sources, name }: FoundPlace): string {
  const path = sources?.path ?? sources?.workflow?.path;
  if (path !== undefined) return `${path}: nothing is wrong`;
  const [under] = sources?.under ?? [];
  return under === undefined
    ? `${name}: no ${configPath}, no ${otherConfigPath} and no ${workflowPath} of Symphony, so the defaults hold`
    : `${name}: no file of its own; nothing is wrong with ${under.repo}:${under.path}`;
}

/** A command of GitHub Actions. What stands in it must neither end it nor begin another. */
function command(what: "error" | "notice", { repo, path, line, column, message }: FileProblem): string {
  const at = repo === undefined ? `file=${property(path)},line=${line},col=${column},` : "";
  const text = repo === undefined ? message : `${repo}:${path}:${line}:${column}: ${message}`;
  return `::${what} ${at}title=${property("forgehand's configuration")}::${escaped(text)}`;
}
const escaped = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
