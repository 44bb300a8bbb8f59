/** Answers that come at the worst moment, or fit less than they seem to. */
import { expect, test } from "vitest";
import { z } from "zod";
import { Approval, Cache, Parallel, Question, Sequence, Task, Timer, Try, leaf } from "#engine";
import { answerRun } from "../../src/engine/answer.ts";
import { waitsOf } from "../../src/engine/lookup.ts";
import { gate, open, simple, until } from "./world.ts";

const Num = z.number();
const denied = { decision: "denied", by: "ada", note: "no" } as const;

test("an answer that came before the time did stands, however late this process hears of it", async () => {
  const slow = gate<number>();
  const world = await open(
    simple(() => (
      <Parallel>
        <Task id="slow" output={Num} perform={() => slow.passed} />
        <Approval id="ok" ask="go?" autoAfterMs={100} />
      </Parallel>
    )),
  );
  const gone = world.untilLeft();
  await world.begin();
  await until(async () => (await world.statuses()).length === 2);
  // Another process writes the answer, and nobody has told this one yet when the time comes.
  expect(await world.sql.commit(() => answerRun("r", "ok", denied, 1_050))).toBe("answered");
  world.clock.turn(100);
  slow.open(1);
  await gone;
  const [, ok] = await world.engine.attempts("r");
  expect(ok).toMatchObject({ leaf: "ok", status: "finished", output: denied });
  expect(await world.engine.run("r")).toMatchObject({ status: "finished" });
});

test("an answer that fits its JSON schema and not the task's own rule is asked for again", async () => {
  const even = leaf(
    "even",
    z.number().refine((n) => n % 2 === 0, "must be even"),
  );
  const world = await open(
    simple(
      (ctx) => (
        <Sequence>
          <Question id="even" ask="an even number?" output={even.output} />
          {ctx.latest(even) === undefined ? null : <Task id="next" output={Num} value={1} />}
        </Sequence>
      ),
      () => null,
    ),
  );
  await world.start();
  let gone = world.untilLeft();
  expect(await world.engine.answer("r", "even", 3)).toBe("answered");
  await gone;
  expect(await world.engine.run("r")).toMatchObject({ status: "waiting" });
  const [wait] = await world.sql.read(() => waitsOf("r"));
  expect(wait?.ask?.again).toContain("must be even");
  gone = world.untilLeft();
  expect(await world.engine.answer("r", "even", 4)).toBe("answered");
  await gone;
  expect(await world.engine.run("r")).toMatchObject({ status: "finished" });
});

test("what a failed part waited for is waited for no more", async () => {
  const world = await open(
    simple(() => (
      <Try catch={<Approval id="go" ask="go on?" />}>
        <Parallel>
          <Timer id="later" afterMs={1_000} />
          <Approval id="other" ask="and this?" />
          <Task
            id="boom"
            retries={0}
            output={Num}
            perform={() => {
              throw new Error("boom");
            }}
          />
        </Parallel>
      </Try>
    )),
  );
  expect(await world.start()).toMatchObject({ status: "waiting", wakeAt: undefined });
  expect((await world.sql.read(() => waitsOf("r"))).map((one) => one.leaf)).toEqual(["go"]);
});

test("a task that gives nothing may stand in a cache", async () => {
  const world = await open(
    simple(() => (
      <Cache by="k">
        <Task id="nothing" output={z.undefined()} perform={() => undefined} />
      </Cache>
    )),
  );
  expect(await world.start()).toMatchObject({ status: "finished" });
});
