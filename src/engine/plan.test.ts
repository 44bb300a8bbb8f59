import { expect, test } from "vitest";
import { nameOf, now, row, task } from "../../test/engine/attempts.ts";
import { Approval, Loop, Parallel, Saga, Sequence, Timer, Try } from "./components.ts";
import type { Node } from "./node.ts";
import { plan } from "./plan.ts";
import { openRows, type Attempt } from "./rows.ts";

const done = (...names: readonly string[]): readonly Attempt[] => names.map((name) => row(name, "finished"));
const planned = (tree: Node, rows: readonly Attempt[]) => {
  const { is, due, waiting, why } = plan(tree, openRows(rows), now);
  return {
    is,
    due: due.map(nameOf),
    waiting: waiting.map((one) => [nameOf(one), one.until]),
    ...(why === undefined ? {} : { why }),
  };
};
const open = (due: readonly string[], waiting: readonly unknown[] = []) => ({ is: "open", due, waiting });
const over = { is: "done", due: [], waiting: [] };
const failed = (why: string, waiting: readonly unknown[] = []) => ({ is: "failed", due: [], waiting, why });

const two = Sequence({ children: [task("a"), task("b")] });
const loop = (until: boolean, onExhausted: "fail" | "accept" = "fail"): Node =>
  Loop({ id: "l", max: 2, until, onExhausted, children: [task("a"), task("b")] });
const nested = Loop({
  id: "outer",
  max: 2,
  until: false,
  onExhausted: "accept",
  children: Loop({ id: "inner", max: 2, until: false, onExhausted: "accept", children: task("a") }),
});
const sides = (max: number, ...children: readonly Node[]): Node => Parallel({ max, children });

test.each<[claim: string, tree: Node, rows: readonly Attempt[], expected: object]>([
  ["an empty tree is done", Sequence({}), [], over],
  ["a task is due", task("a"), [], open(["a"])],
  ["a running task is neither due nor waiting", task("a"), [row("a", "running")], open([])],
  ["a lost task is due again", task("a"), [row("a", "lost")], open(["a"])],
  ["a finished task is done", task("a"), done("a"), over],
  [
    "a failed task waits for its next attempt",
    task("a"),
    [row("a", "failed", { dueAt: 101 })],
    open([], [["a", 101]]),
  ],
  ["a failed task is due when its time comes", task("a"), [row("a", "failed", { dueAt: 100 })], open(["a"])],
  [
    "a task that may not be tried again fails the run with its reason",
    task("a"),
    [row("a", "failed", { error: "no luck" })],
    failed('task "a" failed: no luck'),
  ],
  [
    "attempts that failed are counted, lost and paused ones are not",
    task("a"),
    [
      row("a", "failed", { attempt: 1, error: "x", dueAt: 1 }),
      row("a", "lost", { attempt: 2 }),
      row("a", "failed", { attempt: 3, error: "limit", dueAt: 1, paused: true }),
      row("a", "failed", { attempt: 4, error: "y" }),
    ],
    failed('task "a" failed after 2 attempts: y'),
  ],
  ["a sequence begins with its first child", two, [], open(["a"])],
  ["a sequence goes on with its next child", two, done("a"), open(["b"])],
  ["a sequence waits for a running child", two, [row("a", "running")], open([])],
  ["a sequence is done with its last child", two, done("a", "b"), over],
  ["children side by side are due together", sides(Infinity, task("a"), task("b")), [], open(["a", "b"])],
  ["a cap lets only so many begin", sides(2, task("a"), task("b"), task("c")), [], open(["a", "b"])],
  [
    "a cap counts later children at work before an earlier one is tried again",
    sides(2, task("a"), task("b"), task("c")),
    [row("a", "failed", { dueAt: 1 }), row("b", "running"), row("c", "running")],
    open([]),
  ],
  [
    "caps nest",
    sides(2, sides(Infinity, task("a"), task("b")), task("c"), task("d")),
    [row("a", "running")],
    open(["b"]),
  ],
  [
    "an inner cap holds inside a wider one",
    sides(3, sides(1, task("a"), task("b")), task("c"), task("d")),
    [],
    open(["a", "c", "d"]),
  ],
  [
    "what waits for a person takes nobody's place",
    sides(1, Approval({ id: "ok", ask: "?" }), task("a"), task("b")),
    [row("ok", "waiting")],
    open(["a"], [["ok", undefined]]),
  ],
  [
    "a failure side by side lets nothing new begin",
    sides(Infinity, task("a"), task("b")),
    [row("a", "failed", { error: "x" })],
    failed('task "a" failed: x'),
  ],
  [
    "a timer waits for its time",
    Timer({ id: "t", afterMs: 5 }),
    [row("t", "waiting", { dueAt: 105 })],
    open([], [["t", 105]]),
  ],
  [
    "a timer is due when its time comes",
    Timer({ id: "t", afterMs: 5 }),
    [row("t", "waiting", { dueAt: 100 })],
    open(["t"]),
  ],
  ["a loop begins with iteration 0", loop(false), [], open(["a@0"])],
  ["a condition that holds before the first iteration ends nothing", loop(true), [], open(["a@0"])],
  ["a condition is not asked in the middle of an iteration", loop(true), done("a@0"), open(["b@0"])],
  ["a condition that holds after an iteration ends the loop", loop(true), done("a@0", "b@0"), over],
  [
    "another iteration follows while the condition does not hold",
    loop(false),
    done("a@0", "b@0"),
    open(["a@1"]),
  ],
  [
    "an iteration that has begun is finished though the condition holds by now",
    loop(true),
    done("a@0", "b@0", "a@1"),
    open(["b@1"]),
  ],
  [
    "an exhausted loop fails",
    loop(false),
    done("a@0", "b@0", "a@1", "b@1"),
    failed('loop "l" did not meet its condition in 2 iterations'),
  ],
  ["an exhausted loop may be accepted", loop(false, "accept"), done("a@0", "b@0", "a@1", "b@1"), over],
  [
    "an iteration that was followed by another is over, whatever its body would be now",
    Loop({ id: "l", max: 3, until: false, children: [task("a"), task("new")] }),
    done("a@0", "a@1"),
    open(["new@1"]),
  ],
  ["an empty loop is done", Loop({ id: "l", max: 2, until: false }), [], over],
  ["loops nest", nested, done("a@0.0", "a@0.1"), open(["a@1.0"])],
  [
    "a loop inside children side by side keeps its own iterations",
    sides(2, loop(false), task("c")),
    done("a@0", "b@0"),
    open(["a@1", "c"]),
  ],
])("%s", (_claim, tree, rows, expected) => {
  expect(planned(tree, rows)).toEqual(expected);
});

