import { expect, test } from "vitest";
import { z } from "zod";
import { Approval, Branch, Loop, Parallel, Sequence, Task, Timer, workflow, type Step } from "#engine";
import { cancelRun, startRun } from "../../src/engine/store.ts";
import { open, simple, until } from "./world.ts";

const Num = z.number();
test("a sequence runs in order, each task once, and the result is kept", async () => {
  const ran: string[] = [];
  const task = (id: string) => <Task id={id} output={Num} perform={() => ran.push(id)} />;
  const { start } = await open(
    simple(
      () => <Sequence>{["a", "b", "c"].map(task)}</Sequence>,
      () => ran.length,
    ),
  );
  expect(await start()).toMatchObject({ status: "finished", output: 3 });
  expect(ran).toEqual(["a", "b", "c"]);
});

test("a loop repeats its body until its condition holds", async () => {
  let tries = 0;
  const definition = workflow({
    name: "w",
    input: z.object({}),
    output: z.array(z.number()),
    render: (context) => (
      <Loop id="l" max={5} until={(context.latest("n", Num) ?? 0) >= 3}>
        <Task id="n" output={Num} perform={() => ++tries} />
      </Loop>
    ),
    result: (context) => [...context.history("n", Num)],
  });
  const { start } = await open(definition);
  expect(await start()).toMatchObject({ status: "finished", output: [1, 2, 3] });
});

test("an exhausted loop fails with its name, or is accepted where that is said", async () => {
  const body = (step: Step) => step.iteration.length;
  const looping = (onExhausted: "fail" | "accept") =>
    simple(() => (
      <Loop id="l" max={2} until={false} onExhausted={onExhausted}>
        <Task id="n" output={Num} perform={body} />
      </Loop>
    ));
  expect(await (await open(looping("fail"))).start()).toMatchObject({
    status: "failed",
    error: 'loop "l" did not meet its condition in 2 iterations',
  });
  expect(await (await open(looping("accept"))).start()).toMatchObject({ status: "finished" });
});

test("tasks side by side keep to the cap", async () => {
  let working = 0;
  let most = 0;
  const perform = async () => {
    most = Math.max(most, ++working);
    await new Promise((resolve) => setImmediate(resolve));
    return working--;
  };
  const { start } = await open(
    simple(() => (
      <Parallel max={2}>
        {Array.from({ length: 7 }, (_, i) => (
          <Task id={`t${i}`} output={Num} perform={perform} />
        ))}
      </Parallel>
    )),
  );
  expect(await start()).toMatchObject({ status: "finished" });
  expect(most).toBe(2);
});

test("a failed task is tried again after a backoff, finitely, and the error says which and why", async () => {
  let tries = 0;
  const { start, clock, untilLeft, engine } = await open(
    simple(() => (
      <Task
        id="t"
        output={Num}
        retries={1}
        perform={() => {
          tries += 1;
          throw new Error("no luck");
        }}
      />
    )),
  );
  expect(await start()).toMatchObject({ status: "waiting", wakeAt: 11_000 });
  const gone = untilLeft();
  clock.turn(10_000);
  await gone;
  expect(await engine.run("r")).toMatchObject({
    status: "failed",
    error: 'task "t" failed after 2 attempts: no luck',
  });
  expect(tries).toBe(2);
});

test("a permanent error is not tried again, a named time puts off without counting", async () => {
  const permanent = simple(() => (
    <Task
      id="t"
      output={Num}
      perform={() => {
        throw Object.assign(new Error("never"), { permanent: true });
      }}
    />
  ));
  expect(await (await open(permanent)).start()).toMatchObject({
    status: "failed",
    error: 'task "t" failed: never',
  });
  const paused = simple(
    () => (
      <Task
        id="t"
        output={Num}
        retries={0}
        perform={({ attempt }) => {
          if (attempt < 3) throw Object.assign(new Error("later"), { retryAt: 0 });
          return attempt;
        }}
      />
    ),
    () => "ok",
  );
  expect(await (await open(paused)).start()).toMatchObject({ status: "finished", output: "ok" });
});

