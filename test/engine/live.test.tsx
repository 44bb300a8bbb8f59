import { expect, test } from "vitest";
import { z } from "zod";
import { Approval, Parallel, Sequence, Task, Timer, type Step } from "#engine";
import { cancelRun } from "../../src/engine/store.ts";
import { gate, open, simple, until } from "./world.ts";

const Num = z.number();
const approved = { decision: "approved", by: "ada", note: "" } as const;
/** Rejects when its signal says so, as a well-behaved task does. */
const untilAborted = ({ signal }: Step): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(new Error("stopped"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });

test("an approval given while another task works carries on at once", async () => {
  const slow = gate<number>();
  let after = 0;
  const world = await open(
    simple(() => (
      <Parallel>
        <Task id="slow" output={Num} perform={() => slow.passed} />
        <Sequence>
          <Approval id="ok" ask="go?" />
          <Task id="after" output={Num} perform={() => ++after} />
        </Sequence>
      </Parallel>
    )),
  );
  const gone = world.untilLeft();
  await world.begin();
  await until(async () => (await world.statuses()).length === 2);
  expect(await world.engine.answer("r", "ok", approved)).toBe("answered");
  await until(() => after === 1);
  slow.open(1);
  await gone;
  expect(await world.engine.run("r")).toMatchObject({ status: "finished" });
});

test("an approval that another process wrote while a task worked is seen when the task ends", async () => {
  const slow = gate<number>();
  const definition = simple(() => (
    <Parallel>
      <Task id="slow" output={Num} perform={() => slow.passed} />
      <Approval id="ok" ask="go?" />
    </Parallel>
  ));
  const world = await open(definition);
  await world.begin();
  await until(async () => (await world.statuses()).length === 2);
  const other = await open(
    simple(() => <Sequence />),
    world.path,
  );
  // The other process has no such workflow: it can answer, and nothing more.
  await other.engine.answer("r", "ok", approved);
  slow.open(1);
  await until(async () => (await world.engine.run("r"))?.status === "finished");
});

test("a cancelled run can no longer be approved", async () => {
  const world = await open(simple(() => <Approval id="ok" ask="go?" />));
  await world.start();
  await world.sql.commit(() => cancelRun("r", 5));
  expect(await world.engine.answer("r", "ok", approved)).toBe("nothing waits");
});

test("a retry and a timer come due while another task works", async () => {
  const slow = gate<number>();
  let tries = 0;
  let rang = 0;
  const world = await open(
    simple(() => (
      <Parallel>
        <Task id="slow" output={Num} perform={() => slow.passed} />
        <Task
          id="flaky"
          output={Num}
          perform={() => {
            if (++tries === 1) throw new Error("not yet");
            return tries;
          }}
        />
        <Sequence>
          <Timer id="pause" afterMs={60_000} />
          <Task id="after" output={Num} perform={() => ++rang} />
        </Sequence>
      </Parallel>
    )),
  );
  const gone = world.untilLeft();
  await world.begin();
  await until(async () => (await world.statuses()).includes("flaky failed"));
  world.clock.turn(10_000);
  await until(() => tries === 2);
  world.clock.turn(50_000);
  await until(() => rang === 1);
  slow.open(1);
  await gone;
  expect(await world.engine.run("r")).toMatchObject({ status: "finished" });
});

test("a timer that rang is finished in its row, so that a clock set back cannot unring it", async () => {
  const world = await open(
    simple(() => (
      <Sequence>
        <Timer id="pause" afterMs={5_000} />
        <Approval id="ok" ask="go?" />
      </Sequence>
    )),
  );
  await world.start();
  world.clock.turn(5_000);
  await until(async () => (await world.statuses()).length === 2);
  expect(await world.statuses()).toEqual(["pause finished", "ok waiting"]);
});

test("a shutdown makes every task in flight lost, however many, and none of them failed", async () => {
  let working = 0;
  let hold = true;
  const definition = simple(() => (
    <Parallel>
      {["a", "b", "c"].map((id) => (
        <Task
          id={id}
          output={Num}
          retries={0}
          perform={async (step) => {
            working += 1;
            if (hold) await untilAborted(step);
            return 1;
          }}
        />
      ))}
    </Parallel>
  ));
  const first = await open(definition);
  await first.begin();
  await until(() => working === 3);
  await first.engine.down(0);
  hold = false;
  const second = await open(definition, first.path);
  second.engine.poke();
  await until(async () => (await second.engine.run("r"))?.settledAt !== undefined);
  expect(await second.engine.run("r")).toMatchObject({ status: "finished" });
  expect(await second.statuses()).toEqual(
    ["a", "b", "c"].map((id) => `${id} lost`).concat(["a finished", "b finished", "c finished"]),
  );
});

test("a task that finishes although it was interrupted has finished", async () => {
  let ran = 0;
  const definition = simple(() => (
    <Task
      id="t"
      output={Num}
      perform={(step) =>
        new Promise((resolve) => {
          ran += 1;
          step.signal.addEventListener("abort", () => resolve(1));
        })
      }
    />
  ));
  const first = await open(definition);
  await first.begin();
  await until(() => ran === 1);
  await first.engine.down(0);
  const second = await open(definition, first.path);
  second.engine.poke();
  await until(async () => (await second.engine.run("r"))?.settledAt !== undefined);
  expect(ran).toBe(1);
});