const tried = Try({ catch: task("c"), finally: task("f"), children: two });
const saga = Saga({
  id: "s",
  steps: [
    { act: task("a"), undo: task("-a") },
    { act: task("b") },
    { act: task("c"), undo: task("-c") },
    { act: task("d") },
  ],
});
const dead = (name: string): Attempt => row(name, "failed", { error: "no" });

test.each<[claim: string, tree: Node, rows: readonly Attempt[], expected: object]>([
  ["what is tried goes first, and what is last comes after it", tried, done("a", "b"), open(["f"])],
  ["a try that succeeded is over when its last part is", tried, done("a", "b", "f"), over],
  ["a failure is handled in place of the rest", tried, [...done("a"), dead("b")], open(["c"])],
  ["a failure that was handled is none", tried, [dead("a"), ...done("c", "f")], over],
  ["the last part comes after a handled failure too", tried, [dead("a"), ...done("c")], open(["f"])],
  [
    "a failure while handling one tells of both, after the last part",
    tried,
    [dead("a"), dead("c"), ...done("f")],
    failed('task "c" failed: no (while handling: task "a" failed: no)'),
  ],
  [
    "without a handler the last part still comes, and the failure stays",
    Try({ finally: task("f"), children: task("a") }),
    [dead("a"), ...done("f")],
    failed('task "a" failed: no'),
  ],
  [
    "what is still at work beside a failure ends before it is handled, and nothing more begins",
    Try({ catch: task("c"), children: sides(9, task("a"), task("b"), task("d")) }),
    [dead("a"), row("b", "running")],
    open([]),
  ],
  ["a saga goes forward", saga, done("a"), open(["b"])],
  ["a saga that reached its end is over", saga, done("a", "b", "c", "d"), over],
  [
    "a failed step takes back those before it, newest first",
    saga,
    [...done("a", "b", "c"), dead("d")],
    open(["-c"]),
  ],
  ["and then the earlier ones", saga, [...done("a", "b", "c", "-c"), dead("d")], open(["-a"])],
  [
    "a saga taken back has failed",
    saga,
    [...done("a", "b", "c", "-c", "-a"), dead("d")],
    failed('saga "s" was taken back: task "d" failed: no'),
  ],
  [
    "a saga that cannot be taken back says so",
    saga,
    [...done("a", "b", "c"), dead("-c"), dead("d")],
    failed('saga "s" could not be taken back: task "-c" failed: no (it failed because task "d" failed: no)'),
  ],
])("%s", (_claim, tree, rows, expected) => {
  expect(planned(tree, rows)).toEqual(expected);
});

test("the outcome tells what was reached, apart from how the run ended", () => {
  const outcome = (tree: Node, rows: readonly Attempt[]) => plan(tree, openRows(rows), now).outcome;
  expect(outcome(two, done("a", "b"))).toBe("met");
  expect(outcome(two, [dead("a")])).toBe(undefined);
  expect(outcome(saga, [...done("a"), dead("-a"), dead("b")])).toBe("unknown");
  expect(outcome(loop(false, "accept"), done("a@0", "b@0", "a@1", "b@1"))).toBe("not met");
  expect(outcome(loop(false), done("a@0", "b@0", "a@1", "b@1"))).toBe("not met");
  expect(outcome(saga, [...done("a", "-a"), dead("b")])).toBe("compensated");
  const handled = Try({ catch: task("c"), children: loop(false) });
  expect(outcome(handled, done("a@0", "b@0", "a@1", "b@1", "c"))).toBe("met");
});
