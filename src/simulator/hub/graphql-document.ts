/** Answers a GraphQL document from plain objects: what is asked for is read from the parsed document, and from nothing else. */
import {
  Kind,
  parse,
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql/language";
import { valueFromASTUntyped } from "graphql/utilities/valueFromASTUntyped.js";

/** Arguments of a field, their variables filled in. */
export type Arguments = Readonly<Record<string, unknown>>;
/** What a field is: a value, or what makes one of its arguments. */
export type Field = Plain | ((asked: Arguments) => Field | Promise<Field>);
type Plain = null | undefined | string | number | boolean | readonly Field[] | Fields;
/** An object, with the name of its type, by which fragments know it. */
export interface Fields {
  readonly __typename: string;
  readonly [name: string]: Field;
}
interface Fault {
  readonly type: string;
  readonly path: readonly (string | number)[];
  readonly locations: readonly { readonly line: number; readonly column: number }[];
  readonly message: string;
}
/** As GraphQL answers: what could not be given is null, and why stands beside it. */
interface Answered {
  readonly data?: unknown;
  readonly errors?: readonly Fault[];
}

/** Thrown by a field that refuses: it is null then. */
export class Refusal extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

interface Run {
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Arguments;
  readonly faults: Fault[];
}

/** Runs the one operation of a document on the object that its kind begins with. */
export async function answerTo(
  { query, variables = {} }: { readonly query: string; readonly variables?: Arguments | undefined },
  roots: Readonly<Record<"query" | "mutation", Fields>>,
): Promise<Answered> {
  let operation: OperationDefinitionNode | undefined;
  const fragments = new Map<string, FragmentDefinitionNode>();
  try {
    for (const one of parse(query).definitions) {
      if (one.kind === Kind.OPERATION_DEFINITION) operation ??= one;
      else if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
    }
  } catch (error) {
    return { errors: [{ type: "PARSE_ERROR", path: [], locations: [], message: String(error) }] };
  }
  const root = operation?.operation === "mutation" ? roots.mutation : roots.query;
  const run: Run = { fragments, variables, faults: [] };
  const data = operation === undefined ? {} : await objectOf(run, root, operation.selectionSet, []);
  if (run.faults.length === 0) return { data };
  // A document that names what there is not is not begun.
  return run.faults.some(({ type }) => type === "undefinedField")
    ? { errors: run.faults }
    : { data, errors: run.faults };
}

async function objectOf(
  run: Run,
  from: Fields,
  asked: SelectionSetNode,
  path: Fault["path"],
): Promise<Readonly<Record<string, unknown>>> {
  const found: Record<string, unknown> = {};
  for (const field of fieldsIn(run, from, asked)) {
    const name = (field.alias ?? field.name).value;
    // Aliases of one name are told apart; a name asked for twice is asked for what both ask.
    const value = await fieldOf(run, from, field, [...path, name]);
    const before = found[name];
    found[name] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
  }
  return found;
}

function fieldsIn(run: Run, from: Fields, { selections }: SelectionSetNode): readonly FieldNode[] {
  const { __typename: own } = from;
  return selections.flatMap((one) => {
    if (one.kind === Kind.FIELD) return [one];
    const part = one.kind === Kind.INLINE_FRAGMENT ? one : run.fragments.get(one.name.value);
    const type = part?.typeCondition?.name.value;
    const fits = part !== undefined && (type === undefined || type === own);
    return fits ? fieldsIn(run, from, part.selectionSet) : [];
  });
}

async function fieldOf(run: Run, from: Fields, field: FieldNode, path: Fault["path"]): Promise<unknown> {
  const { name, selectionSet } = field;
  const tell = (type: string, message: string): null => {
    const at = field.loc === undefined ? [] : [placeOf(field.loc.source.body, field.loc.start)];
    run.faults.push({ type, path, locations: at, message });
    return null;
  };
  const { __typename: own, [name.value]: held } = from;
  if (held === undefined)
    return tell("undefinedField", `Field '${name.value}' doesn't exist on type '${own}'`);
  try {
    return await valueOf(run, await made(held, argumentsOf(run, field.arguments ?? [])), selectionSet, path);
  } catch (error) {
    if (error instanceof Refusal) return tell(error.type, error.message);
    throw error;
  }
}

const argumentsOf = ({ variables }: Run, given: readonly ArgumentNode[]): Arguments =>
  Object.fromEntries(given.map(({ name, value }) => [name.value, valueFromASTUntyped(value, variables)]));

async function made(field: Field, asked: Arguments): Promise<Plain> {
  let value = field;
  while (typeof value === "function") value = await value(asked);
  return value;
}

async function valueOf(
  run: Run,
  value: Plain,
  asked: SelectionSetNode | undefined,
  path: Fault["path"],
): Promise<unknown> {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const [index, one] of (value as readonly Field[]).entries())
      list.push(await valueOf(run, await made(one, {}), asked, [...path, index]));
    return list;
  }
  if (!isFields(value)) return value;
  return asked === undefined ? null : await objectOf(run, value, asked, path);
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isFields = (value: Plain): value is Fields => isObject(value);

/** Counted from one. */
function placeOf(text: string, start: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, start).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

/** A list in pages, as GraphQL gives every list that may be long: the cursor is the place of the last one given. */
export const connection =
  (type: string, nodes: readonly Fields[]) =>
  ({ first, last, after }: Arguments): Fields => {
    const from = typeof after === "string" ? Number(after) : 0;
    const rest = nodes.slice(from);
    const given =
      typeof last === "number" ? rest.slice(-last) : rest.slice(0, typeof first === "number" ? first : 100);
    const end = from + given.length;
    return {
      __typename: `${type}Connection`,
      totalCount: nodes.length,
      nodes: given,
      pageInfo: {
        __typename: "PageInfo",
        hasNextPage: typeof last !== "number" && end < nodes.length,
        endCursor: given.length === 0 ? null : String(end),
      },
    };
  };
