import { fieldsOf, own, wordOf, wordsOf, type Fields } from "./parse.ts";

/** Most commands that one line becomes over the values of its matrix. */
const maxValues = 8;

interface Where {
  readonly workflow: Fields;
  readonly job: Fields;
  readonly step: Fields;
}

/** The line once for each value of the matrix it names. Empty where it holds an expression that only a run can answer. */
export function expand(line: string, where: Where): readonly string[] {
  let lines: readonly string[] = [line];
  for (const [whole, inner = ""] of line.matchAll(/\$\{\{([^{}]{1,200})\}\}/gu)) {
    const values = valuesOf(inner.trim(), where);
    lines = lines
      .flatMap((one) => values.map((value) => one.replaceAll(whole, () => value)))
      .slice(0, maxValues);
  }
  return [...new Set(lines)].filter((one) => !one.includes("${{"));
}

function valuesOf(expression: string, where: Where): readonly string[] {
  const [, wanted, otherwise] = /^([\w.-]+)\s*\|\|\s*'([^']*)'$/u.exec(expression) ?? [];
  // What stands for all that is not in the list is the plainest.
  return wanted === undefined || otherwise === undefined
    ? namedValues(expression, where)
    : [otherwise, ...namedValues(wanted, where)];
}

function namedValues(expression: string, { workflow, job, step }: Where): readonly string[] {
  const matrix = /^matrix\.([\w-]+)$/u.exec(expression)?.[1];
  if (matrix !== undefined) {
    const strategy = fieldsOf(job, "strategy", "matrix");
    const listed = own(strategy, matrix);
    const included = own(strategy, "include");
    const values = [
      ...(Array.isArray(listed) ? (listed as readonly unknown[]) : []),
      ...(Array.isArray(included)
        ? (included as readonly unknown[]).map((entry) => own(fieldsOf(entry), matrix))
        : []),
    ];
    return values
      .map((value) => wordOf(value))
      .filter((value) => value !== undefined)
      .slice(0, maxValues);
  }
  const variable = /^env\.(\w+)$/u.exec(expression)?.[1];
  if (variable === undefined) return [];
  for (const fields of [step, job, workflow]) {
    const value = wordsOf(own(fieldsOf(fields, "env"), variable))[0];
    if (value !== undefined) return [value];
  }
  return [];
}