test("a task that was only about to begin at a shutdown does not begin", async () => {
  let began = 0;
  let down: Promise<void> | undefined;
  const world = await open(
    simple(() => <Task id="t" output={Num} perform={(step) => ((began += 1), untilAborted(step))} />),
    undefined,
    // The shutdown arrives while the row of the task is being committed.
    (sql) => ({
      ...sql,
      commit: async (verb) => {
        const done = await sql.commit(verb);
        if (!Array.isArray(done) || typeof done[0] !== "number") return done;
        down = world.engine.down(0);
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return done;
      },
    }),
  );
  await world.begin();
  await until(() => down !== undefined);
  await down;
  expect(began).toBe(0);
  expect(await world.engine.run("r")).toMatchObject({ status: "ready" });
  expect(await world.statuses()).toEqual(["t running"]);
});

test("a retry in the same process gets the memory of the attempt before", async () => {
  const seen: unknown[] = [];
  const world = await open(
    simple(() => (
      <Task
        id="t"
        output={Num}
        perform={async (step) => {
          seen.push(step.memory);
          if (step.attempt === 1) {
            await step.remember({ session: "s1" });
            throw Object.assign(new Error("busy"), { retryAt: 0 });
          }
          return 1;
        }}
      />
    )),
  );
  expect(await world.start()).toMatchObject({ status: "finished" });
  expect(seen).toEqual([undefined, { session: "s1" }]);
});

test("a run with input its workflow refuses fails with words and holds up nobody else", async () => {
  const strict = {
    ...simple(() => <Task id="t" output={Num} perform={() => 1} />),
    input: z.object({ n: Num }),
  };
  const world = await open(strict);
  await world.begin("bad", { n: "x" });
  await world.begin("good", { n: 1 });
  await until(async () => (await world.engine.run("good"))?.settledAt !== undefined);
  expect(await world.engine.run("good")).toMatchObject({ status: "finished" });
  expect((await world.engine.run("bad"))?.error).toContain(
    'the input of workflow "w" does not fit its schema: n',
  );
});

test("a disk that is full for a while fails no run: it carries on afterwards", async () => {
  let isFull = false;
  let working = 0;
  const hold = gate<number>();
  const world = await open(
    simple(() => (
      <Task id="t" output={Num} retries={0} perform={() => (++working, working === 1 ? hold.passed : 2)} />
    )),
    undefined,
    (sql) => ({
      ...sql,
      commit: (verb) =>
        isFull
          ? Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }))
          : sql.commit(verb),
    }),
  );
  await world.begin();
  await until(() => working === 1);
  isFull = true;
  hold.open(1);
  await until(() => world.errors.length > 0);
  expect(world.errors).toContain("the database cannot be written; it is tried again soon. Free space there.");
  isFull = false;
  await until(async () => {
    world.clock.turn(1_000);
    return (await world.engine.run("r"))?.settledAt !== undefined;
  });
  expect(await world.engine.run("r")).toMatchObject({ status: "finished" });
  expect(await world.statuses()).toEqual(["t finished"]);
  expect(working).toBe(1);
});

test("after a cancellation the run has left only when its last task has ended", async () => {
  const ended: string[] = [];
  const slowly = gate<number>();
  const quick = gate<number>();
  let working = 0;
  const world = await open(
    simple(() => (
      <Parallel>
        <Task id="quick" output={Num} perform={() => (++working, quick.passed)} />
        <Task
          id="slow"
          output={Num}
          perform={async () => {
            working += 1;
            await slowly.passed;
            ended.push("slow");
            return 1;
          }}
        />
      </Parallel>
    )),
  );
  const gone = world.untilLeft().then(() => ended.push("left"));
  await world.begin();
  await until(() => working === 2);
  // Nobody pokes: the fence alone tells the run.
  await world.sql.commit(() => cancelRun("r", 5));
  quick.open(1);
  setImmediate(() => setImmediate(() => setImmediate(() => slowly.open(1))));
  await gone;
  expect(ended).toEqual(["slow", "left"]);
});

test("an owner whose run was taken can neither finish its task nor remember anything", async () => {
  const held = gate<number>();
  let refused: unknown;
  let lives = 0;
  const definition = simple(() => (
    <Task
      id="t"
      output={Num}
      perform={async (step) => {
        lives += 1;
        if (lives === 2) return 2;
        const late = await held.passed;
        refused = await step.remember("late").catch((error: unknown) => error);
        return late;
      }}
    />
  ));
  const first = await open(definition);
  const gone = first.untilLeft();
  await first.begin();
  await until(() => lives === 1);
  const second = await open(definition, first.path);
  second.engine.poke();
  await until(async () => (await second.engine.run("r"))?.settledAt !== undefined);
  held.open(1);
  await gone;
  expect(refused).toMatchObject({ name: "Fenced" });
  const rows = await first.engine.attempts("r");
  expect(rows.map(({ status, output, memory }) => [status, output, memory])).toEqual([
    ["lost", undefined, undefined],
    ["finished", 2, undefined],
  ]);
});
