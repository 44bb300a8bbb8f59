import { Liquid, LiquidError } from "liquidjs";
import { mergeVariables, templateVariables } from "./config-schema.ts";
import { nearest } from "./nearest.ts";

/**
 * Templates are strict: an unknown variable, filter or tag is found when the file is read, not when an agent waits.
 * Without partials no template reaches the disk.
 */
const engine = new Liquid({
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  templates: {},
  parseLimit: 100_000,
  renderLimit: 1000,
  memoryLimit: 10_000_000,
});
for (const tag of ["include", "render", "layout", "block"]) Reflect.deleteProperty(engine.tags, tag);

type Variables = Readonly<Record<string, readonly string[]>>;

/** What is wrong with a template and in which of its rows, from 1. */
export function templateFault(
  text: string,
  variables: Variables = templateVariables,
): { readonly row: number; readonly why: string } | undefined {
  try {
    const parsed = engine.parse(text);
    const { globals } = engine.analyzeSync(parsed, { partials: true });
    for (const variable of Object.values(globals).flat()) {
      if (isKnown(variable.segments.map(String), variables)) continue;
      const all = Object.entries(variables).flatMap(([name, fields]) =>
        fields.length === 0 ? [name] : fields.map((one) => `${name}.${one}`),
      );
      const meant = nearest(variable.toString(), all);
      const hint = meant === undefined ? `known are ${all.join(", ")}.` : `did you mean \`${meant}\`?`;
      return { row: variable.location.row, why: `unknown variable \`${variable.toString()}\`; ${hint}` };
    }
    // What shows only when it is filled (a loop without end, a field of a text) shows here as well.
    engine.renderSync(parsed, samplesOf(variables));
    return undefined;
  } catch (error) {
    if (!LiquidError.is(error)) throw error;
    const [row] = (error as LiquidError & { token: { getPosition(): number[] } }).token.getPosition();
    return { row: row ?? 1, why: `${error.message.replace(/, line:\d+, col:\d+.*$/su, "")}.` };
  }
}

function isKnown([root = "", field, ...deeper]: readonly string[], variables: Variables): boolean {
  const fields = Object.hasOwn(variables, root) ? variables[root] : undefined;
  if (fields === undefined) return false;
  if (fields.length === 0) return field === undefined;
  const isField = fields.some((name) => name === field);
  return isField && (deeper.length === 0 || Object.hasOwn(listed, `${root}.${field}`));
}

/** The fields that are lists, each with a member. */
const listed: Readonly<Record<string, readonly unknown[]>> = {
  "issue.labels": ["1"],
  "issue.blocked_by": [{ id: "1", identifier: "1", state: "1" }],
};

/** Some are numbers, and a text of digits is good for either. */
const samplesOf = (variables: Variables): object =>
  Object.fromEntries(
    Object.entries(variables).map(([name, fields]) => [
      name,
      fields.length === 0
        ? "1"
        : Object.fromEntries(fields.map((field) => [field, listed[`${name}.${field}`] ?? "1"])),
    ]),
  );

type Values<Known extends Variables> = {
  readonly [Name in keyof Known]: Readonly<Record<Known[Name][number], string | number>>;
};
/** What Symphony's variables hold; null is one that is not known here, or not set. */
export interface IssueValues extends Readonly<
  Record<Exclude<(typeof templateVariables.issue)[number], "labels" | "blocked_by">, string | number | null>
> {
  readonly labels: readonly string[];
  readonly blocked_by: readonly {
    readonly id: string;
    readonly identifier: string;
    readonly state: string;
  }[];
}
/** What the templates of `prompts` are filled with. */
export interface PromptValues extends Values<Pick<typeof templateVariables, "ticket" | "repo" | "run">> {
  readonly issue: IssueValues;
  /** Null the first time. */
  readonly attempt: number | null;
}

/** Fills a template of `prompts`; it was checked when the configuration was read. */
export function renderPrompt(text: string, values: PromptValues): string {
  return engine.parseAndRenderSync(text, values) as string;
}

/** Fills `merge.title` or `merge.body`; it was checked when the configuration was read. */
export function renderMerge(text: string, values: Values<typeof mergeVariables>): string {
  return engine.parseAndRenderSync(text, values) as string;
}
