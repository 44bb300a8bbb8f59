import { expect, test } from "vitest";
import { z } from "zod";
import { Cache, Loop, Sequence, Task, workflow, Workflow, type AnyWorkflow, type Context } from "#engine";
import { open } from "./world.ts";

const named = (name: string, render: AnyWorkflow["render"]): AnyWorkflow =>
  workflow({ name, input: z.object({}), output: z.unknown(), render, result: () => null });
const counting = () => {
  let count = 0;
  return { perform: () => (count += 1), times: () => count };
};
const Num = z.number();
const outputs = async (world: Awaited<ReturnType<typeof open>>, run: string) =>
  (await world.engine.attempts(run)).map(({ leaf, output }) => [leaf, output]);

test("what was kept is used by another run of the workflow, and by nobody when the key differs", async () => {
  const work = counting();
  let by = "v1";
  const world = await open(
    named("w", () => (
      <Cache by={by}>
        <Sequence>
          <Task id="a" output={Num} perform={work.perform} />
          <Task id="b" output={Num} perform={work.perform} />
        </Sequence>
      </Cache>
    )),
  );
  await world.start("r1");
  await world.start("r2");
  expect(await outputs(world, "r2")).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  by = "v2";
  await world.start("r3");
  expect(work.times()).toBe(4);
});

test("a workflow's cache is not another workflow's, and everybody's is", async () => {
  const own = counting();
  const shared = counting();
  const render = () => (
    <Sequence>
      <Cache by={1}>
        <Task id="own" output={Num} perform={own.perform} />
      </Cache>
      <Cache by={1} scope="global">
        <Task id="shared" output={Num} perform={shared.perform} />
      </Cache>
    </Sequence>
  );
  const world = await open(named("one", render));
  await world.start("r1");
  const other = await open(named("two", render), world.path);
  await other.start("r2");
  expect([own.times(), shared.times()]).toEqual([2, 1]);
});

test("a run's own cache ends with it", async () => {
  const work = counting();
  const render = () => (
    <Cache by="same" scope="run">
      <Task id="a" output={Num} perform={work.perform} />
    </Cache>
  );
  const world = await open(named("w", render));
  await world.start("r1");
  await world.start("r2");
  expect(work.times()).toBe(2);
});

test("what is older than it may be is not used", async () => {
  const work = counting();
  const world = await open(
    named("w", () => (
      <Cache by="same" ttlMs={60_000}>
        <Task id="a" output={Num} perform={work.perform} />
      </Cache>
    )),
  );
  await world.start("r1");
  world.clock.turn(60_000);
  await world.start("r2");
  expect(work.times()).toBe(1);
  world.clock.turn(1);
  await world.start("r3");
  expect(work.times()).toBe(2);
});

test("what was kept in an older shape is a miss, and is replaced", async () => {
  const render = (output: z.ZodType, perform: () => unknown) => () => (
    <Cache by="same">
      <Task id="a" output={output} perform={perform} />
    </Cache>
  );
  const before = await open(
    named(
      "w",
      render(z.number(), () => 1),
    ),
  );
  await before.start("r1");
  const after = await open(
    named(
      "w",
      render(z.string(), () => "new"),
    ),
    before.path,
  );
  await after.start("r2");
  await after.start("r3");
  expect(await outputs(after, "r3")).toEqual([["a", "new"]]);
});

test("a failed task keeps nothing for others", async () => {
  let tries = 0;
  const world = await open(
    named("w", () => (
      <Cache by="same">
        <Task
          id="a"
          output={Num}
          retries={0}
          perform={() => {
            tries += 1;
            if (tries === 1) throw new Error("no");
            return tries;
          }}
        />
      </Cache>
    )),
  );
  expect(await world.start("r1")).toMatchObject({ status: "failed" });
  expect(await world.start("r2")).toMatchObject({ status: "finished" });
  await world.start("r3");
  expect(tries).toBe(2);
});

test("each iteration of a loop inside has an output of its own, wherever the loop is", async () => {
  const work = counting();
  const inner = workflow({
    name: "inner",
    input: z.object({}),
    output: z.null(),
    render: (ctx: Context<object>) => (
      <Loop id="l" max={3} until={(ctx.latest("a", Num) ?? 0) >= 2}>
        <Task id="a" output={Num} perform={work.perform} />
      </Loop>
    ),
    result: () => null,
  });
  const world = await open(
    named("w", () => (
      <Cache by="same">
        <Workflow id="in" of={inner} input={{}} />
      </Cache>
    )),
  );
  expect(await world.start("r1")).toMatchObject({ status: "finished" });
  expect(await world.start("r2")).toMatchObject({ status: "finished" });
  expect(work.times()).toBe(2);
  expect((await outputs(world, "r2")).filter(([leaf]) => leaf === "in/a")).toEqual([
    ["in/a", 1],
    ["in/a", 2],
  ]);
});

test("a loop around takes what an earlier iteration kept, when the key says it is the same", async () => {
  const work = counting();
  const world = await open(
    named("w", (ctx) => (
      <Loop id="l" max={3} until={ctx.history("a", Num).length === 3}>
        <Cache by={Math.min(ctx.iteration("l"), 1)}>
          <Task id="a" output={Num} perform={work.perform} />
        </Cache>
      </Loop>
    )),
  );
  await world.start("r1");
  expect((await outputs(world, "r1")).map(([, output]) => output)).toEqual([1, 2, 2]);
});

test("a task's own cache goes before the one around it", async () => {
  const work = counting();
  const world = await open(
    named("w", () => (
      <Cache by="around">
        <Task id="a" output={Num} perform={work.perform} cache={{ key: "own", scope: "run" }} />
      </Cache>
    )),
  );
  await world.start("r1");
  await world.start("r2");
  expect(work.times()).toBe(2);
});
