import fc from "fast-check";
import { expect, test } from "vitest";
import { nameOf, now, row, task } from "../../test/engine/attempts.ts";
import { Loop, Parallel, Saga, Sequence, Try } from "./components.ts";
import { childrenOf, type Node } from "./node.ts";
import { plan } from "./plan.ts";
import { newProgress } from "./progress.ts";
import { openRows, type Attempt, type Rows } from "./rows.ts";

const trees = fc.letrec<{ node: Node }>((tie) => {
  const some = fc.array(tie("node"), { maxLength: 4 });
  const max = fc.integer({ min: 1, max: 3 });
  return {
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constant(task("?")),
      some.map((children) => Sequence({ children })),
      fc.tuple(max, some).map(([cap, children]) => Parallel({ max: cap, children })),
      fc
        .tuple(max, fc.boolean(), some)
        .map(([rounds, until, children]) =>
          Loop({ id: "?", max: rounds, until, onExhausted: "accept", children }),
        ),
      fc
        .tuple(some, fc.option(some, { nil: undefined }), fc.option(some, { nil: undefined }))
        .map(([children, rescue, ensure]) =>
          Try({
            children,
            ...(rescue === undefined ? {} : { catch: rescue }),
            ...(ensure === undefined ? {} : { finally: ensure }),
          }),
        ),
      fc
        .array(fc.tuple(tie("node"), fc.option(tie("node"), { nil: undefined })), { maxLength: 3 })
        .map((steps) =>
          Saga({
            id: "?",
            steps: steps.map(([act, undo]) => (undo === undefined ? { act } : { act, undo })),
          }),
        ),
    ),
  };
}).node;

/** Gives every node its own id. */
function named(node: Node, next: () => string): Node {
  const inside = (children: readonly Node[]): readonly Node[] => children.map((child) => named(child, next));
  switch (node.kind) {
    case "sequence":
    case "parallel":
      return { ...node, children: inside(node.children) };
    case "loop":
      return { ...node, id: next(), body: { kind: "sequence", children: inside(node.body.children) } };
    case "try":
      return {
        ...node,
        body: { kind: "sequence", children: inside(node.body.children) },
        rescue: node.rescue && { kind: "sequence", children: inside(node.rescue.children) },
        ensure: node.ensure && { kind: "sequence", children: inside(node.ensure.children) },
      };
    case "saga":
      return {
        ...node,
        id: next(),
        steps: node.steps.map(({ act, undo }) => ({
          act: named(act, next),
          undo: undo && named(undo, next),
        })),
      };
    case "task":
    case "wait":
    case "timer":
    case "result":
    case "call":
      return { ...node, id: next() };
    case "each":
      return node;
  }
}
const naming = (): (() => string) => {
  let count = 0;
  return () => `n${(count += 1)}`;
};

/** Tasks at work in this subtree, and whether any cap in it is broken. */
function atWork(node: Node, working: ReadonlySet<string>): number {
  switch (node.kind) {
    case "task":
    case "wait":
    case "timer":
    case "result":
    case "call":
      return working.has(node.id) ? 1 : 0;
    case "each":
      return 0;
    case "try":
    case "saga": {
      const counts = childrenOf(node).map((child) => atWork(child, working));
      // What handles a failure never works beside what failed.
      expect(counts.filter((count) => count > 0).length).toBeLessThanOrEqual(1);
      return counts.reduce((total, count) => total + count, 0);
    }
    case "loop":
      return atWork(node.body, working);
    case "sequence":
    case "parallel": {
      const counts = node.children.map((child) => atWork(child, working));
      const sum = counts.reduce((total, count) => total + count, 0);
      if (node.kind === "parallel") expect(sum).toBeLessThanOrEqual(node.max);
      else expect(counts.filter((count) => count > 0).length).toBeLessThanOrEqual(1);
      return sum;
    }
  }
}

test.each([
  ["their failures all tried again", ["finished", "finished", "failed", "lost"]],
  ["some of them failing for good", ["finished", "finished", "dead", "lost"]],
] as const)(
  "any tree, its tasks ending in any order, %s, is walked to its end, each leaf finishing once",
  (_how, ways) => {
    fc.assert(
      fc.property(trees, fc.infiniteStream(fc.nat(1_000)), (drawn, stream) => {
        const tree = named(drawn, naming());
        const rows: Rows = openRows();
        const progress = newProgress();
        const working = new Map<string, Attempt>();
        const finished = new Set<string>();
        const pick = (below: number): number => (stream.next().value ?? 0) % below;
        for (let turn = 0; turn < 10_000; turn += 1) {
          const next = plan(tree, rows, now, progress);
          // What is remembered between plans changes their cost, never their answer.
          expect(next).toEqual(plan(tree, rows, now));
          if (next.is !== "open") {
            if (ways.includes("failed" as never)) expect(next.is).toBe("done");
            if (next.is === "done") expect(working.size).toBe(0);
            return;
          }
          for (const due of next.due) {
            const name = nameOf(due);
            expect(working.has(name) || finished.has(name)).toBe(false);
            const attempt = rows.nextAttempt(due.leaf.id, due.iteration);
            const begun = row("", "running", { leaf: due.leaf.id, iteration: due.iteration, attempt });
            rows.take(begun);
            working.set(name, begun);
          }
          atWork(tree, new Set([...working.values()].map(({ leaf }) => leaf)));
          // Open with nothing at work would be a run that hangs for ever.
          expect(working.size).toBeGreaterThan(0);
          const [name, ended] = [...working][pick(working.size)] ?? expect.unreachable();
          const how = ways[pick(4)] ?? "finished";
          const status = how === "dead" ? "failed" : how;
          rows.take({ ...ended, status, ...(how === "failed" ? { error: "x", dueAt: now } : {}) });
          working.delete(name);
          if (how === "finished") finished.add(name);
        }
        expect.unreachable("the walk did not end");
      }),
      { numRuns: 300 },
    );
  },
);
