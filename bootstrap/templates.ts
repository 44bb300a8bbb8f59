/** The texts that bootstrap fills in, read once from where they ship. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Liquid } from "liquidjs";

export type Templates = ReadonlyMap<string, string>;

const suffix = ".liquid";
const folder = join("bootstrap", "files");

/** `bootstrap/files` of this installation, found upwards from here: from the sources, and from what is built of them. */
export function readTemplates(from = import.meta.dirname): Templates {
  const path = join(from, folder);
  if (existsSync(join(path, `forgehand.yml${suffix}`))) {
    const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(suffix),
    );
    return new Map(
      names.map((name) => [
        name.slice(0, -suffix.length).replaceAll("\\", "/"),
        readFileSync(join(path, name), "utf8"),
      ]),
    );
  }
  if (dirname(from) === from)
    throw new Error("bootstrap/files is missing from this installation of forgehand");
  return readTemplates(dirname(from));
}

/** Strict, and without a way to other files. */
const engine = new Liquid({
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  templates: {},
});

/** A template with its values; one that names an unknown value is a mistake of ours. */
export function filled(templates: Templates, name: string, values: object): string {
  const template = templates.get(name);
  if (template === undefined) throw new Error(`bootstrap has no template ${name}`);
  return String(engine.parseAndRenderSync(template, values));
}
