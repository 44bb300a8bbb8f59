import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  Approval,
  Choose,
  ForEach,
  Loop,
  Question,
  Rank,
  Saga,
  Sequence,
  Signal,
  Task,
  Try,
  leaf,
  workflow,
  Workflow,
} from "#engine";
import { gate, open, simple, until } from "./world.ts";

const Num = z.number();
const count = leaf("count", Num);

test("a leaf is named once, and what it gave is read without a cast", async () => {
  const definition = workflow({
    name: "w",
    input: z.object({}),
    output: Num,
    render: (ctx) => {
      expectTypeOf(ctx.latest(count)).toEqualTypeOf<number | undefined>();
      expectTypeOf(ctx.history(count)).toEqualTypeOf<readonly number[]>();
      return (
        <Loop id="l" max={5} until={(ctx.latest(count) ?? 0) >= 3}>
          <Task {...count} perform={() => ctx.history(count).length + 1} />
        </Loop>
      );
    },
    result: (ctx) => {
      expectTypeOf(ctx.output(count)).toEqualTypeOf<number>();
      return ctx.output(count);
    },
  });
  expect(await (await open(definition)).start()).toMatchObject({
    status: "finished",
    output: 3,
    outcome: "met",
  });
});

test("reading an output that is not there yet says how to read it", async () => {
  const definition = workflow({
    name: "w",
    input: z.object({}),
    output: Num,
    render: (ctx) => <Task {...count} perform={() => ctx.output(count)} />,
    result: (ctx) => ctx.output(count),
  });
  const { start, errors, statuses, clock } = await open(definition);
  void start();
  await until(async () => (await statuses()).includes("count failed"));
  clock.turn(0);
  expect(errors).toContain("an attempt failed");
});

test("each item has its own subtree, side by side or one after the other", async () => {
  const order: string[] = [];
  const of = (max?: number) =>
    simple(() => (
      <ForEach items={["x", "y"]} {...(max === undefined ? {} : { max })}>
        {(item) => (
          <Sequence>
            <Task id={`${item}/1`} output={Num} perform={() => order.push(`${item}1`)} />
            <Task id={`${item}/2`} output={Num} perform={() => order.push(`${item}2`)} />
          </Sequence>
        )}
      </ForEach>
    ));
  await (await open(of(1))).start();
  expect(order).toEqual(["x1", "x2", "y1", "y2"]);
  order.length = 0;
  await (await open(of())).start();
  expect(order.slice(0, 2)).toEqual(["x1", "y1"]);
});

test.each([
  [
    "a choice",
    <Choose id="a" ask="which?" options={["red", "blue"]} />,
    { choice: "green", by: "x", note: "" },
    { choice: "blue", by: "x", note: "" },
  ],
  [
    "a ranking",
    <Rank id="a" ask="order?" options={["red", "blue"]} />,
    { order: ["red", "red"], by: "x", note: "" },
    { order: ["blue", "red"], by: "x", note: "" },
  ],
  [
    "a question",
    <Question id="a" ask="how many?" output={z.object({ n: z.int().min(1) })} />,
    { n: 0 },
    { n: 2 },
  ],
  ["a signal", <Signal id="a" output={z.object({ build: z.string() })} />, { build: 7 }, { build: "ok" }],
  [
    "an approval",
    <Approval id="a" ask="go?" />,
    { decision: "perhaps", by: "x", note: "" },
    { decision: "denied", by: "x", note: "no" },
  ],
])(
  "%s waits without cost, refuses what does not fit and goes on with what does",
  async (_what, node, unfit, fit) => {
    const { engine, start, untilLeft } = await open(simple(() => node));
    expect(await start()).toMatchObject({ status: "waiting", wakeAt: undefined });
    expect(await engine.answer("r", "a", unfit)).toEqual({
      refused: expect.stringContaining("does not fit"),
    });
    expect(await engine.run("r")).toMatchObject({ status: "waiting" });
    const gone = untilLeft();
    expect(await engine.answer("r", "a", fit)).toBe("answered");
    await gone;
    expect(await engine.run("r")).toMatchObject({ status: "finished" });
    expect((await engine.attempts("r")).at(-1)?.output).toEqual(fit);
    expect(await engine.answer("r", "a", fit)).toBe("nothing waits");
  },
);

test("an approval that nobody gives is given by time, and one given before is not", async () => {
  const waits = simple(() => <Approval id="a" ask="go?" autoAfterMs={1_000} />);
  const late = await open(waits);
  await late.start();
  const gone = late.untilLeft();
  late.clock.turn(1_000);
  await gone;
  expect((await late.engine.attempts("r"))[0]?.output).toMatchObject({ decision: "approved", by: "time" });
  const early = await open(waits);
  await early.start();
  const left = early.untilLeft();
  await early.engine.answer("r", "a", { decision: "denied", by: "ada", note: "" });
  await left;
  early.clock.turn(1_000);
  expect((await early.engine.attempts("r"))[0]?.output).toMatchObject({ decision: "denied", by: "ada" });
});

test("a failure is handled, and what must come last comes last", async () => {
  const ran: string[] = [];
  const task = (id: string) => <Task id={id} output={Num} retries={0} perform={() => ran.push(id)} />;
  const { start } = await open(
    simple(() => (
      <Try catch={task("handle")} finally={task("last")}>
        <Task
          id="breaks"
          output={Num}
          retries={0}
          perform={() => {
            throw new Error("no");
          }}
        />
        {task("never")}
      </Try>
    )),
  );
  expect(await start()).toMatchObject({ status: "finished", outcome: "met" });
  expect(ran).toEqual(["handle", "last"]);
});