test("an output that does not fit its schema is a failure in plain words", async () => {
  const wrong = simple(() => (
    <Task id="t" output={z.object({ n: Num })} retries={0} perform={() => ({ n: "x" }) as never} />
  ));
  const run = await (await open(wrong)).start();
  expect(run?.error).toContain('the output of "t" does not fit its schema: n');
});

test("an approval waits for a person and a timer for its time, at no cost", async () => {
  const { start, engine, clock, untilLeft } = await open(
    simple(() => (
      <Sequence>
        <Approval id="ok" ask="go?" />
        <Timer id="pause" afterMs={5_000} />
        <Task id="t" output={Num} perform={() => 1} />
      </Sequence>
    )),
  );
  expect(await start()).toMatchObject({ status: "waiting", wakeAt: undefined });
  expect(engine.atWork()).toEqual([]);
  expect(await engine.answer("r", "nothing", { decision: "approved", by: "x", note: "" })).toBe(
    "nothing waits",
  );
  let gone = untilLeft();
  expect(await engine.answer("r", "ok", { decision: "approved", by: "x", note: "" })).toBe("answered");
  await gone;
  expect(await engine.run("r")).toMatchObject({ status: "waiting", wakeAt: 6_000 });
  gone = untilLeft();
  clock.turn(5_000);
  await gone;
  expect(await engine.run("r")).toMatchObject({ status: "finished" });
});

test("a branch renders what its condition says", async () => {
  const { start } = await open(
    simple(() => (
      <Branch
        if={false}
        then={<Task id="a" output={Num} perform={() => 1} />}
        else={
          <Task
            id="b"
            output={Num}
            retries={0}
            perform={() => {
              throw new Error("b ran");
            }}
          />
        }
      />
    )),
  );
  expect((await start())?.error).toContain("b ran");
});

test("a cancelled run ends its task's signal and can write no more", async () => {
  let aborted = false;
  const { sql, engine, untilLeft } = await open(
    simple(() => (
      <Task
        id="t"
        output={Num}
        perform={(step) =>
          new Promise<number>((_resolve, reject) => {
            step.signal.addEventListener("abort", () => {
              aborted = true;
              reject(new Error("stopped"));
            });
            // The run is at work now: cancel it.
            void sql.commit(() => cancelRun("r", 5)).then(() => engine.poke());
          })
        }
      />
    )),
  );
  await sql.commit(() => startRun({ run: "r", workflow: "w", input: {}, at: 1 }));
  const gone = untilLeft();
  engine.poke();
  await gone;
  expect(aborted).toBe(true);
  expect(await engine.run("r")).toMatchObject({ status: "cancelled" });
});

test("after an interruption a task in flight is lost, not failed, and gets its memory back", async () => {
  const seen: unknown[] = [];
  let hold = true;
  const definition = simple(() => (
    <Task
      id="t"
      output={Num}
      retries={0}
      perform={async (step) => {
        seen.push(step.memory);
        await step.remember({ session: "s1" });
        if (hold)
          await new Promise((_resolve, reject) =>
            step.signal.addEventListener("abort", () => reject(new Error("interrupted"))),
          );
        return 1;
      }}
    />
  ));
  const first = await open(definition);
  await first.sql.commit(() => startRun({ run: "r", workflow: "w", input: {}, at: 1 }));
  first.engine.poke();
  await until(async () => (await first.engine.attempts("r"))[0]?.memory !== undefined);
  await first.engine.down(0);
  hold = false;
  const second = await open(definition, first.path);
  const gone = second.untilLeft();
  second.engine.poke();
  await gone;
  expect(await second.engine.run("r")).toMatchObject({ status: "finished" });
  expect(seen).toEqual([undefined, { session: "s1" }]);
  expect((await second.engine.attempts("r")).map(({ status }) => status)).toEqual(["lost", "finished"]);
});

test("two nodes of one name, and a render that is not pure, end the run with words", async () => {
  const twins = simple(() => (
    <Sequence>
      {[1, 2].map(() => (
        <Task id="same" output={Num} perform={() => 1} />
      ))}
    </Sequence>
  ));
  expect((await (await open(twins)).start())?.error).toContain('two nodes are called "same"');
  let flip = 0;
  const impure = simple(() => <Task id={`t${flip++}`} output={Num} perform={() => 1} />);
  expect((await (await open(impure)).start())?.error).toContain("must be a pure function");
});
