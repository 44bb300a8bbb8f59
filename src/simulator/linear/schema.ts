import {
  buildSchema,
  isObjectType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from "graphql";
import { sdkDeclarations } from "./sdk-declarations.ts";

interface Declared {
  readonly name: string;
  /** Names before `& {`: the interfaces of an object type. */
  readonly bases: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  /** Object types name themselves in `__typename`; interfaces and inputs do not. */
  readonly isObject: boolean;
}
interface Declarations {
  readonly types: readonly Declared[];
  readonly unions: readonly { readonly name: string; readonly members: string }[];
  readonly enums: readonly { readonly name: string; readonly values: readonly string[] }[];
}

let built: GraphQLSchema | undefined;

/**
 * Linear's own schema, rebuilt from the type declarations of the installed SDK: Linear publishes no schema with it, but
 * every type, field, argument and input is declared there.
 */
export function linearSchema(): GraphQLSchema {
  built ??= buildSchema(definitionsOf(sdkDeclarations()), { assumeValidSDL: true });
  return built;
}

/** Whether a type is a page of many: connections, and what searches answer. */
export const isPage = (type: GraphQLNamedType | undefined): type is GraphQLObjectType =>
  isObjectType(type) && type.getFields()["pageInfo"] !== undefined && type.getFields()["nodes"] !== undefined;

function definitionsOf(text: string): string {
  const { types, unions, enums } = declarationsIn(text);
  const interfaces = new Set(types.flatMap(({ bases }) => bases));
  const isOutput = (type: Declared): boolean => type.isObject || interfaces.has(type.name);
  // The generator spells acronyms its own way there (GitHubPR, GitHubPr), so case does not count.
  const byLowerName = new Map(types.map((type) => [type.name.toLowerCase(), type]));
  const argumentsOf = (type: Declared, field: string): Declared | undefined => {
    const found = byLowerName.get(`${type.name}${field}args`.toLowerCase());
    return found !== undefined && isOutput(found) ? undefined : found;
  };
  const argumentTypes = new Set(
    types.filter(isOutput).flatMap((type) => type.fields.map(({ name }) => argumentsOf(type, name))),
  );
  const fieldOf = (type: Declared, { name, type: of }: Declared["fields"][number]): string => {
    const taken = argumentsOf(type, name)?.fields.map((one) => `${one.name}: ${one.type}`) ?? [];
    return `${name}${taken.length === 0 ? "" : `(${taken.join(", ")})`}: ${of}`;
  };
  const scalars = types.find(({ name }) => name === "Scalars")?.fields.map(({ name }) => name) ?? [];
  const builtIn = new Set(["ID", "String", "Boolean", "Int", "Float"]);
  return [
    ...scalars.filter((name) => !builtIn.has(name)).map((name) => `scalar ${name}`),
    ...enums.map(({ name, values }) => `enum ${name} { ${values.join(" ")} }`),
    ...unions.map(({ name, members }) => `union ${name} = ${members}`),
    ...types
      .filter((type) => type.name !== "Scalars" && !argumentTypes.has(type))
      .map((type) => {
        const word = type.isObject ? "type" : interfaces.has(type.name) ? "interface" : "input";
        const bases = type.bases.length === 0 ? "" : ` implements ${type.bases.join(" & ")}`;
        return `${word} ${type.name}${bases} {\n${type.fields.map((field) => fieldOf(type, field)).join("\n")}\n}`;
      }),
  ].join("\n");
}

function declarationsIn(text: string): Declarations {
  const types: Declared[] = [];
  const unions: { name: string; members: string }[] = [];
  const enums: { name: string; values: string[] }[] = [];
  for (const [, keyword, name = "", body = ""] of text.matchAll(
    /^(type|declare enum) (\w+) (=.*;|(?:= (?:\w+ & )*)?\{\n[\s\S]*?^\});?$/gm,
  )) {
    if (keyword === "declare enum")
      enums.push({ name, values: [...body.matchAll(/^ {2}\w+ = "(\w+)"/gm)].map(([, value = ""]) => value) });
    else if (body.endsWith(";")) unions.push({ name, members: body.slice(1, -1) });
    else {
      const fields = [...body.matchAll(/^ {2}(\w+)(\??): (.+);$/gm)].map(
        ([, field = "", mark, type = ""]) => ({
          name: field,
          type: mark === "?" ? typed(type).replace(/!$/, "") : typed(type),
        }),
      );
      types.push({
        name,
        bases: [...(/^= ((?:\w+ & )*)\{/.exec(body)?.[1] ?? "").matchAll(/\w+/g)].map(([base]) => base),
        fields: fields.filter((field) => field.name !== "__typename"),
        isObject: fields.some((field) => field.name === "__typename"),
      });
    }
  }
  return { types, unions, enums };
}

/** A declared type in the language of schemas: what is not `Maybe` is never null. */
function typed(text: string): string {
  const [, wrapper, inner] = /^(Maybe|InputMaybe|Array)<(.+)>$/.exec(text) ?? [];
  if (wrapper === "Array" && inner !== undefined) return `[${typed(inner)}]!`;
  if (inner !== undefined) return typed(inner).replace(/!$/, "");
  return `${/^Scalars\["(\w+)"\]$/.exec(text)?.[1] ?? text}!`;
}