test("a saga that fails is taken back in reverse, and its outcome says so", async () => {
  const ran: string[] = [];
  const task = (id: string) => <Task id={id} output={Num} perform={() => ran.push(id)} />;
  const breaks = (
    <Task
      id="breaks"
      output={Num}
      retries={0}
      perform={() => {
        throw new Error("no room");
      }}
    />
  );
  const { start } = await open(
    simple(() => (
      <Saga
        id="s"
        steps={[
          { act: task("book"), undo: task("unbook") },
          { act: task("pay"), undo: task("refund") },
          { act: breaks },
        ]}
      />
    )),
  );
  expect(await start()).toMatchObject({
    status: "failed",
    outcome: "compensated",
    error: 'saga "s" was taken back: task "breaks" failed: no room',
  });
  expect(ran).toEqual(["book", "pay", "refund", "unbook"]);
});

const double = workflow({
  name: "double",
  input: z.object({ n: Num }),
  output: Num,
  render: (ctx) => <Task {...count} perform={() => ctx.input.n * 2} />,
  result: (ctx) => ctx.output(count),
});

test("a workflow in a workflow has its own ids, input and result", async () => {
  const first = leaf("first", Num);
  const second = leaf("second", Num);
  const definition = workflow({
    name: "w",
    input: z.object({}),
    output: z.array(Num),
    render: (ctx) => (
      <Sequence>
        <Workflow id="first" of={double} input={{ n: 3 }} />
        {ctx.latest(first) === undefined ? null : (
          <Workflow id="second" of={double} input={{ n: ctx.output(first) }} />
        )}
      </Sequence>
    ),
    result: (ctx) => [ctx.output(first), ctx.output(second)],
  });
  const { start, engine } = await open(definition);
  expect(await start()).toMatchObject({ status: "finished", output: [6, 12] });
  expect((await engine.attempts("r")).map((one) => one.leaf)).toEqual([
    "first/count",
    "first",
    "second/count",
    "second",
  ]);
});

test("workflows that call each other in a circle are refused with the circle", async () => {
  const there = workflow({
    name: "there",
    input: z.object({}),
    output: z.unknown(),
    render: () => <Workflow id="b" of={back} input={{}} />,
    result: () => null,
  });
  const back: Workflow<object> = workflow({
    name: "back",
    input: z.object({}),
    output: z.unknown(),
    render: () => <Workflow id="t" of={there} input={{}} />,
    result: () => null,
  });
  expect(await (await open(there)).start()).toMatchObject({
    status: "failed",
    error: "a workflow may not call itself: there → back → there",
  });
});

test("an input that does not fit the workflow it is for says so", async () => {
  const wrong = { n: "three" } as unknown as { n: number };
  expect(
    await (await open(simple(() => <Workflow id="d" of={double} input={wrong} />))).start(),
  ).toMatchObject({
    status: "failed",
    error: expect.stringContaining('the input of "d" does not fit workflow "double": n '),
  });
});

test("an exhausted loop is not met, whether or not that is accepted", async () => {
  const looping = (onExhausted: "fail" | "accept") =>
    simple(() => (
      <Loop id="l" max={1} until={false} onExhausted={onExhausted}>
        <Task {...count} perform={() => 1} />
      </Loop>
    ));
  expect(await (await open(looping("fail"))).start()).toMatchObject({ status: "failed", outcome: "not met" });
  expect(await (await open(looping("accept"))).start()).toMatchObject({
    status: "finished",
    outcome: "not met",
  });
});

test("a task that fails the same way three times is stuck, however many retries it has left", async () => {
  let tries = 0;
  const { begin, clock, engine } = await open(
    simple(() => (
      <Task
        {...count}
        retries={50}
        perform={() => {
          tries += 1;
          throw new Error(`no file /tmp/run-${tries}8f3a2b1c`);
        }}
      />
    )),
  );
  await begin();
  await until(async () => {
    clock.turn(300_000);
    return (await engine.run("r"))?.status === "failed";
  });
  expect(tries).toBe(3);
  expect((await engine.run("r"))?.error).toContain("stuck, it fails the same way again and again: no file");
});

test("a task that fails in another way each time is tried to the end of its retries", async () => {
  const words = ["red", "green", "blue", "grey", "pink"];
  let tries = 0;
  const { begin, clock, engine } = await open(
    simple(() => (
      <Task
        {...count}
        retries={4}
        perform={() => {
          throw new Error(words[tries++]);
        }}
      />
    )),
  );
  await begin();
  await until(async () => {
    clock.turn(300_000);
    return (await engine.run("r"))?.status === "failed";
  });
  expect(tries).toBe(5);
});

test("what failed waits for what works beside it before it is handled", async () => {
  const slow = gate<number>();
  const { begin, untilLeft, statuses, engine } = await open(
    simple(() => (
      <Try catch={<Task id="handle" output={Num} perform={() => 1} />}>
        <ForEach items={["slow", "breaks"]}>
          {(id) => (
            <Task
              id={id}
              output={Num}
              retries={0}
              perform={() => {
                if (id === "breaks") throw new Error("no");
                return slow.passed;
              }}
            />
          )}
        </ForEach>
      </Try>
    )),
  );
  await begin();
  await until(async () => (await statuses()).includes("breaks failed"));
  expect(await statuses()).toEqual(["slow running", "breaks failed"]);
  const gone = untilLeft();
  slow.open(1);
  await gone;
  expect(await statuses()).toEqual(["slow finished", "breaks failed", "handle finished"]);
  expect(await engine.run("r")).toMatchObject({ status: "finished" });
});
