import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { asset } from "./assets.ts";
import { plainName, roleNames, tier, toolRules } from "./config-roles.ts";
import type { ConfigProblem, FileProblem } from "./config.ts";
import { readYaml } from "./config-yaml.ts";

/** Where a repository keeps personas of its own. */
export const personaFolder = ".forgehand/personas";
/** A persona is read with every prompt of its role. */
const maxChars = 8_000;

const head = z.strictObject({
  name: plainName,
  roles: z.array(z.enum(roleNames)).min(1, "at least one role").max(roleNames.length),
  description: z.string().max(200).optional(),
  tier: tier.optional(),
  tools: toolRules.optional(),
});
/** Who an agent is to be: what it is told beside its order, and what that takes of model and tools. */
export interface Persona extends Readonly<z.infer<typeof head>> {
  readonly text: string;
}
export type ReadPersona = { readonly persona: Persona } | { readonly problems: readonly ConfigProblem[] };

/** Reads a persona from Markdown with front matter; `name` is that of its file. */
export function readPersona(name: string, text: string): ReadPersona {
  const wrong = (message: string, line = 1): ReadPersona => ({ problems: [{ line, column: 1, message }] });
  const parts = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*(?:\r?\n|$)([\s\S]*)$/mu.exec(text);
  if (parts === null || !/^\uFEFF?---/u.test(text))
    return wrong("A persona begins with front matter: a line `---`, `name` and `roles`, and a line `---`.");
  const [, front = "", body = ""] = parts;
  const read = readYaml(head, front, 1);
  if ("problems" in read) return read;
  if (read.value.name !== name)
    return wrong(`Its name is \`${read.value.name}\`, but its file is called \`${name}.md\`.`, 2);
  const words = body.trim();
  const bodyLine = front.split("\n").length + 2;
  if (words === "")
    return wrong("It says nothing: what the agent is told stands below the front matter.", bodyLine);
  if (words.length > maxChars)
    return wrong(`It has ${words.length} characters; at most ${maxChars} are told to an agent.`, bodyLine);
  return { persona: { ...read.value, text: words } };
}

const folder = asset("personas/");
let bundled: ReadonlyMap<string, Persona> | undefined;

/** The personas that come with forgehand, by name. */
export function bundledPersonas(): ReadonlyMap<string, Persona> {
  bundled ??= new Map(
    readdirSync(folder).map((file) => {
      const name = file.replace(/\.md$/u, "");
      const read = readPersona(name, readFileSync(join(folder, file), "utf8"));
      if ("problems" in read) throw new Error(`${file}: ${read.problems[0]?.message ?? ""}`);
      return [name, read.persona];
    }),
  );
  return bundled;
}

export interface Personas {
  readonly named: ReadonlyMap<string, Persona>;
  readonly problems: readonly FileProblem[];
  /** Names that a role asks for and that mean nothing to it. */
  readonly misnamed: readonly { readonly role: string; readonly message: string }[];
}

/** A repository's own personas over the bundled ones, and what is wrong with them and with the names its roles ask for. */
export function personasOf(
  texts: Readonly<Record<string, string | null>>,
  wanted: Readonly<Record<string, readonly string[]>>,
): Personas {
  const named = new Map(bundledPersonas());
  const problems: FileProblem[] = [];
  for (const [name, text] of Object.entries(texts)) {
    const read = readOne(name, text);
    if ("persona" in read) named.set(name, read.persona);
    else {
      // The bundled one of this name is not what the repository meant.
      named.delete(name);
      problems.push(...read.problems.map((one) => ({ path: `${personaFolder}/${name}.md`, ...one })));
    }
  }
  const misnamed = Object.entries(wanted).flatMap(([role, names]) =>
    names.flatMap((name) => {
      const persona = named.get(name);
      const isBroken = persona === undefined && Object.hasOwn(texts, name);
      if (isBroken || isFor(persona, role)) return [];
      const what =
        persona === undefined
          ? `There is no persona \`${name}\`.`
          : `The persona \`${name}\` is for ${persona.roles.join(", ")}, not for ${role}.`;
      return [{ role, message: `${what} ${known(named, role)}` }];
    }),
  );
  return { named, problems, misnamed };
}

function readOne(name: string, text: string | null): ReadPersona {
  const wrong = (message: string): ReadPersona => ({ problems: [{ line: 1, column: 1, message }] });
  if (!plainName.safeParse(name).success)
    return wrong("The name of its file needs lower-case letters, digits and dashes.");
  if (text === null) return wrong("It was not read: it is too big, or there are too many in this folder.");
  return readPersona(name, text);
}

/** Is there such a persona, and has it this role? */
const isFor = (persona: Persona | undefined, role: string): boolean =>
  persona?.roles.some((one) => one === role) ?? false;

function known(named: ReadonlyMap<string, Persona>, role: string): string {
  const fitting = [...named.values()].filter((one) => isFor(one, role));
  const list = fitting.map(({ name }) => `\`${name}\``).join(", ");
  return `For ${role} there is ${list === "" ? "none" : list}; add ${personaFolder}/NAME.md on the default branch, or change the list.`;
}
