import { z } from "zod";
import { childrenOf, isLeaf, type Leaf, type Node } from "./node.ts";
import { openRows, type Attempt } from "./rows.ts";
import { openView } from "./view.ts";
import type { AnyWorkflow } from "./workflow.ts";

/** What an edit changes for a run, one leaf at a time. */
export interface Change {
  readonly leaf: string;
  readonly is: "added" | "removed" | "changed";
  /** How far the run is with it: what has finished is not done again. */
  readonly state: Attempt["status"] | "not begun";
  readonly parts: readonly Part[];
}
interface Part {
  readonly part: "kind" | "prompt" | "command" | "schema" | "code";
  readonly before: string;
  readonly after: string;
}

/** Compares two versions of a workflow by the trees they render from the same rows. Throws what the newer one's render throws. */
export function differenceOf(
  before: AnyWorkflow,
  after: AnyWorkflow,
  input: unknown,
  attempts: readonly Attempt[],
): readonly Change[] {
  const rows = openRows(attempts);
  const leavesIn = (workflow: AnyWorkflow): ReadonlyMap<string, Leaf> =>
    new Map(
      leavesOf(openView(workflow, { id: "", input }, rows, false).tree()).map((leaf) => [leaf.id, leaf]),
    );
  const old = leavesIn(before);
  const fresh = leavesIn(after);
  const newest = new Map(attempts.map(({ leaf, status }) => [leaf, status]));
  const stateOf = (leaf: string): Change["state"] => newest.get(leaf) ?? "not begun";
  const removed = [...old.keys()]
    .filter((leaf) => !fresh.has(leaf))
    .map((leaf): Change => ({ leaf, is: "removed", state: stateOf(leaf), parts: [] }));
  const others = [...fresh.values()].flatMap((leaf): Change[] => {
    const known = old.get(leaf.id);
    if (known === undefined) return [{ leaf: leaf.id, is: "added", state: stateOf(leaf.id), parts: [] }];
    const parts = partsOf(known, leaf);
    return parts.length === 0 ? [] : [{ leaf: leaf.id, is: "changed", state: stateOf(leaf.id), parts }];
  });
  return [...removed, ...others];
}

const leavesOf = (node: Node): readonly Leaf[] =>
  isLeaf(node) ? [node] : childrenOf(node).flatMap(leavesOf);

function partsOf(before: Leaf, after: Leaf): readonly Part[] {
  const [old, fresh] = [textsOf(before), textsOf(after)];
  return partNames.flatMap((part) =>
    old[part] === fresh[part] ? [] : [{ part, before: old[part], after: fresh[part] }],
  );
}
const partNames = ["kind", "prompt", "command", "schema", "code"] as const;

/** What a leaf is made of, as texts a person can compare. */
function textsOf(leaf: Leaf): Readonly<Record<Part["part"], string>> {
  const texts = { kind: leaf.kind as string, prompt: "", command: "", schema: "", code: "" };
  switch (leaf.kind) {
    case "task": {
      const { made, output, retries, timeoutMs, effect } = leaf;
      const settings = JSON.stringify({ retries, timeoutMs, effect });
      const kind = made.is === "agent" ? `agent ${made.agent}` : made.is;
      return {
        ...texts,
        kind: `${kind} task ${settings}`,
        schema: schemaText(output),
        // What an agent or a shell performs is ours, the same for all of them.
        ...(made.is === "agent" ? { prompt: made.prompt } : {}),
        ...(made.is === "shell" ? { command: made.command } : {}),
        ...(made.is === "compute" ? { code: leaf.perform.toString() } : {}),
      };
    }
    case "wait": {
      const { text, who, about: _about, again: _again, ...asked } = leaf.ask;
      return {
        ...texts,
        kind: `${asked.is} ${JSON.stringify({ who, auto: leaf.auto })}`,
        prompt: text,
        schema: JSON.stringify(asked),
      };
    }
    case "timer":
      return { ...texts, kind: `timer of ${leaf.afterMs} ms` };
    case "result":
      return { ...texts, schema: schemaText(leaf.output), code: leaf.compute.toString() };
  }
}

function schemaText(schema: z.ZodType): string {
  try {
    return JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  } catch {
    return "a schema that cannot be written down";
  }
}
