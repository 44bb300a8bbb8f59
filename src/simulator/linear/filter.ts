import {
  getNamedType,
  type GraphQLInputObjectType,
  type GraphQLSchema,
  type GraphQLObjectType,
} from "graphql";
import type { Asking } from "./derived.ts";
import { linearError, notImplemented } from "./errors.ts";
import { readField, readForFilter, type Source } from "./read-field.ts";
import { isIdentifier, type SimIssue } from "./world.ts";

type Wanted = Readonly<Record<string, unknown>>;
interface Filtering {
  readonly schema: GraphQLSchema;
  readonly asking: Asking;
}

/** Whether an object satisfies a filter of Linear's; what the filter says nothing of is no matter. */
export function matches(
  node: Source | undefined,
  wanted: Wanted,
  type: GraphQLInputObjectType,
  filtering: Filtering,
): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    if (value === null || value === undefined) return true;
    if (key === "and") return (value as Wanted[]).every((one) => matches(node, one, type, filtering));
    if (key === "or") return (value as Wanted[]).some((one) => matches(node, one, type, filtering));
    if (key === "null") return (node === undefined) === value;
    if (node === undefined) return false;
    const held = valueOf(node, key, type, filtering);
    const below = getNamedType(type.getFields()[key]?.type) as GraphQLInputObjectType;
    if (below.name.endsWith("Comparator")) return compares(node, key, held, value as Wanted, filtering);
    if (below.name.endsWith("CollectionFilter"))
      return collects(Array.isArray(held) ? held : [], value as Wanted, below, filtering);
    return matches((held ?? undefined) as Source | undefined, value as Wanted, below, filtering);
  });
}

function valueOf(
  node: Source,
  key: string,
  type: GraphQLInputObjectType,
  { schema, asking }: Filtering,
): unknown {
  const special = readForFilter(node, key, asking);
  if (special !== undefined) return special.value;
  const of = schema.getType(node.__typename ?? "") as GraphQLObjectType | undefined;
  if (of?.getFields()[key] === undefined) throw notImplemented(`the filter ${type.name}.${key}`);
  return readField(node, key, asking);
}

/** `some`, `every` and `length` of many; what is said besides is said of some one of them. */
function collects(
  nodes: readonly Source[],
  wanted: Wanted,
  type: GraphQLInputObjectType,
  filtering: Filtering,
): boolean {
  const { some, every, length, and, or, null: isEmpty, ...ofOne } = wanted;
  const below = (key: string): GraphQLInputObjectType =>
    getNamedType(type.getFields()[key]?.type) as GraphQLInputObjectType;
  const asked = (value: unknown): value is Wanted => value !== undefined && value !== null;
  const said = Object.entries(ofOne).filter(([, value]) => asked(value));
  return (
    (!asked(some) || nodes.some((node) => matches(node, some, below("some"), filtering))) &&
    (!asked(every) || nodes.every((node) => matches(node, every, below("every"), filtering))) &&
    (!asked(length) || operatorsHold(nodes.length, length, "number")) &&
    (!Array.isArray(and) || and.every((one: Wanted) => collects(nodes, one, type, filtering))) &&
    (!Array.isArray(or) || or.some((one: Wanted) => collects(nodes, one, type, filtering))) &&
    (typeof isEmpty !== "boolean" || (nodes.length === 0) === isEmpty) &&
    (said.length === 0 || nodes.some((node) => matches(node, Object.fromEntries(said), type, filtering)))
  );
}

function compares(node: Source, key: string, held: unknown, wanted: Wanted, { asking }: Filtering): boolean {
  if (node.__typename === "Issue" && key === "id") {
    // Issues answer to their identifiers too.
    const issue = node as unknown as SimIssue;
    const own = (text: unknown): unknown => (isIdentifier(issue, String(text)) ? issue.id : text);
    return operatorsHold(
      issue.id,
      Object.fromEntries(
        Object.entries(wanted).map(([op, at]) => [op, Array.isArray(at) ? at.map(own) : own(at)]),
      ),
      "text",
    );
  }
  if (!key.endsWith("At")) return operatorsHold(held, wanted, typeof held === "number" ? "number" : "text");
  const now = asking.linear.world.clock.now();
  const instants = Object.entries(wanted).map(([op, at]) => [
    op,
    op === "null" || at === null
      ? at
      : Array.isArray(at)
        ? at.map((one) => instantOf(one, now))
        : instantOf(at, now),
  ]);
  return operatorsHold(held, Object.fromEntries(instants), "number");
}

/** An instant in ISO 8601, or a duration from now (`-P2W1D`, `PT30M`). */
function instantOf(text: unknown, now: number): number {
  const [, sign, weeks, days, hours, minutes, seconds] =
    /^(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(String(text)) ?? [];
  if (sign !== undefined) {
    const days7 = Number(weeks ?? 0) * 7 + Number(days ?? 0);
    const passed =
      ((days7 * 24 + Number(hours ?? 0)) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0);
    return now + (sign === "-" ? -1 : 1) * passed * 1_000;
  }
  const at = Date.parse(String(text));
  if (Number.isNaN(at)) throw linearError("invalid", `${String(text)} is no date`);
  return at;
}

type Operator = (held: never, wanted: never) => boolean;
const lower = (text: string): string => text.toLowerCase();
const plain = (text: string): string => lower(text.normalize("NFD").replaceAll(/\p{Diacritic}/gu, ""));
const operators: Readonly<Record<string, Operator>> = {
  gt: (held: number, wanted: number) => held > wanted,
  gte: (held: number, wanted: number) => held >= wanted,
  lt: (held: number, wanted: number) => held < wanted,
  lte: (held: number, wanted: number) => held <= wanted,
  eqIgnoreCase: (held: string, wanted: string) => lower(held) === lower(wanted),
  contains: (held: string, wanted: string) => held.includes(wanted),
  containsIgnoreCase: (held: string, wanted: string) => lower(held).includes(lower(wanted)),
  containsIgnoreCaseAndAccent: (held: string, wanted: string) => plain(held).includes(plain(wanted)),
  startsWith: (held: string, wanted: string) => held.startsWith(wanted),
  startsWithIgnoreCase: (held: string, wanted: string) => lower(held).startsWith(lower(wanted)),
  endsWith: (held: string, wanted: string) => held.endsWith(wanted),
};
const opposites: Readonly<Record<string, string>> = {
  neqIgnoreCase: "eqIgnoreCase",
  notContains: "contains",
  notContainsIgnoreCase: "containsIgnoreCase",
  notStartsWith: "startsWith",
  notEndsWith: "endsWith",
};

function operatorsHold(held: unknown, wanted: Wanted, kind: "text" | "number"): boolean {
  const isUnset = held === undefined || held === null;
  return Object.entries(wanted).every(([name, value]) => {
    if (value === undefined) return true;
    if (name === "null") return value === null || isUnset === value;
    if (name === "eq") return value === null ? isUnset : held === value;
    if (name === "neq") return value === null ? !isUnset : held !== value;
    if (name === "in") return (value as unknown[]).includes(held);
    if (name === "nin") return !(value as unknown[]).includes(held);
    const opposite = opposites[name];
    const operator = operators[opposite ?? name];
    if (operator === undefined) throw notImplemented(`the comparison ${name} of a ${kind}`);
    if (isUnset || value === null) return opposite !== undefined;
    // The schema saw to it that what is compared is of the operator's kind.
    return operator(held as never, value as never) !== (opposite !== undefined);
  });
}
