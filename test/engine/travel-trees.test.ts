/** Time travel over any tree: loops, side by side, approvals, timers, failures that are handled and sagas taken back. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  Approval,
  forkRun,
  Loop,
  Parallel,
  Saga,
  Sequence,
  Task,
  Timer,
  Try,
  workflow,
  type RunRow,
} from "#engine";
import { mapTasks, type Node } from "../../src/engine/node.ts";
import { openTravel } from "./travel-world.ts";

type Drawn = (next: () => string) => Node;
const trees = fc.letrec<{ node: Drawn }>((tie) => {
  const some = fc.array(tie("node"), { minLength: 1, maxLength: 3 });
  const all = (children: readonly Drawn[], next: () => string): readonly Node[] =>
    children.map((child) => child(next));
  return {
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constant<Drawn>((next) => Task({ id: next(), output: z.string(), perform: () => "" })),
      fc.constant<Drawn>((next) => Approval({ id: next(), ask: "?" })),
      fc.constant<Drawn>((next) => Timer({ id: next(), afterMs: 50 })),
      fc.constant<Drawn>((next) =>
        Task({
          id: next(),
          output: z.string(),
          perform: () => {
            throw Object.assign(new Error("no"), { permanent: true });
          },
        }),
      ),
      some.map(
        (children): Drawn =>
          (next) =>
            Sequence({ children: all(children, next) }),
      ),
      fc.tuple(fc.integer({ min: 1, max: 3 }), some).map(
        ([max, children]): Drawn =>
          (next) =>
            Parallel({ max, children: all(children, next) }),
      ),
      fc.tuple(fc.integer({ min: 1, max: 3 }), some).map(
        ([max, children]): Drawn =>
          (next) =>
            Loop({
              id: next(),
              max,
              until: false,
              onExhausted: "accept",
              children: all(children, next),
            }),
      ),
      fc.tuple(some, some, some).map(
        ([children, rescue, ensure]): Drawn =>
          (next) =>
            Try({ children: all(children, next), catch: all(rescue, next), finally: all(ensure, next) }),
      ),
      fc.array(fc.tuple(tie("node"), tie("node")), { minLength: 1, maxLength: 2 }).map(
        (steps): Drawn =>
          (next) =>
            Saga({ id: next(), steps: steps.map(([act, undo]) => ({ act: act(next), undo: undo(next) })) }),
      ),
    ),
  };
}).node;

/** The drawn tree as a workflow whose tasks say where they are and tell that they worked. */
function workflowOf(drawn: Drawn, worked: string[]) {
  let count = 0;
  const tree = mapTasks(
    drawn(() => `n${(count += 1)}`),
    (task) => ({
      ...task,
      perform: (step) => {
        worked.push(`${step.run} ${step.leaf}@${step.iteration}`);
        task.perform(step);
        return `${step.leaf}@${step.iteration}`;
      },
    }),
  );
  return workflow({
    name: "w",
    input: z.object({}),
    output: z.string(),
    render: () => tree,
    result: () => "over",
  });
}
/** Where several tasks fail side by side, which failure is told depends on who came first. */
const endOf = (row: RunRow | undefined) =>
  row?.status === "finished" ? [row.status, row.outcome, row.output] : [row?.status];

/** Where something failed, even if that was handled, what was done beside it depends on who came first. */
const isWhole = ([status]: ReturnType<typeof endOf>, attempts: readonly { readonly status: string }[]) =>
  status === "finished" && attempts.every((attempt) => attempt.status !== "failed");

test("any tree taken back to any frame ends like one that never was, and back again it is as it was", async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(1_000), fc.nat(1_000), async (drawn, where, again) => {
      const { begin, finish, rewind, dump, counted, engine } = await openTravel(workflowOf(drawn, []));
      await begin("r");
      const undisturbed = endOf(await finish("r"));
      const isCertain = isWhole(undisturbed, await engine.attempts("r"));
      const whole = await dump("r");
      const finished = await counted("r");
      for (const draw of [where, again]) {
        const frame = draw % ((await engine.attempts("r")).length + 1);
        expect(await rewind("r", { frame })).toMatchObject({ is: "done" });
        expect(endOf(await finish("r"))).toEqual(undisturbed);
        if (isCertain) expect(await counted("r")).toEqual(finished);
      }
      await rewind("r", { undo: 1 });
      const after = await dump("r");
      expect(after.run).toEqual(whole.run);
      expect(after.rows.slice(0, whole.rows.length)).toEqual(whole.rows);
      expect((await engine.attempts("r")).length).toBe(whole.rows.length);
    }),
    { numRuns: 40 },
  );
}, 120_000);

test("any run is forked without a change to it, and a replay of it performs nothing but what it died of", async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(1_000), async (drawn, where) => {
      const worked: string[] = [];
      const { begin, finish, dump, counted, sql, engine } = await openTravel(workflowOf(drawn, worked));
      await begin("r");
      const undisturbed = endOf(await finish("r"));
      const isCertain = isWhole(undisturbed, await engine.attempts("r"));
      const whole = await dump("r");
      const finished = await counted("r");
      const begun = { run: "r", input: undefined, reset: undefined, folder: undefined, at: 1 } as const;
      const frame = where % (whole.rows.length + 1);
      await sql.commit(() => forkRun({ ...begun, as: "f", how: "fork", frame, clashes: "refuse" }));
      expect(endOf(await finish("f"))).toEqual(undisturbed);
      if (isCertain) expect(await counted("f")).toEqual(finished);
      await sql.commit(() =>
        forkRun({ ...begun, as: "p", how: "replay", frame: undefined, clashes: "refuse" }),
      );
      expect(endOf(await finish("p"))).toEqual(undisturbed);
      if (isCertain) expect(await counted("p")).toEqual(finished);
      const again = worked.filter((one) => one.startsWith("p "));
      if (isCertain) expect(again).toEqual([]);
      // Whatever it does again had failed.
      for (const place of again)
        expect(finished.some((one) => one.startsWith(`${place.slice(2)} `))).toBe(false);
      expect(await dump("r")).toEqual(whole);
    }),
    { numRuns: 40 },
  );
}, 120_000);
